"""Make tools/data/brands.tsv.gz from OpenStreetMap's name-suggestion-index.

The index (BSD-3-Clause) lists brands and operators with the countries in which they are found, and how often the
commoner ones stand in OpenStreetMap. Run it when the index has a new version; its output is committed:

    mkdir sources && cd sources
    npm pack name-suggestion-index@8.0.20260918 @rapideditor/country-coder@5.6.1   # two .tgz files, 24 MB
    python -m geosleuth.training.brands.build --sources . --out ../tools/data

Columns: normalised name, times seen in OpenStreetMap (0: fewer than 50), countries. It takes 20 seconds.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.countries import country_codes
from geosleuth.indexes.gazetteer import normalise_name
from geosleuth.indexes.regions import countries_at
from geosleuth.training.regions.build import read_packed

logger = logging.getLogger(__name__)

_TREES = ("brands", "operators")  # transit lines are numbers and towns, flags have no text
# Masts, chargers, cash machines: listed for the whole world by habit, and their boards seldom bear the name in large.
_NO_SIGNS = (
    *("advertising/", "man_made/", "power/", "pipeline/", "telecom/", "amenity/charging_station", "amenity/atm"),
    *("amenity/vending_machine", "amenity/toilets", "amenity/parking", "amenity/waste", "amenity/recycling"),
)
_SPECIAL = {"northern cyprus": "CY", "mainland china": "CN", "crimea": "UA", "sba": "GB", "khm": "KH", "eth": "ET"}
_WORLDWIDE = 40  # a name in more countries tells next to nothing
_SHORTEST = {"brands": 3, "operators": 5}  # letters; operators are full of initials
_LEAST_IN_POLYGON = 0.05  # of a custom polygon's corners, for a country to count as inside


_NOT_NAMES = (":wikidata", ":wikipedia", ":type", ":website")
_PLACE = re.compile(r"\s*\([^)]*\)$")  # "3 Store (Ireland)"


class Places:
    """Turns the index's location sets into countries."""

    def __init__(self, borders: dict[str, Any], custom: dict[str, Any]) -> None:
        self.codes = set(country_codes())
        self.groups: dict[str, set[str]] = defaultdict(set)
        for feature in borders["features"]:
            facts = feature["properties"]
            code = facts.get("iso1A2") or facts.get("country")
            if code in self.codes:
                for group in facts.get("groups", ()):
                    self.groups[group.casefold()].add(code)
        self.custom = {f["id"].casefold(): f["geometry"] for f in custom["features"]}
        self.known: dict[str, frozenset[str]] = {}

    def countries(self, location: Any) -> frozenset[str]:
        """Countries of one entry of a location set; empty where it cannot be told."""
        if not isinstance(location, str):  # a circle: [lon, lat, radius]
            return self._inside([(float(location[0]), float(location[1]))])
        name = location.casefold()
        if name not in self.known:
            self.known[name] = self._countries(name)
        return self.known[name]

    def _countries(self, name: str) -> frozenset[str]:
        if name in self.custom:
            return self._inside(list(_corners(self.custom[name]["coordinates"])))
        code = _SPECIAL.get(name, name[:2].upper() if re.fullmatch(r"[a-z]{2}(-[a-z0-9]+)?", name) else "")
        if code in self.codes:
            return frozenset({code})
        return frozenset(self.groups.get(name, ()))

    def _inside(self, corners: list[tuple[float, float]]) -> frozenset[str]:
        lon, lat = np.array(corners).T
        counts = Counter(str(code) for code in countries_at(lat, lon) if code)
        return frozenset(code for code, n in counts.items() if n >= _LEAST_IN_POLYGON * len(corners))


def _corners(coordinates: Any) -> Iterator[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        yield (coordinates[0], coordinates[1])
    else:
        for part in coordinates:
            yield from _corners(part)


def _names(item: dict[str, Any]) -> Iterator[str]:
    tags = item["tags"]
    yield item["displayName"]
    for tag in ("name", "brand", "operator", "short_name"):
        yield from (
            value
            for key, value in tags.items()
            if key == tag or (key.startswith(f"{tag}:") and not key.endswith(_NOT_NAMES))
        )


def brand_rows(nsi: dict[str, Any], seen: dict[str, int], places: Places) -> list[tuple[str, int, tuple[str, ...]]]:
    """One row per normalised name: (name, times seen, countries)."""
    countries: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    everywhere: set[str] = set()
    for path, category in nsi.items():
        tree = path.split("/")[0]
        if tree not in _TREES or path.split("/", 1)[1].startswith(_NO_SIGNS):
            continue
        for item in category["items"]:
            where = _where(item["locationSet"], places)
            for key in {normalise_name(_PLACE.sub("", name)) for name in _names(item)}:
                if sum(char.isalpha() for char in key) < _SHORTEST[tree] and key.isascii():
                    continue
                if where is None:
                    everywhere.add(key)
                else:
                    countries[key] |= where
    for entry, count in seen.items():
        counts[normalise_name(entry.partition("|")[2])] += count
    return [
        (key, counts[key], tuple(sorted(where)))
        for key, where in sorted(countries.items())
        if key not in everywhere and 0 < len(where) <= _WORLDWIDE
    ]


def _where(location_set: dict[str, Iterable[Any]], places: Places) -> set[str] | None:
    """Countries of a location set; None for the whole world."""
    include = list(location_set.get("include", ["001"]))
    if "001" in include:
        return None
    found = {code for entry in include for code in places.countries(entry)}
    return found - {
        c for entry in location_set.get("exclude", ()) if len(str(entry)) == 2 for c in places.countries(entry)
    }


def main(argv: list[str] | None = None) -> None:
    """Read the two packages in --sources and write the table to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, required=True, help="folder with the two .tgz files")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table, tools/data in a checkout")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    package = "name-suggestion-index"
    nsi = read_packed(arguments.sources, package, "dist/json/nsi.min.json")["nsi"]
    custom = read_packed(arguments.sources, package, "dist/json/featureCollection.min.json")
    seen = read_packed(arguments.sources, package, "dist/json/filtered/brands_keep.min.json")["keep"]
    borders = read_packed(arguments.sources, "rapideditor-country-coder", "src/data/borders.json")
    rows = brand_rows(nsi, seen, Places(borders, custom))
    text = "".join(f"{name}\t{count}\t{' '.join(where)}\n" for name, count, where in rows)
    path = arguments.out / "brands.tsv.gz"
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))
    logger.info("%d names, %d bytes in %s", len(rows), path.stat().st_size, path)


if __name__ == "__main__":
    main()
