"""Countries by ISO 3166-1 alpha-2: names, domains, calling codes, postcodes, the side of the road.

Sources: country-coder (driving side, units, territories), GeoNames (capital, population, postcodes, domains), CLDR
(names), Google's libphonenumber (calling codes). `training/regions/build.py` makes the tables.
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

UNUSUAL_TLDS = {"uk": "GB", "eu": None, "su": "RU"}  # ccTLDs that are not ISO codes; .eu is no country's

# Country domains sold world-wide as if they were generic: they say little about a place. Source: Google Search
# Central, "generic country-code top-level domains" (its list, with the .io and .gg that the trade adds).
GENERIC_TLDS = frozenset(
    {"ad", "ai", "as", "bz", "cc", "cd", "co", "dj", "fm", "gg", "io", "la"}
    | {"me", "ms", "nu", "sc", "sr", "su", "tk", "to", "tv", "vc", "ws"}
)


@dataclass(frozen=True, slots=True)
class Country:
    """Facts of one country or territory with an ISO 3166-1 code of its own (and Kosovo, XK)."""

    code: str
    name: str
    iso3: str
    parent: str | None  # the sovereign state of a territory: FR for RE
    capital: str
    population: int
    neighbours: tuple[str, ...]  # by land
    tld: str | None  # without the dot
    postal_regex: str | None  # anchored at both ends
    drive_side: Literal["left", "right"]
    speed_unit: Literal["km/h", "mph"]
    height_unit: Literal["m", "ft"]
    regions: tuple[str, ...]  # UN M49: 002 is Africa, 035 is South-eastern Asia


def name_key(text: str) -> str:
    """Fold case, accents and punctuation, and keep the vowel signs of scripts that spell with them."""
    kept = []
    for char in unicodedata.normalize("NFKD", text.casefold()):
        if unicodedata.combining(char) >= 200 or 10 <= unicodedata.combining(char) <= 35:
            continue  # accents above and below; points of Hebrew and Arabic
        kept.append(char if unicodedata.category(char)[0] in "LMN" else " ")
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


@cache
def _table() -> dict[str, Country]:
    rows: dict[str, dict[str, Any]] = json.loads(
        files("geosleuth.indexes").joinpath("data/countries.json").read_text("utf-8")
    )
    for row in rows.values():
        row |= {"neighbours": tuple(row["neighbours"]), "regions": tuple(row["regions"])}
    return {code: Country(code=code, **row) for code, row in rows.items()}


@cache
def _names() -> dict[str, str]:
    packed = files("geosleuth.indexes").joinpath("data/country_names.tsv.gz").read_bytes()
    lines = gzip.decompress(packed).decode("utf-8").splitlines()
    return {name: code for name, _, code in (line.partition("\t") for line in lines)}


@cache
def _by_iso3() -> dict[str, str]:
    return {country.iso3: country.code for country in _table().values()}


@cache
def _by_tld() -> dict[str, str]:
    return {country.tld: country.code for country in _table().values() if country.tld}


def country_codes() -> tuple[str, ...]:
    """All codes, sorted."""
    return tuple(_table())


def country(code: str) -> Country:
    """Look a country up by its alpha-2 code.

    Raises:
        KeyError: No country has the code.
    """
    return _table()[code]


def country_name(code: str, language: str = "en") -> str:
    """Name a country, in `language` where CLDR has it; an unknown code names itself."""
    if language != "en":
        from babel import Locale

        name = Locale.parse(language.replace("-", "_")).territories.get(code)
        if name:
            return str(name)
    found = _table().get(code)
    return found.name if found else code


def find_country(text: str) -> str | None:
    """Find the code of a country by its name in any of CLDR's languages, or by its ISO alpha-2 or alpha-3 code."""
    stripped = text.strip()
    code = stripped.upper()
    if code == "UK":  # exceptionally reserved for GB in ISO 3166-1, and what people write
        return "GB"
    if len(code) == 2 and code in _table():
        return code
    if len(code) == 3 and code in _by_iso3():
        return _by_iso3()[code]
    return _names().get(name_key(stripped))


def country_of_tld(tld: str) -> str | None:
    """Return the country of a top-level domain ("de", ".co.uk"); None for generic ones such as .com."""
    last = tld.casefold().strip(".").rpartition(".")[2]
    return UNUSUAL_TLDS[last] if last in UNUSUAL_TLDS else _by_tld().get(last)


def is_generic_tld(tld: str) -> bool:
    """Tell whether a country's domain is sold world-wide like .com (".tv"), so that it says little about a place."""
    return tld.casefold().strip(".").rpartition(".")[2] in GENERIC_TLDS


def countries_of_calling_code(calling_code: str) -> tuple[str, ...]:
    """Return the countries that share an international prefix ("+44" is GB, GG, IM, JE), the main one first."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    digits = calling_code.strip().removeprefix("+").removeprefix("00")
    if not digits.isdecimal():
        return ()
    return tuple(code for code in COUNTRY_CODE_TO_REGION_CODE.get(int(digits), ()) if code in _table())


def calling_code(code: str) -> str | None:
    """Return the international prefix of a country, digits only; None where it has none (Antarctica)."""
    from phonenumbers import country_code_for_region

    return str(country_code_for_region(code) or "") or None


def postal_regex(code: str) -> str | None:
    """Return the pattern of a country's postcodes (GeoNames); None where there are none."""
    return country(code).postal_regex


def driving_side(code: str) -> Literal["left", "right"]:
    """Return the side of the road that traffic keeps to."""
    return country(code).drive_side
