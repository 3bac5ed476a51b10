"""Spherical Voronoi cells as polygons: what is nearer to one centre than to any other, on the ground.

Each cell is cut out of the eight octants of the Earth by the planes half-way to its neighbours: great circles, exact.
Octants end at 180 degrees and at the poles, so the polygons are cut there by themselves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geosleuth.indexes.geodesy import Floats, from_unit_vectors, unit_vectors

_STEP_DEGREES = 0.2  # great circles are drawn as chords this long: 10 m beside them at 45 degrees, 110 m at 85
_SEAM = 1e-9  # degrees (0.1 mm): the two sides of a seam between octants are rounded to the same points


def voronoi_cell(centres: Floats, index: int) -> Any:
    """Draw the cell of one of the unit vectors (k, 3): a polygon or multipolygon in (lon, lat) degrees."""
    import shapely

    centre = centres[index]
    others = np.delete(centres, index, axis=0)
    squared = ((others - centre) ** 2).sum(axis=1)
    order = np.argsort(squared, kind="stable")
    planes, chords = (centre - others)[order], np.sqrt(squared[order])
    parts = []
    for west in (-180.0, -90.0, 0.0, 90.0):
        for pole in (90.0, -90.0):
            corners = unit_vectors([0.0, 0.0, pole], [west, west + 90.0, west])
            corners = _clip(corners, centre, planes, chords)
            if len(corners) >= 3:
                parts.append(shapely.make_valid(shapely.Polygon(_outline(corners, west))))
    return shapely.union_all(np.array(parts, dtype=object), grid_size=_SEAM)


def _clip(corners: Floats, centre: Floats, planes: Floats, chords: Floats) -> Floats:
    """Cut a convex spherical polygon (n, 3) by half-spaces, nearest neighbour first (Sutherland and Hodgman, 1974)."""
    for plane, chord in zip(planes, chords, strict=True):
        if not len(corners) or chord > 2.0 * np.sqrt(((corners - centre) ** 2).sum(axis=1).max()) + 1e-9:
            break  # this neighbour, and all that are farther, are too far from every corner to cut
        side = corners @ plane
        if (side >= 0.0).all():
            continue
        kept: list[Floats] = []
        for a, b, at_a, at_b in zip(corners, np.roll(corners, -1, axis=0), side, np.roll(side, -1), strict=True):
            if at_a >= 0.0:
                kept.append(a)
            if (at_a >= 0.0) != (at_b >= 0.0):
                crossing = a * abs(at_b) + b * abs(at_a)
                kept.append(crossing / np.linalg.norm(crossing))
        corners = np.array(kept).reshape(-1, 3)
    return corners


def _outline(corners: Floats, west: float) -> Floats:
    """Points (m, 2) in (lon, lat) along the edges of a polygon inside the octant that begins at `west`."""
    points: list[Floats] = []
    for i, a in enumerate(corners):
        b = corners[(i + 1) % len(corners)]
        if (
            math.hypot(a[0], a[1]) < 1e-12
        ):  # the pole is a line on the map: from one neighbour's meridian to the other's
            ends = _lons(np.array([corners[i - 1], b]), west)
            points.append(np.stack([ends, np.full(2, math.copysign(90.0, a[2]))], axis=1))
        else:
            points.append(_arc(a, b, west))
    return np.concatenate(points)


def _lons(vectors: Floats, west: float) -> Floats:
    """Longitudes of vectors (n, 3) in an octant: what rounding puts beyond its meridians is put on them."""
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    return np.asarray(west + np.clip((lon - west + 45.0) % 360.0 - 45.0, 0.0, 90.0))


def _arc(a: Floats, b: Floats, west: float) -> Floats:
    """Points from a towards b on their great circle, without b."""
    angle = 2.0 * math.asin(min(1.0, float(np.linalg.norm(b - a)) / 2.0))
    t = np.arange(steps := max(1, math.ceil(math.degrees(angle) / _STEP_DEGREES)))[:, None] / steps
    along = a * (1.0 - t) + b * t  # on the chord, which lies above the great circle
    lats, _ = from_unit_vectors(along)
    return np.stack([_lons(along, west), lats], axis=1)
