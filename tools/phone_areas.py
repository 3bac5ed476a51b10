"""The towns that telephone prefixes belong to.

Source: libphonenumber's geocoding data (package phonenumbers), English names, compiled into one small trie: the package
itself takes seconds and 100 MB to import.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geosleuth.indexes.compiled import compiled_folder
from geosleuth.indexes.gazetteer import Place, load_gazetteer

_LAYOUT = "1"
_TAIL = re.compile(r"\s*(?:[,(/]| - | and ).*$")  # "Oshawa, ON", "Istanbul (Europe)", "Franco da Rocha - SP"


def town_of_number(digits: str, country: str) -> Place | None:
    """Return the largest place of a country that a prefix is named after; None for mobile and unlisted numbers.

    Args:
        digits: The international number without "+" ("493012345").
        country: Its country (ISO 3166-1 alpha-2).
    """
    prefixes = _areas().prefixes(digits)
    if not prefixes:
        return None
    name = _TAIL.sub("", _areas()[max(prefixes, key=len)][0].decode())
    places = [match.place for match in load_gazetteer().lookup(name) if match.place.country == country]
    return max(places, key=lambda place: place.population, default=None)


@lru_cache(maxsize=1)
def _areas() -> Any:
    import marisa_trie

    folder = compiled_folder("phone_areas", [_LAYOUT, version("phonenumbers")], _build)
    return marisa_trie.BytesTrie().mmap(str(folder / "areas.marisa"))


def _build(folder: Path) -> None:
    import marisa_trie
    from phonenumbers.geodata import GEOCODE_DATA

    rows = [(prefix, names["en"].encode()) for prefix, names in GEOCODE_DATA.items() if names.get("en")]
    marisa_trie.BytesTrie(rows).save(str(folder / "areas.marisa"))
