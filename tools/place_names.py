"""Names of towns and countries on signs, with all the places that bear them.

The likelihood of a name is a rate against a rate. Near a place, a share `OWN` of the lines names it. Anywhere, the same
letters stand on a sign as an ordinary word, a person's or a firm's name (word tables say how common it is), as garbage,
or because someone far away writes of the place. "Nice", "Orange" and "Victoria" are thus weak by their frequency alone.
"""

from __future__ import annotations

import contextlib
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from geosleuth.indexes.countries import country_name, find_country
from geosleuth.indexes.gazetteer import Match, NameKind, load_gazetteer, normalise_name
from geosleuth.indexes.languages import official_languages
from geosleuth.indexes.words import load_words
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions, Support
from geosleuth.tools.quoting import quoted
from geosleuth.tools.textline import TextLine
from geosleuth.tools.word_model import garbage


@dataclass(frozen=True)
class NameRates:
    """Constants; judgements from reading street photos, checked on both halves of the labelled ones."""

    own: float = 0.0025  # lines in a town that name it: one line in 400 (road signs, offices, shop names)
    own_division: float = 0.001  # lines that name their own first-level division
    own_country: float = 0.001  # lines that name their own country
    alternate: float = 0.15  # of `own`, for a name that is not the main one: old, foreign, misspelt
    wide: float = 0.08  # of `own`, for towns within `wide_factor` spreads: road signs, branches, "next to"
    wide_factor: float = 6.0  # 30 to 180 km, as far as road signs name a town
    signs_over_text: float = 8.0  # words of trade and brands ("Cafe", "Orange") are commoner on signs than in text
    text_per_person: float = (
        8e-11  # of words in running text that name a town, per inhabitant (Graz 2e-10, Leeds 2e-11)
    )
    unlisted: float = 2e-6  # rate of a name that no word table has: surnames and brands that a village happens to share
    unlisted_zipf: float = 1.5  # frequency of a word that no table has, in a name of several words
    chain: float = 6e-6  # of words in running text that name one chain, at most (Lidl in German)
    collocation: float = 100.0  # words of a name occur together so much more often than by chance
    garbled: float = 0.02  # of a misread line, P(a string as probable as garbage): see word_model.garbage
    least_gain: float = 1.5  # names that make no place likelier than this factor are not worth a line
    most_places: int = 60  # namesakes kept, the most populous first
    longest_price: float = 4.0  # nats, of a misread name


RATES = NameRates()
_LONGEST = 4  # words: longer names are found by their beginning
_SHORTEST = 4  # letters in scripts with letters; "Bar", "Ely" and "Ib" are words in some language


def place_clues(lines: Sequence[TextLine]) -> list[Evidence]:
    """Return the evidence of each name found, as a town, a division or a country; the same name twice is one."""
    found: dict[str, list[Evidence]] = {}
    for line in sorted((one for one in lines if one.readable), key=lambda one: -one.score):
        for key, written in _names(line.text):
            if key in found:
                continue
            pieces = [kind(line, key, written) for kind in (_country_clue, _division_clue, _place_clue)]
            found[key] = [piece for piece in pieces if piece is not None]
    return [piece for pieces in found.values() for piece in pieces]


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Yield (key, as written) of the longest names in a line, left to right, without overlap."""
    words = text.replace(",", " , ").split()
    gazetteer = load_gazetteer()
    start = 0
    while start < len(words):
        for length in range(min(_LONGEST, len(words) - start), 0, -1):
            written = " ".join(words[start : start + length])
            key = normalise_name(written)
            if "," in written or not _long_enough(key):
                continue
            whole = length == len(words) and len(key) > 6  # may be a misread name
            if whole or gazetteer.lookup(key) or key in _divisions() or find_country(key):
                yield key, written
                start += length - 1
                break
        start += 1


def _long_enough(key: str) -> bool:
    letters = [char for char in key if unicodedata.category(char)[0] == "L"]
    if any(char.isdigit() for char in key) or not letters:
        return False
    if "CJK" in unicodedata.name(letters[0], "") or "HANGUL" in unicodedata.name(letters[0], ""):
        return len(letters) >= 2
    return len(letters) >= _SHORTEST


def _elsewhere(line: TextLine, key: str) -> float:
    people = sum(match.place.population for match in load_gazetteer().lookup(key))
    parts = [normalise_name(part).split() for part in line.text.split(",")]  # a comma sets a name apart
    own = next((part for part in parts if key in " ".join(part)), key.split())
    chances = max(len(own) - len(key.split()) + 1, 1)
    return elsewhere_rate(key, round(line.score, 2), chances, people)


@lru_cache(maxsize=2048)
def elsewhere_rate(key: str, score: float, chances: int, people: int = 0, own: frozenset[str] = frozenset()) -> float:
    """Return the share of lines, anywhere, that show this string without naming the place or the chain.

    Args:
        key: The normalised name.
        score: Probability that the line was read right.
        chances: Strings of this length in the line, each of which might have been it.
        people: Inhabitants of all its bearers. Running text speaks of large towns; what is above that rate is a word
            of another meaning, and stands on signs more than in text.
        own: Languages of a chain's countries, whose tables have the word because of the chain itself.
    """
    words = key.split()
    table = load_words()
    rates: list[float] = []
    for word in words:
        found = {language: math.pow(10.0, zipf - 9) for language, zipf in table.frequencies(word).items()}
        found = {code: rate - RATES.chain * (code in own) for code, rate in found.items()}
        frequency = max(max(found.values(), default=0.0), math.pow(10.0, RATES.unlisted_zipf - 9))
        town = min(frequency, RATES.text_per_person * people)
        rates.append(town + (frequency - town) * RATES.signs_over_text)
    together = math.prod(rates) * RATES.collocation ** (len(words) - 1)
    common = min(together, min(rates))
    noise = (1 - score) * RATES.garbled * garbage(key.replace(" ", ""))
    return chances * common + RATES.unlisted / len(words) ** 2 + noise


def _place_clue(line: TextLine, key: str, written: str) -> Evidence | None:
    gazetteer = load_gazetteer()
    matches = gazetteer.lookup(key)
    if not matches:
        matches = gazetteer.lookup_fuzzy(key, RATES.longest_price)[:20]
    if not matches:
        return None
    elsewhere = _elsewhere(line, key)
    places: list[NearPlace] = []
    for match in matches[: RATES.most_places]:
        gain = line.score * _own_rate(match) / elsewhere
        spread = spread_km(match.place.population)
        if match.name_kind is not NameKind.DIVISION:  # which have a clue of their own
            places.append(_near(match, spread, gain))
            places.append(_near(match, spread * RATES.wide_factor, gain * RATES.wide))
    places = [place for place in places if place.weight > 0.05]
    if not places or 1 + max(place.weight for place in places) < RATES.least_gain:
        return None
    namesakes = {(match.place.lat, match.place.lon) for match in matches}
    first = matches[0].place
    claim = f"{quoted(written)} is the name of {first.name} in {country_name(first.country)}"
    if len(namesakes) > 1:
        claim += f", and of {len(namesakes) - 1} more place{'s' if len(namesakes) > 2 else ''}"
    if matches[0].price > 0:
        claim = f"{quoted(written)} may be a misread {first.name} in {country_name(first.country)}"
    return Evidence(
        tool="reading",
        type="reading.place",
        claim=claim,
        likelihood=NearPoints(places=tuple(places), floor=1.0),
        group=f"name:{key}",
        support=(_support(line, "a town is named on signs in it and near it", "GeoNames, wordfreq 3"),),
    )


def _own_rate(match: Match) -> float:
    kind = RATES.alternate if match.name_kind is NameKind.ALTERNATE else 1.0
    return RATES.own * kind * math.exp(-match.price)


def spread_km(population: int) -> float:
    """Return how far from its centre a town is named, 3 to 30 km: its own size and the roads that lead there."""
    return min(3.0 + 0.02 * math.sqrt(population), 30.0)


def _near(match: Match, spread: float, weight: float) -> NearPlace:
    place = match.place
    return NearPlace(lat=place.lat, lon=place.lon, spread_km=round(spread, 1), weight=round(weight, 4), name=place.name)


def _country_clue(line: TextLine, key: str, written: str) -> Evidence | None:
    code = find_country(key) if len(key) > 3 else None
    if code is None:
        return None
    own = RATES.own_country * (1.0 if key in _own_names(code) else RATES.alternate)
    gain = 1 + line.score * own / _elsewhere(line, key)
    if gain < RATES.least_gain:
        return None
    return Evidence(
        tool="reading",
        type="reading.country_name",
        claim=f"{quoted(written)} names {country_name(code)}",
        likelihood=OverRegions(log_ratios={code: round(math.log(gain), 3)}),
        group=f"name:{key}",
        support=(_support(line, "firms and offices carry their country's name", "CLDR, wordfreq 3"),),
    )


@lru_cache(maxsize=1)
def _divisions() -> dict[str, tuple[str, ...]]:
    """Map normalised names to ISO 3166-2 codes."""
    found: dict[str, tuple[str, ...]] = {}
    with files("geosleuth.indexes").joinpath("data/divisions.npz").open("rb") as stream:
        table = np.load(stream, allow_pickle=False)
        for code, name in zip(table["codes"].tolist(), table["names"].tolist(), strict=True):
            key = normalise_name(name)
            if len(key) > _SHORTEST:
                found[key] = (*found.get(key, ()), code)
    return found


def _division_clue(line: TextLine, key: str, written: str) -> Evidence | None:
    codes = _divisions().get(key, ())
    gain = 1 + line.score * RATES.own_division / _elsewhere(line, key)
    if not codes or gain < RATES.least_gain:
        return None
    names = ", ".join(f"{code} ({country_name(code[:2])})" for code in codes[:3])
    return Evidence(
        tool="reading",
        type="reading.division_name",
        claim=f"{quoted(written)} is the name of the division {names}",
        likelihood=OverRegions(log_ratios=dict.fromkeys(codes, round(math.log(gain), 3))),
        group=f"name:{key}",
        support=(_support(line, "addresses and offices name their division", "Natural Earth, wordfreq 3"),),
    )


@cache
def _own_names(code: str) -> frozenset[str]:
    """Name a country in its official languages and in English: what stands on its own signs."""
    from babel import UnknownLocaleError

    names = {country_name(code)}
    for language in official_languages(code):
        with contextlib.suppress(UnknownLocaleError):  # CLDR does not name countries in each of them
            names.add(country_name(code, language))
    return frozenset(map(normalise_name, names))


def _support(line: TextLine, rule: str, source: str) -> Support:
    return Support(box=line.box, text=quoted(line.text, bare=True), script=line.script, rule=rule, source=source)
