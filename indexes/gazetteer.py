"""Places of the world by name and by position: 234,908 of GeoNames, with alternate names in all scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.compiled import compiled_folder
from geosleuth.indexes.confusions import misreadings
from geosleuth.indexes.gazetteer_source import ALTERNATE, build_gazetteer, version_parts
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, LatLon, unit_vectors
from geosleuth.indexes.place_keys import normalise_name

__all__ = ["Gazetteer", "Match", "NameKind", "Place", "load_gazetteer", "normalise_name"]

# People per km2 of a city. A judgement: Berlin has 4,100 on its own area (3.7 M on 892 km2), London 5,600. Denser
# cities are named a little beyond their edge.
URBAN_DENSITY = 4000.0
SMALLEST_RADIUS_KM = 1.0  # a hamlet with its fields; also places whose population is given as 0


class NameKind(StrEnum):
    """How a name belongs to its place."""

    MAIN = "main"
    ALTERNATE = "alternate"
    DIVISION = "division"  # a first-level division; its position is the centre of its people


@dataclass(frozen=True, slots=True)
class Place:
    """A populated place, or a first-level division."""

    id: int  # of GeoNames
    name: str
    lat: float
    lon: float
    country: str  # ISO 3166-1 alpha-2
    admin1: str  # GeoNames' code of the first-level division, unique within the country
    population: int  # 0 where unknown

    @property
    def position(self) -> LatLon:
        """The centre."""
        return LatLon(self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a name may mean."""

    place: Place
    name_kind: NameKind
    price: float = 0.0  # nats: -ln of the share of readings that are garbled so
    key: str = ""  # the normalised name that matched


class Gazetteer:
    """The compiled tables in `folder`, memory-mapped.

    Attributes:
        lat, lon: float32 (n,), degrees; rows are in descending order of population. Divisions are not among them.
        population: int32 (n,).
        country: uint8 (n,), index into `country_codes`.
        country_codes: ISO 3166-1 alpha-2, sorted.
    """

    def __init__(self, folder: Path) -> None:
        import marisa_trie

        def table(column: str) -> NDArray[Any]:
            array: NDArray[Any] = np.load(folder / f"{column}.npy", mmap_mode="r")
            return array

        self.lat, self.lon, self.population, self.country = (table(c) for c in ("lat", "lon", "population", "country"))
        self._id, self._admin1, self._vectors = table("id"), table("admin1"), table("vectors")
        codes = json.loads((folder / "codes.json").read_text(encoding="utf-8"))
        self.country_codes: tuple[str, ...] = tuple(codes["country"])
        self._admin1_codes: list[str] = codes["admin1"]
        self._text_offsets = table("text_offsets")
        self._text = np.memmap(folder / "text.bin", np.uint8, "r")
        self._names = marisa_trie.Trie().mmap(str(folder / "names.marisa"))
        self._name_offsets, self._name_places = table("name_offsets"), table("name_places")
        divisions = [Place(**d) for d in json.loads((folder / "divisions.json").read_text(encoding="utf-8"))]
        self._divisions = {normalise_name(d.name): d for d in divisions}

    def __len__(self) -> int:
        return len(self.lat)

    def __repr__(self) -> str:
        return f"Gazetteer({len(self)} places, {len(self._names)} names, {len(self.country_codes)} countries)"

    def place(self, row: int) -> Place:
        """Return the place of one row of the arrays."""
        start, end = self._text_offsets[row : row + 2]
        return Place(
            int(self._id[row]),
            self._text[start:end].tobytes().decode(),
            round(float(self.lat[row]), 5),
            round(float(self.lon[row]), 5),
            self.country_codes[self.country[row]],
            self._admin1_codes[self._admin1[row]],
            int(self.population[row]),
        )

    def lookup(self, name: str) -> list[Match]:
        """Return every place that bears the name, the most populous first; case, accents, punctuation do not count."""
        return self._matches(normalise_name(name), 0.0)

    def lookup_fuzzy(self, name: str, max_price: float) -> list[Match]:
        """Return the places whose name the recogniser may have read as `name`, the cheapest first.

        Exact matches are among them at price 0. Names of fewer than `MIN_LETTERS` letters match exactly only.
        """
        key = normalise_name(name)
        return [
            m for spelling, price in misreadings(self._names, key, max_price) for m in self._matches(spelling, price)
        ]

    def _matches(self, key: str, price: float) -> list[Match]:
        matches = []
        if key in self._names:
            key_id = self._names.key_id(key)
            start, end = self._name_offsets[key_id : key_id + 2]
            for reference in self._name_places[start:end].tolist():
                kind = NameKind.ALTERNATE if reference & ALTERNATE else NameKind.MAIN
                matches.append(Match(self.place(reference & ~int(ALTERNATE)), kind, price, key))
        if division := self._divisions.get(key):
            matches.append(Match(division, NameKind.DIVISION, price, key))
            matches.sort(key=lambda match: -match.place.population)
        return matches

    def _distances_km(self, lat: float, lon: float) -> NDArray[np.float32]:
        """Distances to all places, (n,), from differences of float32 vectors: exact to a metre, unlike dot products."""
        squares = np.zeros(len(self), np.float32)
        for axis, coordinate in zip(self._vectors, unit_vectors(lat, lon).astype(np.float32), strict=True):
            squares += (axis - coordinate) ** 2
        return (2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.sqrt(squares) / 2, 1))).astype(np.float32)

    def nearest(self, lat: float, lon: float, k: int = 1) -> list[tuple[Place, float]]:
        """Return the k nearest places with their distances in km, the nearest first."""
        distances = self._distances_km(lat, lon)
        k = min(k, len(self))
        rows = np.argpartition(distances, k - 1)[:k]
        return [(self.place(row), float(distances[row])) for row in rows[np.argsort(distances[rows], kind="stable")]]

    def city_of(self, lat: float, lon: float) -> tuple[Place, float]:
        """Return the place that a person would name for a point, and its distance in km.

        A place reaches as far as its people take up at `URBAN_DENSITY`. Where the point is within no place's reach,
        the place that is fewest reaches away is named; else the largest of those that reach it and lie in the same
        first-level division as that place (Potsdam is not Berlin, Brooklyn is New York).
        """
        distances = self._distances_km(lat, lon)
        ratio = distances / self._reach_km
        closest = int(np.argmin(ratio))
        if ratio[closest] > 1:
            return self.place(closest), float(distances[closest])
        rows = np.flatnonzero(ratio <= 1)
        same = (self.country[rows] == self.country[closest]) & (self._admin1[rows] == self._admin1[closest])
        row = int(rows[same][0])  # rows are in order of population
        return self.place(row), float(distances[row])

    @property
    def _reach_km(self) -> NDArray[np.float32]:
        radius = np.sqrt(self.population / (URBAN_DENSITY * np.pi))
        return np.maximum(radius, SMALLEST_RADIUS_KM).astype(np.float32)


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """Open the gazetteer, compiling it on first use (5 s)."""
    return Gazetteer(compiled_folder("gazetteer", version_parts(), build_gazetteer))
