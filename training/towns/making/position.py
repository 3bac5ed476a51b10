"""Where on Earth a town is put: near a populated place of its style's country.

Towns of one place may overlap on Earth: a country has a few dozen to some thousands of places, and seeds go round them.
Two towns at one spot are told apart by their seeds, not by their positions.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.polygons import load_areas
from geosleuth.indexes.regions import RegionIndex, country_at
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.making.styles import STYLES
from geosleuth.training.towns.town import EARTH_RADIUS_M, SIDES_M

LEAST_PEOPLE = 5000  # a town has streets; below it GeoNames' places are often single farms
_SHIFT_M = 2500.0  # off the place's own centre, so that no invented town lies on a real one's market square
_TRIES = 40  # shifts that may fall into water or over a border; then the next place is tried
_STRIDE = (
    7919  # a prime above all counts of places per country that it meets as a divisor: seeds skip from city to city
)


def style_of_seed(seed: int) -> Style:
    """Return the style that a seed draws; seeds that follow each other have different countries.

    Raises:
        InputError: The seed is negative.
    """
    if seed < 0:
        raise InputError("a seed from 0 on", str(seed), "Name a natural number.")
    return STYLES[int(np.random.default_rng(seed // len(STYLES)).permutation(len(STYLES))[seed % len(STYLES)])]


def origin_of(seed: int, style: Style) -> LatLon:
    """Return the south-west corner of a seed's town: the largest town there has its corners on land of the country."""
    rows, turn = _places(style.country), seed // len(STYLES)
    gazetteer = load_gazetteer()
    first = turn * _STRIDE if len(rows) % _STRIDE else turn
    rng = np.random.default_rng((seed, 1))
    for step in range(len(rows)):
        row = rows[(first + step) % len(rows)]
        centre = LatLon(float(gazetteer.lat[row]), float(gazetteer.lon[row]))
        for _ in range(_TRIES):
            angle = rng.uniform(0.0, 2.0 * np.pi)
            away = _SHIFT_M * np.sqrt(rng.uniform(0.05, 1.0))
            found = _moved(centre, away * np.cos(angle), away * np.sin(angle))
            if _has_room(found, style.country):
                return found
    raise ValueError(f"no place of {style.country} has land around it")


def _has_room(origin: LatLon, country: str) -> bool:
    """Whether the corners of the largest town, and so those of a common one nearly always, lie in the country."""
    side = SIDES_M[1]
    return all(_on_land(_moved(origin, north, east), country) for north in (0.0, side) for east in (0.0, side))


@cache
def _places(country: str) -> NDArray[np.int64]:
    gazetteer = load_gazetteer()
    chosen = gazetteer.country == gazetteer.country_codes.index(country)
    return np.flatnonzero(chosen & (gazetteer.population >= LEAST_PEOPLE))


@cache
def _land() -> RegionIndex:
    return RegionIndex(load_areas("divisions"))


def _on_land(point: LatLon, country: str) -> bool:
    land = _land()
    owner = land.holding(np.array([point.lat]), np.array([point.lon]))[1]
    return any(land.codes[o][:2] == country for o in owner) and country_at(point.lat, point.lon) == country


def _moved(point: LatLon, north_m: float, east_m: float) -> LatLon:
    lat = point.lat + np.degrees(north_m / EARTH_RADIUS_M)
    lon = point.lon + np.degrees(east_m / (EARTH_RADIUS_M * np.cos(np.radians(point.lat))))
    return LatLon(float(lat), float(lon))
