"""Countries with their borders widened by a distance on the ground, cut at the date line."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats
from geosleuth.indexes.regions import load_countries

_CHUNK_DEGREES = 4.0  # borders are buffered in pieces this long: a flat map of one is true to 0.1 %
_EDGE_DEGREES = 1.0  # longer edges are divided first


@lru_cache(maxsize=1)
def _shapes() -> dict[str, Any]:
    frame = load_countries()
    return dict(zip(frame["code"], frame.geometry, strict=True))


@lru_cache(maxsize=256)  # every country once, for the usual buffer
def buffered_country(code: str, buffer_km: float) -> Any:
    """Widen a country's polygon by a distance on the ground, cut at the date line; in degrees (lon, lat)."""
    import shapely

    country = _shapes()[code]
    if buffer_km == 0.0:
        return country
    strips = [buffered_line(piece, buffer_km) for piece in _border_pieces(country)]
    return shapely.union_all([country, *strips])


def _border_pieces(country: Any) -> list[Floats]:
    """Cut the rings of a polygon into lines of a few degrees, each (n, 2) in (lon, lat)."""
    import shapely

    pieces: list[Floats] = []
    for ring in shapely.get_rings(shapely.get_parts(shapely.segmentize(country, _EDGE_DEGREES))):
        points = shapely.get_coordinates(ring)
        steps = np.hypot(*np.diff(points, axis=0).T)
        chunk = (np.concatenate([[0.0], steps.cumsum()])[:-1] // _CHUNK_DEGREES).astype(int)
        first = np.flatnonzero(np.diff(chunk, prepend=-1))
        pieces.extend(points[a : b + 1] for a, b in zip(first, [*first[1:], len(points) - 1], strict=True))
    return pieces


def buffered_line(points: Floats, buffer_km: float) -> Any:
    """Widen a line of a few degrees, (n, 2) in (lon, lat), on an azimuthal equidistant map around its middle.

    A strip that would hold a pole is a cap of latitudes instead, which is somewhat larger.
    """
    import shapely

    reach = math.degrees(buffer_km / EARTH_RADIUS_KM)
    low, high = float(points[:, 1].min()) - reach, float(points[:, 1].max()) + reach
    if high >= 90.0 or low <= -90.0:
        return shapely.box(-180.0, max(low, -90.0), 180.0, min(high, 90.0))
    center = points[len(points) // 2]
    strip = shapely.buffer(shapely.linestrings(_to_map(points, center)), buffer_km)
    unrolled = shapely.transform(strip, lambda xy: _from_map(xy, center))
    world = shapely.box(-180.0, -90.0, 180.0, 90.0)
    sides = [shapely.transform(unrolled, lambda xy, by=by: xy + np.array([by, 0.0])) for by in (-360.0, 0.0, 360.0)]
    return shapely.union_all(shapely.intersection(sides, world))


def _to_map(points: Floats, center: Floats) -> Floats:
    """Project (lon, lat) to km east and north of a center: Snyder, Map Projections, equations 22-4 and 5-3."""
    phi, phi0 = np.radians(points[:, 1]), math.radians(center[1])
    lam = np.radians(points[:, 0] - center[0])
    x = np.cos(phi) * np.sin(lam)
    y = math.cos(phi0) * np.sin(phi) - math.sin(phi0) * np.cos(phi) * np.cos(lam)
    z = math.sin(phi0) * np.sin(phi) + math.cos(phi0) * np.cos(phi) * np.cos(lam)
    flat = np.hypot(x, y)
    scale = EARTH_RADIUS_KM * np.arctan2(flat, z) / np.maximum(flat, 1e-15)
    return np.stack([x * scale, y * scale], axis=1)


def _from_map(xy: Floats, center: Floats) -> Floats:
    """Bring km east and north of a center back to (lon, lat); longitudes run on beyond 180."""
    phi0 = math.radians(center[1])
    distance = np.maximum(np.hypot(xy[:, 0], xy[:, 1]), 1e-12)
    angle = distance / EARTH_RADIUS_KM
    north, east = xy[:, 1] / distance, xy[:, 0] / distance
    phi = np.arcsin(np.clip(np.cos(angle) * math.sin(phi0) + north * np.sin(angle) * math.cos(phi0), -1.0, 1.0))
    lam = np.arctan2(
        east * np.sin(angle), math.cos(phi0) * np.cos(angle) - north * math.sin(phi0) * np.sin(angle)
    )  # of the same sign as the way east, so continuous around the center
    return np.stack([np.degrees(lam) + center[0], np.degrees(phi)], axis=1)
