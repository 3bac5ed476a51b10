"""Which part of the world a map shows: all of a region, on whichever side of the date line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization

Bounds = tuple[float, float, float, float]  # west, south, east, north; west may be below -180 or east above 180

WORLD: Bounds = (-170.0, -56.0, 190.0, 72.0)  # inhabited land; the date line is at the edge
_TILE_PX = 512  # the side of the world at zoom 0, in deck.gl
_WIDTH_PX = 340  # of the map on a phone; a wide page shows more around it
_MARGIN = 0.85  # share of the map that the region fills
_CLOSEST = 13.0  # zoom; nearer there is nothing drawn to see
_LEAST_DEG = 0.02  # 2 km: the view of a point
_MOST_LAT = 84.0  # the projection has no poles


class View(NamedTuple):
    """Where the map looks."""

    lat: float
    lon: float  # in [-180, 180]
    zoom: float
    bounds: Bounds


def view_of(answer: Localization, height_px: int) -> View:
    """Fit the region that a report's map is fitted to as well, and the point; the world where nothing is known."""
    from geosleuth.agent.report.map_window import shown_region

    region = shown_region(answer)
    rings = [] if region is None else list(outer_rings(region.geometry.coordinates))
    if answer.point is not None:
        rings.append([(answer.point.lon, answer.point.lat)])
    if answer.status == "not_locatable" or not rings:
        return _fitted(WORLD, height_px)
    return _fitted(bounds_of(rings), height_px)


def bounds_of(rings: Sequence[Sequence[tuple[float, float]]]) -> Bounds:
    """Return the narrowest box around rings of (lon, lat); east is above 180 where the date line is inside.

    The widest gap between the rings, going round the world, is what the box leaves out.
    """
    spans = sorted((min(x for x, _ in ring), max(x for x, _ in ring)) for ring in rings)
    south = min(y for ring in rings for _, y in ring)
    north = max(y for ring in rings for _, y in ring)
    gaps, reached = [], spans[0][1]
    for west, east in spans[1:]:
        gaps.append((west - reached, west, reached))
        reached = max(reached, east)
    gaps.append((spans[0][0] + 360.0 - reached, spans[0][0], reached))
    gap, west, east = max(gaps)
    if gap <= 0:
        return -180.0, south, 180.0, north
    return west, south, east + 360.0 if east < west else east, north


def outer_rings(coordinates: list[Any]) -> Iterable[list[tuple[float, float]]]:
    """Yield the outer ring of each polygon of a Polygon's or MultiPolygon's coordinates."""
    polygons = coordinates if isinstance(coordinates[0][0][0], list | tuple) else [coordinates]
    for polygon in polygons:
        yield [(float(x), float(y)) for x, y, *_ in polygon[0]]


def _fitted(bounds: Bounds, height_px: int) -> View:
    west, south, east, north = bounds
    low, high = _mercator(max(south, -_MOST_LAT)), _mercator(min(north, _MOST_LAT))
    wide, tall = max(east - west, _LEAST_DEG) / 360.0, max(high - low, _LEAST_DEG / 360.0)
    zoom = math.log2(_MARGIN * min(_WIDTH_PX / wide, height_px / tall) / _TILE_PX)
    lon = ((west + east) / 2 + 180.0) % 360.0 - 180.0
    lat = math.degrees(2 * math.atan(math.exp((low + high) * math.pi)) - math.pi / 2)
    return View(lat=lat, lon=lon, zoom=min(max(zoom, 0.0), _CLOSEST), bounds=bounds)


def _mercator(lat: float) -> float:
    """Return how far north a latitude is drawn, in heights of the world from the equator."""
    return math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)
