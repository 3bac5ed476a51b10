"""Scripts in which a language is written in a country, from CLDR's likely subtags and stated exceptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from geosleuth.indexes.spoken import base_language

# CLDR's script codes that name a mixture or a variant, as the recognisers of geosleuth name them.
_FOLDED = {"Hans": "Hani", "Hant": "Hani", "Hanb": "Hani", "Kore": "Hang", "Aran": "Arab", "Cyrs": "Cyrl"}

# Where several scripts are in use CLDR gives no shares, or shares of speakers (Bosnian has 99 % in both). Keys are
# (language, country); None is any country that has no row of its own.
_EXCEPTIONS: Mapping[tuple[str, str | None], Mapping[str, float]] = {
    # A line of Japanese often has Han characters only (station and shop names), which no one can tell from Chinese.
    ("ja", None): {"Jpan": 0.65, "Hani": 0.35},
    ("ko", None): {"Hang": 0.98, "Hani": 0.02},  # Han characters on temples and restaurants
    ("sr", "RS"): {"Latn": 0.55, "Cyrl": 0.45},  # Cyrillic by law on public signs, shops mostly Latin
    ("sr", "BA"): {"Cyrl": 0.7, "Latn": 0.3},  # Republika Srpska: public signs Cyrillic
    ("sr", "ME"): {"Latn": 0.9, "Cyrl": 0.1},  # both are equal by law, Latin prevails
    ("sr", "XK"): {"Cyrl": 0.7, "Latn": 0.3},
    ("bs", None): {"Latn": 0.98, "Cyrl": 0.02},
    ("kk", "KZ"): {"Cyrl": 0.9, "Latn": 0.1},  # the move to Latin is decreed and slow; brands use it
    ("uz", "UZ"): {"Latn": 0.75, "Cyrl": 0.25},  # Latin by law since 1993, Cyrillic persists on shops
    ("az", "AZ"): {"Latn": 1.0},  # Cyrillic was given up in 2001; CLDR still counts its readers
    ("mn", "MN"): {"Cyrl": 0.98, "Mong": 0.02},
    ("mn", "CN"): {"Mong": 1.0},
    ("ms", "BN"): {"Latn": 0.7, "Arab": 0.3},  # Jawi is required on public signs
    ("ms", None): {"Latn": 1.0},
    ("ha", None): {"Latn": 1.0},
    ("ff", None): {"Latn": 1.0},
    ("zgh", None): {"Tfng": 1.0},  # public signs of Morocco and Algeria; Latin transcripts are the French text
    ("kab", None): {"Latn": 0.5, "Tfng": 0.5},
    ("ku", "IQ"): {"Arab": 1.0},
    ("ku", "IR"): {"Arab": 1.0},
    ("man", None): {"Latn": 1.0},
}


@cache
def _scripts_of(language: str, country: str | None) -> dict[str, float]:
    for key in ((language, country), (language, None)):
        if key in _EXCEPTIONS:
            return dict(_EXCEPTIONS[key])
    shares: dict[str, float] = defaultdict(float)
    for identifier, percent in _variants(language, country):
        shares[_likely_script(identifier, country)] += percent
    total = sum(shares.values())
    if total <= 0.0:
        return {_likely_script(language, country): 1.0}
    return {script: share / total for script, share in sorted(shares.items(), key=lambda row: -row[1])}


def _variants(language: str, country: str | None) -> list[tuple[str, float]]:
    """CLDR's rows of a language in a country, such as uz and uz_Cyrl, with their shares of the population."""
    if country is None:
        return []
    from babel.languages import get_territory_language_info

    rows = get_territory_language_info(country).items()
    return [(name, float(row["population_percent"] or 0.0)) for name, row in rows if base_language(name) == language]


def _likely_script(identifier: str, country: str | None) -> str:
    from babel.core import get_global

    parts = identifier.replace("-", "_").split("_")
    script = next((part for part in parts[1:] if len(part) == 4), None)
    if script is None:
        likely = get_global("likely_subtags")
        found = likely.get(f"{parts[0]}_{country}") or likely.get(parts[0])
        script = found.split("_")[1] if found else "Latn"  # the languages that CLDR does not know are written in Latin
    return _FOLDED.get(script, script)


def scripts_of(language: str, country: str | None = None) -> dict[str, float]:
    """Return the share of each script (ISO 15924) in text of a language, in a country or anywhere; sum 1."""
    return dict(_scripts_of(base_language(language), country))


def han_form(country: str) -> str:
    """Return the form of Han characters that Chinese has in a country: Hans (simplified) or Hant (traditional)."""
    from babel.core import get_global

    found = get_global("likely_subtags").get(f"zh_{country}", "zh_Hans_CN")
    return str(found.split("_")[1])
