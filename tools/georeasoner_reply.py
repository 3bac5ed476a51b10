"""GeoReasoner's question and answer: country, city and reasons as JSON, read leniently (arXiv 2406.18572).

The wording is ours; what it asks for and the keys are the paper's, so that adapters trained on it answer as trained.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from geosleuth.indexes.countries import country_codes, country_name, find_country, name_key
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.vlm.model import Prompt, Turn

QUESTION = (
    "In which country, and in which city, was this photo most likely taken? Study what the image shows, step by step: "
    "writing and language, road markings and signs, vehicles and plates, buildings, plants, light. Then give your best "
    'estimate, with what it rests on, as JSON with these keys and nothing else: "country" (its English name), "city" '
    '(its English name), "reasons" (a list of short sentences). If you cannot tell one of the first two, write '
    '"unknown" there.'
)
BEGUN = '{"country": "'  # how a reply begins, up to the country

# How a reply goes on after a country: JSON after a text, with the quote that ends it, or "Russia, Siberia". Models of
# one vocabulary write the quote and the comma as one token, of another as two: each of these is cut where a token ends
# in all of them. None begins another, so that no reply is counted under two.
_CLOSINGS = ('", "', '","', '",\n', '"\n', '"}', ",", " (")

_NOTHING = frozenset(
    {"", "unknown", "none", "null", "n a", "na", "no", "nil", "unsure", "uncertain", "unclear", "undetermined"}
    | {"not sure", "not available", "not applicable", "not specified", "cannot determine", "cannot be determined"}
)
# What models write beside the name in our table; CLDR's names in other languages are found by `find_country`.
_ALSO = {
    "AE": ("UAE",),
    "CD": ("DR Congo", "Democratic Republic of Congo", "DRC"),
    "CI": ("Côte d'Ivoire", "Cote d'Ivoire"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "GB": ("UK", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"),
    "KR": ("Republic of Korea", "Korea"),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Netherlands",),
    "PS": ("Palestine",),
    "RE": ("Réunion",),
    "RU": ("Russian Federation",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor", "Timor-Leste"),
    "TR": ("Türkiye", "Turkiye"),
    "US": ("USA", "United States of America", "U.S.A.", "US", "U.S."),
    "VA": ("Vatican City",),
    "VN": ("Viet Nam",),
}
_EVASIONS = ("unknown ", "not ", "cannot ", "unable ", "unclear ")  # "Unknown (rural area)"
_LETTERS_OF_A_CODE = re.compile(r"[A-Z]{2,3}")


class GeoAnswer(BaseModel):
    """What the model answered; empty where it did not say."""

    model_config = ConfigDict(frozen=True)

    country: str
    city: str
    reasons: list[str]

    @model_validator(mode="before")
    @classmethod
    def _leniently(cls, value: Any) -> Any:
        """Accept what models write for this form: keys in any case, "reason", a text for a list, "city, country"."""
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            return value
        found = {str(key).strip().casefold(): one for key, one in value.items()}
        if not found.keys() & {"country", "city"}:
            raise ValueError('neither "country" nor "city" is there')
        country, city = _text(found.get("country")), _text(found.get("city"))
        if not country and "," in city:  # "Porto, Portugal"
            city, _, country = (part.strip() for part in city.rpartition(","))
        elif country_of(country) is None and "," in country:
            head, _, tail = (part.strip() for part in country.rpartition(","))
            country, city = tail, city or head
        reasons = found.get("reasons", found.get("reason", found.get("explanation")))
        return {"country": country, "city": city, "reasons": list(_sentences(reasons))}

    @property
    def country_code(self) -> str | None:
        """ISO 3166-1 alpha-2; None where it names no country."""
        return country_of(self.country)

    @property
    def city_name(self) -> str | None:
        """The city; None where the model named none."""
        return None if _is_nothing(name_key(self.city)) else self.city


def prompt(pixels: Pixels, begun: str = "") -> Prompt:
    """Ask about a photo; `begun` is how the reply begins."""
    return Prompt((Turn("user", (pixels, QUESTION)),), begun)


def country_of(written: str) -> str | None:
    """Read a country as models write it: a name in any language, "the" before it, a code; None for "unknown"."""
    text = written.strip().strip(".*\"'")
    key = name_key(text)
    if _is_nothing(key):
        return None
    # Two lower-case letters are a word ("in", "is"), not a code.
    if len(text) > 3 or not text.isascii() or _LETTERS_OF_A_CODE.fullmatch(text):
        found = find_country(text)
        if found:
            return found
    return _written().get(key) or _written().get(key.removeprefix("the "))


@lru_cache(maxsize=1)
def written_names() -> tuple[tuple[str, str], ...]:
    """Names that a model may write for each country, in English, with its code."""
    ours = [(country_name(code).strip(), code) for code in country_codes()]
    return (*ours, *((name, code) for code, names in _ALSO.items() for name in names))


@lru_cache(maxsize=1)
def scored_beginnings() -> tuple[tuple[str, str], ...]:
    """How a reply goes on after `BEGUN` that names a country, with its code: no two can begin the same reply.

    A name alone is the beginning of every reply that gives it, however the model ends it. Where that says too little
    its closings follow: Niger begins Nigeria too, and the last dot of "U.S." may be one token with the quote.
    """
    alone = [(name, code) for name, code in written_names() if not _needs_closing(name, code)]
    closed = [
        (f"{name}{closing}", code)
        for name, code in written_names()
        if (name, code) not in alone
        for closing in _CLOSINGS
    ]
    # "Vatican" counts "Vatican City".
    return tuple((text, code) for text, code in (*alone, *closed) if not _begins_with_another(text, alone))


def _needs_closing(name: str, code: str) -> bool:
    """Whether more follows that is not of this country, or may be one token with what the name ends in."""
    if not name[-1].isalpha():  # tokenizers of byte-level BPE part letters from marks, and no marks from marks
        return True
    longer = [(other[len(name) :], own) for other, own in written_names() if other != name and other.startswith(name)]
    return any(own != code or rest[0].isalpha() for rest, own in longer)


def _begins_with_another(text: str, names: Iterable[tuple[str, str]]) -> bool:
    return any(text != name and text.startswith(name) for name, _ in names)


@lru_cache(maxsize=1)
def _written() -> dict[str, str]:
    return {name_key(name): code for name, code in written_names()}


def _is_nothing(key: str) -> bool:
    return key in _NOTHING or key.startswith(_EVASIONS)


def _text(value: Any) -> str:
    if isinstance(value, list):  # ["France"], and of several the first is meant
        value = value[0] if value else ""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _sentences(value: Any) -> Iterable[str]:
    if isinstance(value, dict):  # {"language": "French signs", ...}
        value = [f"{key}: {one}" for key, one in value.items()]
    for one in value if isinstance(value, list) else [value]:
        if text := _text(one):
            yield text
