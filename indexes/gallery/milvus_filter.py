"""An area as a filter of Milvus: by country, by H3 cells that lie inside, and by cells on its edge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.cells import Cells, all_cells, centres, children
from geosleuth.indexes.gallery.gallery import Area
from geosleuth.indexes.gallery.milvus_collection import COARSE, COARSE_FIELD, FINE, FINE_FIELD
from geosleuth.indexes.gallery.reference import VIEWS, View

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

# Degrees from a cell's centre within which every place lies whose finest cell descends from it. The corners of all
# 288,122 cells of resolution 4 are at most 0.2579 and, from their ancestors' centres, 1.8589 degrees away; edges are
# arcs between corners, so no place is farther.
_REACH_DEGREES = {COARSE: 1.86, FINE: 0.26}
# Values of one `in [...]`. Milvus parses the text of an expression anew for each search: 5,000 cells are 100 kB, and
# take the embedded engine 50 ms.
MOST_VALUES = 5_000


@dataclass(frozen=True)
class AreaFilter:
    """Expressions for an area: rows of `inside` are in it, those of `edge` may be; no others are."""

    inside: str  # empty: none
    edge: str
    everything: bool = False  # the area is the whole Earth

    @property
    def either(self) -> str:
        """All rows that may be in the area; of an area without any, an expression that no row fulfils."""
        return any_of([self.inside, self.edge]) or 'id == ""'


def area_filter(area: Area) -> AreaFilter:
    """Make the filter of an area; some 0.1 s for a country."""
    outline = area.geometry
    coarse = all_cells(COARSE)
    touched, covered = _compare(outline, coarse, COARSE)
    if covered.all():
        return AreaFilter("", "", everything=True)
    whole, cut = coarse[covered], coarse[touched & ~covered]
    fine = children(cut, FINE) if len(cut) else cut
    fine_touched, fine_covered = _compare(outline, fine, FINE)
    within, edge = fine[fine_covered], fine[fine_touched & ~fine_covered]
    if len(within) + len(edge) > MOST_VALUES:  # less sharp: more rows of the edge are asked where they lie
        within_text, edge_text = "", _among(COARSE_FIELD, cut.tolist())
    else:
        within_text, edge_text = _among(FINE_FIELD, within.tolist()), _among(FINE_FIELD, edge.tolist())
    countries = _among("country", area.countries)
    inside = any_of([countries, _among(COARSE_FIELD, whole.tolist()), within_text])
    return AreaFilter(inside, all_of([edge_text, f"not ({countries})"]) if edge_text and countries else edge_text)


def views_filter(views: Sequence[View] | None) -> str:
    """An expression for some views; empty for all."""
    if views is None or set(views) >= set(VIEWS):
        return ""
    return _among("view", [view for view in VIEWS if view in views]) or 'id == ""'


def ids_filter(ids: Iterable[str]) -> str:
    """An expression for some rows."""
    return _among("id", list(ids))


def all_of(expressions: Iterable[str]) -> str:
    """Join by `and`; empty ones leave everything."""
    return " and ".join(f"({text})" for text in expressions if text)


def any_of(expressions: Iterable[str]) -> str:
    """Join by `or`; empty ones leave nothing."""
    return " or ".join(f"({text})" for text in expressions if text)


def _among(field: str, values: Sequence[Any]) -> str:
    return f"{field} in [{','.join(json.dumps(value) for value in values)}]" if values else ""


def _compare(outline: BaseGeometry, cells: Cells, resolution: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which cells may have places inside an outline, and which have no others; each of shape (n,).

    A cell stands for the box in degrees around its centre that holds all its places: too large, so never wrong.
    """
    import shapely

    if not len(cells):
        return np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)
    shapely.prepare(outline)
    lats, lons = centres(cells)
    reach = _REACH_DEGREES[resolution]
    # The widest a circle gets in degrees of longitude: asin(sin r / cos lat); around a pole it is all of them.
    with np.errstate(invalid="ignore"):
        half = np.degrees(np.arcsin(np.sin(np.radians(reach)) / np.cos(np.radians(lats))))
    polar = np.abs(lats) + reach >= 90.0
    half = np.where(polar, 180.0, half)
    middle = np.where(polar, 0.0, lons)
    south, north = np.maximum(lats - reach, -90.0), np.minimum(lats + reach, 90.0)
    touched, covered = np.zeros(len(cells), dtype=bool), np.ones(len(cells), dtype=bool)
    for turn in (-360.0, 0.0, 360.0):  # a box across the date line lies on both sides
        west, east = np.maximum(middle - half + turn, -180.0), np.minimum(middle + half + turn, 180.0)
        there = west < east
        boxes = shapely.box(west[there], south[there], east[there], north[there])
        touched[there] |= shapely.intersects(outline, boxes)
        covered[there] &= shapely.covers(outline, boxes)
    return touched, covered
