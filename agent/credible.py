"""Credible regions: the smallest area that holds a share of the belief, and its outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.cells import Cells, centres, children, parents, resolutions
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

MOST_CELLS = 1000  # an outline of more is drawn in coarser cells: a megabyte of GeoJSON helps nobody


@dataclass(frozen=True)
class Region:
    """A credible region."""

    share: float  # of the belief inside
    area_km2: float  # of the region itself; the outline may be drawn in coarser cells, and then covers more
    geometry: BaseGeometry  # (lon, lat) WGS 84, cut at the date line


def by_density(mass: Floats, area_km2: Floats) -> NDArray[np.intp]:
    """Cells by falling density, (n,)."""
    return np.argsort(-(mass / area_km2))


def credible_weights(mass: Floats, order: NDArray[np.intp], share: float) -> Floats:
    """Part of each cell (0 to 1) that belongs to the smallest region holding `share` of the mass.

    Cells are taken in `order`, which is by falling density; the last one in part, so that the area is exact.
    """
    reached = np.cumsum(mass[order])
    last = int(np.searchsorted(reached, share * reached[-1]))
    weights = np.zeros(len(mass))
    weights[order[:last]] = 1.0
    if last < len(order) and mass[order[last]] > 0:
        before = reached[last - 1] if last else 0.0
        weights[order[last]] = (share * reached[-1] - before) / mass[order[last]]
    return weights


def outline(cells: Cells) -> BaseGeometry:
    """The union of cells as polygons, drawn in cells of one size, at most about `MOST_CELLS`.

    A region of a city has fine ones, that of half the world coarse ones, which cover a little more than the region.
    """
    from shapely import union_all

    cells = _levelled(cells)
    near_line = _near_date_line(cells)
    if not near_line.any():
        return _joined(cells)
    shapes = _cut_polygons(cells[near_line])
    if not near_line.all():
        shapes.append(_joined(cells[~near_line]))
    return union_all(np.array(shapes, dtype=object))


def _levelled(cells: Cells) -> Cells:
    """The cells at the finest common resolution that keeps them within `MOST_CELLS`."""
    level = resolutions(cells)
    for resolution in range(int(level.max()), 0, -1):
        fine = level > resolution
        up = np.unique(np.where(fine, parents(cells, resolution), cells))
        kept = resolutions(up)
        if (7.0 ** (resolution - kept.astype(np.float64))).sum() <= MOST_CELLS or resolution == 1:
            parts = [children(up[kept == r], resolution) for r in np.unique(kept)]
            return np.unique(np.concatenate(parts))
    return np.unique(parents(cells, 0))


def _near_date_line(cells: Cells) -> NDArray[np.bool_]:
    """Cells whose outline may cross the date line or hold a pole."""
    lat, lon = centres(cells)
    radius_deg = np.degrees(_WIDEST_EDGE_KM[resolutions(cells)] / EARTH_RADIUS_KM)
    return np.asarray(np.abs(lon) > 180 - radius_deg / np.maximum(np.cos(np.radians(lat)), 0.01)) | (
        np.abs(lat) > 90 - 2 * radius_deg
    )


# Longest distance from a cell's centre to its outline, by resolution: h3geo.org's mean edge length of
# resolution 0, a seventh of the area at each step, and 1.4 for the most stretched hexagon.
_WIDEST_EDGE_KM = 1.4 * np.array(
    [1281.3, 483.1, 182.5, 69.0, 26.1, 9.9, 3.7, 1.4, 0.53, 0.2, 0.08, 0.03, 0.01, 0.01, 0.01, 0.01]
)


def _joined(cells: Cells) -> BaseGeometry:
    """The union of cells of one resolution, by h3: much quicker than a general union."""
    import h3.api.basic_int as h3
    from shapely.geometry import shape

    return shape(h3.cells_to_geo(cells.tolist(), tight=False))


def _cut_polygons(cells: Cells) -> list[BaseGeometry]:
    """Each cell as a polygon, cut at the date line."""
    import h3.api.basic_int as h3
    from shapely import Polygon, box
    from shapely.affinity import translate

    west_of_line, east_of_line = box(-180, -90, 180, 90), box(180, -90, 540, 90)
    out: list[BaseGeometry] = []
    for cell in cells.tolist():
        ring = np.array(h3.cell_to_boundary(cell))[:, ::-1]
        if np.ptp(ring[:, 0]) <= 180:
            out.append(Polygon(ring))
        elif _holds_pole(cell, ring[0, 1]):
            pole = float(np.sign(ring[0, 1])) * 90.0
            edge = float(np.abs(ring[:, 1]).min()) * float(np.sign(pole))
            out.append(box(-180, min(edge, pole), 180, max(edge, pole)))  # a cap: the one cell around a pole
        else:
            ring[ring[:, 0] < 0, 0] += 360.0  # unrolled past the line, then both sides are cut off
            whole = Polygon(ring)
            out += [whole & west_of_line, translate(whole & east_of_line, xoff=-360.0)]
    return out


def _holds_pole(cell: int, lat: float) -> bool:
    import h3.api.basic_int as h3

    return bool(h3.latlng_to_cell(90.0 if lat > 0 else -90.0, 0.0, h3.get_resolution(cell)) == cell)
