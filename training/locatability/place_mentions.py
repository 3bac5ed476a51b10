"""Does a clue name a place? Those that do not ("look at the sun first") are no clue to one, and are left out.

The recogniser is our own tables, not a model: names of countries and of parts of the world in the languages of the
clues, English adjectives of countries, first-level divisions, and large cities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from geosleuth.indexes.countries import country_codes, country_name, name_key
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.tools.named_places import meanings

LANGUAGES = ("en", "zh")  # GeoGuessr's players write English, Tuxun's Chinese

_CITY = 100_000  # people; smaller towns' names are as often words or surnames
_METROPOLIS = 1_000_000  # in scripts without spaces, where chance finds names inside other words
_LONGEST_NAME = 4  # words ("Trinidad and Tobago" has three)
_SHORTEST = 4  # letters of a name; of divisions and cities, three-letter ones are mostly words
_LONGEST_RUN = 8  # characters of a name in a script without spaces (阿拉伯联合酋长国)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_]+")

# Written so only in capitals; as words they are others ("us").
_ABBREVIATIONS = frozenset({"USA", "US", "UK", "UAE", "NZ", "DRC", "EU"})
# What people call countries and parts of the world, where CLDR's first name is another.
_ALSO = """america; usa; england; scotland; wales; northern ireland; britain; great britain; holland; czech republic;
korea; ivory coast; cape verde; burma; macedonia; bosnia; herzegovina; emirates; vatican; palestine; congo; swaziland;
east timor; hong kong; macau; macao; scandinavia; balkans; baltics; baltic states; benelux; middle east; latin america;
far east; balkan; southeast asia; south east asia; east asia; south asia; north africa; west africa; east africa;
eastern europe; western europe; new england; siberia; patagonia; iberia"""
# English adjectives that no ending makes of the country's name.
_ADJECTIVES = """american british english scottish welsh irish french german spanish portuguese dutch swiss danish
finnish swedish norwegian icelandic polish turkish greek czech slovak slovenian slovene thai filipino philippine
emirati peruvian panamanian congolese malagasy laotian burmese cypriot lebanese korean european african asian afghan
kazakh uzbek kyrgyz tajik turkmen ukrainian russian italian brazilian bulgarian croatian romanian latvian faroese"""
_ENDINGS = ("n", "an", "ian", "ean", "ese", "i", "ish")
# Divisions and cities whose names are rather words at the beginning of a sentence.
_WORDS_TOO = frozenset(
    (
        *("north", "south", "east", "west", "northern", "southern", "eastern", "western", "central", "centre"),
        *("center", "capital", "coast", "city", "lakes", "rivers", "islands", "island", "river", "hill", "plateau"),
        *("union", "unity", "delta", "gulf", "reading", "nice", "split", "mobile", "orange", "bath", "mary", "male"),
        *("george", "elizabeth", "jackson", "surprise", "independence", "store", "down", "pool", "most", "police"),
        *("victory", "batman", "hope", "eden", "progress"),
    )
)


class PlaceMentions:
    """Finds names of places in texts; the names of countries are gathered once."""

    described: str  # for the record

    def __init__(self, languages: Sequence[str] = LANGUAGES) -> None:
        """Gather the names of countries and parts of the world in these languages (ISO 639).

        Raises:
            InputError: One of them is no language of CLDR.
        """
        self.described = f"geosleuth's tables ({', '.join(languages)})"
        self._nations = _countries_and_parts(languages) | frozenset(_ADJECTIVES.split())
        self._nations |= frozenset(_adjectives(_countries_and_parts(["en"])))

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names found, as written, left to right."""
        return (*self._in_words(text), *self._in_runs(text))

    def _in_words(self, text: str) -> Iterator[str]:
        words = list(_WORD.finditer(_UNSPACED.sub(" ", text)))
        shouted_or_not = text in (text.lower(), text.upper())  # then capitals say nothing
        start = 0
        while start < len(words):
            for length in range(min(_LONGEST_NAME, len(words) - start), 0, -1):
                written = text[words[start].start() : words[start + length - 1].end()]
                if self._is_name(written, cased=not shouted_or_not):
                    yield written
                    start += length - 1
                    break
            start += 1

    def _is_name(self, written: str, *, cased: bool) -> bool:
        if written in _ABBREVIATIONS:
            return True
        if cased and written[0].islower():
            return False
        key = name_key(written)
        if len(key) < _SHORTEST:
            return False
        if key in self._nations:
            return True
        # A word in capitals among others is what a sign says ("PARE").
        return cased and not written.isupper() and key not in _WORDS_TOO and _is_division_or_city(written, key)

    def _in_runs(self, text: str) -> Iterator[str]:
        for run in _UNSPACED.findall(text):
            start = 0
            while start < len(run):
                longest = min(_LONGEST_RUN, len(run) - start)
                pieces = (run[start : start + length] for length in range(longest, 1, -1))
                name = next((piece for piece in pieces if self._is_unspaced_name(piece)), None)
                if name is not None:
                    yield name
                start += len(name) if name is not None else 1

    def _is_unspaced_name(self, piece: str) -> bool:
        if name_key(piece) in self._nations:
            return True
        matches = load_gazetteer().lookup(piece)
        return bool(matches) and matches[0].place.population >= _METROPOLIS


def _countries_and_parts(languages: Sequence[str]) -> frozenset[str]:
    """Keys of countries, territories and parts of the world (UN M49), in these languages."""
    from babel import Locale, UnknownLocaleError

    names = {country_name(code) for code in country_codes()} | set(_ALSO.replace("\n", " ").split("; "))
    for language in languages:
        try:
            territories = Locale.parse(language).territories
        except (UnknownLocaleError, ValueError) as error:  # ValueError: no code at all
            remedy = "Name them by ISO 639: en,zh."
            raise InputError("languages whose names of countries CLDR has", f"{language!r}", remedy) from error
        names |= {name for code, name in territories.items() if code not in ("001", "ZZ")}  # the world, unknown
    # "Myanmar (Burma)", "Congo - Kinshasa", "Bosnia & Herzegovina": the whole, and what stands first.
    names |= {re.split(r" [(&-]", name)[0] for name in names}
    return frozenset(filter(None, map(name_key, names)))


def _adjectives(nations: frozenset[str]) -> Iterator[str]:
    """Form "Brazilian", "Canadian", "Japanese", "Iraqi", and much that nobody says, which does no harm."""
    for name in nations:
        if name.isascii() and " " not in name and len(name) >= _SHORTEST:
            for stem in (name, name[:-1]) if name[-1] in "aeoy" else (name,):
                yield from (stem + ending for ending in _ENDINGS)


def _is_division_or_city(written: str, key: str) -> bool:
    found = meanings(written)  # of countries it knows all languages: "Pole" is one, so they are not asked for here
    return bool(found.divisions) or any(p.population >= _CITY and name_key(p.name) == key for p in found.places)
