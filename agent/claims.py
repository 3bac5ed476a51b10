"""What a planner's words claim about the place: names of countries, regions and cities, positions, percentages.

It reads names as people write them in English (capitals) and in Chinese and Japanese (no blanks), and errs towards
silence: a word that English also uses for other things counts only where "in" or the like stands before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from geosleuth.indexes.countries import find_country
from geosleuth.indexes.geodesy import LatLon
from geosleuth.tools.named_places import Meanings, meanings

_CITY = 100_000  # people; a smaller place's name is more often another word
_TOWN = 15_000  # people; where a preposition says that a place is meant
_CITY_OF_IDEOGRAMS = 500_000  # people; in a text without blanks any two signs may be a small place
_MOST_READ = 8000  # characters; what 16 thoughts of a sane model have together
_LONGEST_NAME = 4  # words: "Ho Chi Minh City"
_LONGEST_IDEOGRAMS = 5  # signs; longer names of countries are rare

_WORD = re.compile(r"[^\W\d_][\w'’.-]*[^\W_]|[^\W\d_]")
_IDEOGRAMS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{2,}")
_POSITION = re.compile(
    r"(?<![\d.])(?P<lat>[+-]?\d{1,2}\.\d+)\s*°?\s*(?P<ns>[NS])?\s*[,;/ ]\s*"
    r"(?P<lon>[+-]?\d{1,3}\.\d+)\s*°?\s*(?P<ew>[EW])?"
)
_PERCENTAGE = re.compile(r"(?<![\d.])(\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b|per cent\b)", re.IGNORECASE)
_PREPOSITIONS = {"in", "at", "near", "from", "around"}
_PARTICLES = {"of", "the", "de", "del", "da", "do", "la", "le", "am", "upon", "and"}  # inside names, in small letters
_DENIED = re.compile(
    r"\b(?:not|no|nor|never|neither|without|than|except|unlike|isn't|exclud\w*|rul\w* out)"
    r"[^\w.!?;]+(?:\w+[^\w.!?;]+){0,2}$",  # in the same sentence, two words before the name at most
    re.IGNORECASE,
)
_NO_PLACES = {"america", "south america", "north america", "central america", "latin america"}
# Among the 6,000 commonest English words those that also name a country in some language, or a city of 100,000.
_ORDINARY_WORDS = """
    alan ali ann ban basic bat bath batman ben bid bin bone buffalo bush can commonwealth dave delta der dining drug
    dual enterprise gene genes george gold google ham hang ho independence island israeli kyle laws lion log luck male
    man mary mason media metro mobile monster name nice norman okay oral orange paradise part pet pole pre reading rest
    roles rugby sale salt sam san saudi shine solo soul split spoken springs surprise swiss tank tape thai tour tours
    turn van von
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
NOTHING_NAMED = Meanings()


@dataclass(frozen=True)
class Claim:
    """Something that words say about the place."""

    text: str  # as it is written there
    names: Meanings = NOTHING_NAMED
    position: LatLon | None = None
    percentage: float | None = None


def claims_in(words: str) -> list[Claim]:
    """Return what the words claim, each once, in order of kind; a name after "not" is denied, and no claim."""
    words = words[:_MOST_READ]
    found = [*_named(words), *_ideograms(words), *_positions(words)]
    found += [Claim(one[0], percentage=float(one[1].replace(",", "."))) for one in _PERCENTAGE.finditer(words)]
    return list({claim.text.casefold(): claim for claim in reversed(found)}.values())[::-1]


def _named(words: str) -> list[Claim]:
    """Names in capitals, the longest first."""
    tokens = list(_WORD.finditer(words))
    claims, i = [], 0
    while i < len(tokens):
        length = 1
        if tokens[i][0][0].isupper():
            for size in range(min(_LONGEST_NAME, len(tokens) - i), 0, -1):
                name = _name(words, tokens[i : i + size])
                if name is None:
                    continue
                before = tokens[i - 1][0].casefold() if i else ""
                meant = _meant(name, before in _PREPOSITIONS)
                if meant or name.casefold() in _NO_PLACES:
                    length = size
                    if meant and not _DENIED.search(words[: tokens[i].start()][-60:]):
                        claims.append(Claim(name, meant))
                    break
        i += length
    return claims


def _name(words: str, tokens: list[re.Match[str]]) -> str | None:
    """The text of these words if they may be one name: only blanks between, capitals at both ends."""
    text = words[tokens[0].start() : tokens[-1].end()]
    apart = len(text) > sum(len(token[0]) for token in tokens) + len(tokens) - 1
    inside = all(token[0][0].isupper() or token[0] in _PARTICLES for token in tokens)
    if apart or not inside or not tokens[-1][0][0].isupper() or any(mark in text for mark in ",;:()\n"):
        return None
    return text


@lru_cache(maxsize=4096)
def _meant(name: str, of_place: bool) -> Meanings:
    name = name.removesuffix("'s").removesuffix("’s")
    if len(name) < 3 and name != "UK":
        return NOTHING_NAMED  # "PT", "IS", "AM": codes are read by people who know them, and are words to all others
    if len(name) == 3 and name not in ("USA", "UAE") and name.isupper():
        return NOTHING_NAMED  # "THE", "AND": codes of three letters
    if name.casefold() in _NO_PLACES or (not of_place and name.casefold() in _ORDINARY):
        return NOTHING_NAMED
    found = meanings(name)
    places = tuple(place for place in found.places if place.population >= (_TOWN if of_place else _CITY))
    return Meanings(found.countries, found.divisions, places)


def _ideograms(words: str) -> list[Claim]:
    """Names in texts without blanks."""
    claims = []
    for run in _IDEOGRAMS.findall(words):
        i = 0
        while i < len(run):
            sizes = range(min(_LONGEST_IDEOGRAMS, len(run) - i), 1, -1)
            names = ((run[i : i + size], _meant_by_ideograms(run[i : i + size])) for size in sizes)
            name, meant = next(((n, m) for n, m in names if m), (run[i], NOTHING_NAMED))
            if meant and not run[max(0, i - 2) : i].endswith(("不是", "不在", "非")):
                claims.append(Claim(name, meant))
            i += len(name)
    return claims


@lru_cache(maxsize=4096)
def _meant_by_ideograms(name: str) -> Meanings:
    if country := find_country(name):
        return Meanings((country,))
    found = meanings(name)
    places = tuple(place for place in found.places if place.population >= _CITY_OF_IDEOGRAMS)
    return Meanings(found.countries, found.divisions, places)


def _positions(words: str) -> list[Claim]:
    claims = []
    for found in _POSITION.finditer(words):
        lat = float(found["lat"]) * (-1 if found["ns"] == "S" else 1)
        lon = float(found["lon"]) * (-1 if found["ew"] == "W" else 1)
        if abs(lat) <= 90 and abs(lon) <= 180:
            claims.append(Claim(found[0].strip(), position=LatLon(lat, lon)))
    return claims
