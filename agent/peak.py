"""The one point that answers "where?": the one that most of the field's thresholds would call right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats, LatLon, chord_of_km, from_unit_vectors

# Distances at which the field calls a point right for the city, the region and the country (IM2GPS and its successors).
# Of the other two, 1 km is finer than most beliefs are, and 2,500 km hardly depends on where in a country a point lies.
_RIGHT_WITHIN_KM = (25.0, 200.0, 750.0)
_CITY_KM = _RIGHT_WITHIN_KM[0]
_SMALLER_KM = (5.0, 1.0, 0.2)
_HEAVIEST = 200  # cells that are tried: the best point has one of the heaviest near it
_LEFT_OUT = 0.01  # of the belief: far-flung cells, most of all cells, which would take most of the time

_NEAR_A_BORDER = 500  # cells of a country that are looked up on the map, where the likeliest point lies outside it


def peak_in_country(vectors: Floats, mass: Floats, in_country: NDArray[np.intp], code: str) -> LatLon:
    """Find the point among the cells of a country, and so that the map has it there.

    The middle of a cell at a border may lie beyond it, and so may the middle of several.

    Args:
        vectors: Unit vectors of all cells, (n, 3).
        mass: Their probabilities, (n,).
        in_country: Rows of the country's cells.
        code: The country, ISO 3166-1; empty for open water.
    """
    from geosleuth.indexes.regions import countries_at, country_at

    point = _position(peak(vectors, mass, in_country))
    if not code or country_at(*point) == code:
        return point
    heavy = in_country[np.argsort(-mass[in_country])[:_NEAR_A_BORDER]]
    inside = heavy[np.array(countries_at(*from_unit_vectors(vectors[heavy]))) == code]
    if not len(inside):  # a country smaller than the cells: its part of them is all that is known
        return point
    within = _position(peak(vectors, mass, inside))
    return within if country_at(*within) == code else _position(vectors[inside[0]])


def peak(vectors: Floats, mass: Floats, allowed: NDArray[np.intp]) -> Floats:
    """Find the point, among some cells, that is right at most distances, in expectation.

    The fullest circle of a city's size would be the capital whenever a smaller town is in doubt, though the town may be
    likelier at every larger distance. The best cell's own place is taken, which is where most people of a city live,
    and not the middle of the circle, which suburbs draw aside; and where most of the circle's mass lies within a
    smaller one, the middle of that.

    Args:
        vectors: Unit vectors of all cells, (n, 3).
        mass: Their probabilities, (n,).
        allowed: Rows of the cells where the point may lie, at least one.

    Returns:
        A unit vector, (3,).
    """
    tried = vectors[allowed[np.argsort(-mass[allowed])[:_HEAVIEST]]]
    lightest_first = np.argsort(mass)
    held = lightest_first[np.searchsorted(np.cumsum(mass[lightest_first]), _LEFT_OUT) :]
    # Single precision: half of the time, and exact to 0.3 km at 25 km.
    squares, of_each = (
        _squares(tried.astype(np.float32), vectors[held].astype(np.float32)),
        mass[held].astype(np.float32),
    )
    right = sum((squares <= chord_of_km(km) ** 2).astype(np.float32) @ of_each for km in _RIGHT_WITHIN_KM)
    centre = tried[int(np.argmax(right))]
    vectors, mass = _near(centre, vectors[allowed], mass[allowed])
    full = float(mass.sum())
    for km in _SMALLER_KM:
        vectors, mass = _near(centre, vectors, mass)
        smaller, inside = _fullest_circle(vectors, mass, km)
        if inside < 0.5 * full:
            break
        centre, full = smaller, inside
    return np.asarray(centre, dtype=np.float64)


def _position(vector: Floats) -> LatLon:
    lat, lon = from_unit_vectors(vector)
    return LatLon(float(lat), float(lon))


def _squares(some: Floats, vectors: Floats) -> Floats:
    """Squared chords, exact to 0.1 km: enough for circles; a little less, so that a cell is always near itself."""
    return np.asarray(2.0 - 2.0 * (some @ vectors.T) - 1e-9)


def _near(centre: Floats, vectors: Floats, mass: Floats) -> tuple[Floats, Floats]:
    near = _squares(centre, vectors) <= chord_of_km(_CITY_KM) ** 2
    return vectors[near], mass[near]


def _fullest_circle(vectors: Floats, mass: Floats, km: float) -> tuple[Floats, float]:
    """Middle (a unit vector) and mass of the circle of `km` that holds most, around a heavy cell."""
    near = _squares(vectors[np.argsort(-mass)[:_HEAVIEST]], vectors) <= chord_of_km(km) ** 2
    inside = near[int(np.argmax(near @ mass))]
    return _middle(vectors[inside], mass[inside]), float(mass[inside].sum())


def _middle(vectors: Floats, mass: Floats) -> Floats:
    middle = mass @ vectors
    return np.asarray(middle / np.linalg.norm(middle))
