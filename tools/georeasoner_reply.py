"""GeoReasoner's question and answer: country, city and reasons as JSON, read leniently (arXiv 2406.18572).

The wording is ours; what it asks for and the keys are the paper's, so that adapters trained on it answer as trained.
An adapter that was taught the street level writes "lat" and "lon", or "cell", after the city: the question is the same,
and the reply's keys tell.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from geosleuth.indexes.countries import country_codes, country_name, find_country, name_key
from geosleuth.indexes.geodesy import LatLon
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
UNKNOWN = "unknown"  # what the question asks to write in place of a country or a city
CELL_RESOLUTION = 8  # of H3: its cells' edges are 0.53 km, so that their middle is within the 1 km of "street level"
# A cell's middle stands for all of it. Those of resolution 5 have edges of 10 km, below the 12 km that the finest
# share of models' points errs by (prior_likelihood.ERRORS); coarser ones would be taken for more than they say.
_COARSEST_CELL = 5

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
_CELL = re.compile(r"8[0-9a-f]{14}")  # of H3, as text
_LETTERS_OF_A_CODE = re.compile(r"[A-Z]{2,3}")
_LAT_KEYS = ("lat", "latitude")
_LON_KEYS = ("lon", "lng", "longitude")


def _optional() -> Any:
    """A field that is left out, never null: some servers' grammars know no null beside a number."""

    def without_default(schema: dict[str, Any]) -> None:
        schema.pop("default", None)

    return Field(default=None, json_schema_extra=without_default)


class GeoAnswer(BaseModel):
    """What the model answered; empty where it did not say."""

    model_config = ConfigDict(frozen=True)

    country: str
    city: str
    # Not required, so that servers which decode under the schema let other models leave them out.
    lat: float | SkipJsonSchema[None] = _optional()
    lon: float | SkipJsonSchema[None] = _optional()
    cell: str | SkipJsonSchema[None] = _optional()  # of H3
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
        place = {"lat": _number(found, _LAT_KEYS), "lon": _number(found, _LON_KEYS)}
        cell = _text(found.get("cell")) or None
        return {"country": country, "city": city, **place, "cell": cell, "reasons": list(_sentences(reasons))}

    @property
    def country_code(self) -> str | None:
        """ISO 3166-1 alpha-2; None where it names no country."""
        return country_of(self.country)

    @property
    def city_name(self) -> str | None:
        """The city; None where the model named none."""
        return None if _is_nothing(name_key(self.city)) else self.city

    @property
    def is_silent(self) -> bool:
        """Whether it names no country at all, not even one that there is not."""
        return _is_nothing(name_key(self.country))

    @property
    def has_street_level(self) -> bool:
        """Whether it gives coordinates or a cell, usable or not."""
        return not (self.lat is None and self.lon is None and self.cell is None)

    @property
    def position(self) -> LatLon | None:
        """Where a street-level answer puts the photo: its coordinates, else its cell's middle; None where nowhere.

        Values that are no position, and cells too coarse to be one, count as none.
        """
        if self.lat is not None and self.lon is not None:
            return LatLon(self.lat, self.lon) if abs(self.lat) <= 90 and abs(self.lon) <= 180 else None
        return None if self.cell is None else _middle(self.cell)


def written(
    country: str | None,
    city: str | None,
    *,
    lat: float | None = None,
    lon: float | None = None,
    cell: str | None = None,
    reasons: Sequence[str] | None = None,
) -> str:
    """Write the answer as a taught model is to give it: JSON that begins with `BEGUN`, keys in one order.

    Args:
        country: ISO 3166-1 alpha-2; its English name is written, in the spelling that `scored_beginnings` counts.
        city: As it is to be written.
        lat: With `lon`, in degrees; written to four decimals, 11 m.
        lon: See `lat`.
        cell: Of H3.
        reasons: None leaves the key out, as in the answers of the paper's second stage.
    """
    pieces = [f'"country": {_quoted(country_name(country).strip() if country else UNKNOWN)}']
    pieces.append(f'"city": {_quoted(city or UNKNOWN)}')
    if lat is not None and lon is not None:
        pieces += [f'"lat": {lat:.4f}', f'"lon": {lon:.4f}']
    if cell is not None:
        pieces.append(f'"cell": {_quoted(cell)}')
    if reasons is not None:
        pieces.append(f'"reasons": {json.dumps(list(reasons), ensure_ascii=False)}')
    return "{" + ", ".join(pieces) + "}"


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


def _number(found: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    """The number under the first of the keys that is there; None where it is none."""
    value = next((found[key] for key in keys if key in found), None)
    try:
        number = float(_text(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _middle(cell: str) -> LatLon | None:
    import h3

    token = cell.strip().lower()
    if not _CELL.fullmatch(token) or not h3.is_valid_cell(token) or h3.get_resolution(token) < _COARSEST_CELL:
        return None
    return LatLon(*h3.cell_to_latlng(token))


def _sentences(value: Any) -> Iterable[str]:
    if isinstance(value, dict):  # {"language": "French signs", ...}
        value = [f"{key}: {one}" for key, one in value.items()]
    for one in value if isinstance(value, list) else [value]:
        if text := _text(one):
            yield text
