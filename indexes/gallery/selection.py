"""Which rows a search looks at, as runs of consecutive rows: an area's, a view's, or all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.gallery.gallery import Area
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.geodesy import Floats

Runs = NDArray[np.int64]  # (m, 2): first row, and the row after the last; sorted, apart from each other

# Rows are sorted by place, so some hundred neighbours have a small bounding box: with it whole blocks are taken or
# left without asking for their points. At 10 million rows 39,000 boxes are compared with the area's outline.
_BLOCK_ROWS = 256
_KEPT = 8  # the belief's submap and the wider ones after it, for a view or two


@dataclass(frozen=True)
class Places:
    """Where the rows lie; all arrays have shape (n,)."""

    lat: Floats
    lon: Floats
    country: NDArray[np.int16]  # index into `codes`
    codes: tuple[str | None, ...]
    views: Mapping[View, int]  # rows of each view, in the order of the rows


class Selector:
    """Turns areas and views into runs of rows, and keeps the last ones: widening and retrying repeat them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._everything = np.array([[0, len(places.lat)]], dtype=np.int64)
        # the area itself is held, so that `is` stays true
        self._recent: deque[tuple[Area, tuple[View, ...] | None, Runs]] = deque(maxlen=_KEPT)

    def runs(self, area: Area | None, views: Sequence[View] | None) -> Runs:
        """Runs of the rows that an area and some views leave, the same object for the same question; None leaves all.

        An area must not change after it was first used.
        """
        chosen = None if views is None else tuple(view for view in self._places.views if view in views)
        if chosen is not None and len(chosen) == len(self._places.views):
            chosen = None  # there are no others
        if area is None:
            return self._everything if chosen is None else self._in_views(self._everything, chosen)
        for known, its_views, runs in list(self._recent):
            if known is area and its_views == chosen:
                return runs
        inside = runs_of(rows_in(area, self._places)) if chosen is None else self.runs(area, None)
        runs = inside if chosen is None else self._in_views(inside, chosen)
        self._recent.append((area, chosen, runs))
        return runs

    def _in_views(self, runs: Runs, views: Sequence[View]) -> Runs:
        ends = list(accumulate(self._places.views.values(), initial=0))
        parts = [np.empty((0, 2), dtype=np.int64)]
        for view, (start, stop) in zip(self._places.views, pairwise(ends), strict=True):
            if view in views:
                parts.append(_clip(runs, start, stop))
        return np.concatenate(parts)


def rows_in(area: Area, places: Places) -> NDArray[np.bool_]:
    """Tell which rows lie in an area; shape (n,).

    Rows of its countries do, by their column. Of the others, blocks of neighbours that lie within the outline, or
    apart from it, are decided by their bounding box, and only the rest by `contains`.
    """
    import shapely

    wanted = np.array([code in area.countries for code in places.codes], dtype=bool)
    inside = wanted[places.country]
    starts = np.arange(0, len(inside), _BLOCK_ROWS)
    open_blocks = ~np.logical_and.reduceat(inside, starts)
    south, north = (f.reduceat(places.lat, starts) for f in (np.minimum, np.maximum))
    west, east = (f.reduceat(places.lon, starts) for f in (np.minimum, np.maximum))
    boxes = shapely.box(west, south, east, north)
    outline = area.geometry
    shapely.prepare(outline)
    near = open_blocks & shapely.intersects(outline, boxes)
    whole = near & shapely.contains_properly(outline, boxes)
    block = np.arange(len(inside)) // _BLOCK_ROWS
    inside |= whole[block]
    asked = np.flatnonzero(~inside & (near & ~whole)[block])
    if len(asked):
        inside[asked] = area.contains(places.lat[asked], places.lon[asked])
    return inside


def runs_of(inside: NDArray[np.bool_]) -> Runs:
    """Turn a mask of rows into runs."""
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return edges.reshape(-1, 2).astype(np.int64)


def rows_of(runs: Runs) -> NDArray[np.int64]:
    """List the rows of some runs."""
    lengths = runs[:, 1] - runs[:, 0]
    before = np.cumsum(lengths) - lengths
    return np.repeat(runs[:, 0] - before, lengths) + np.arange(lengths.sum())


def count_of(runs: Runs) -> int:
    """Number of rows in some runs."""
    return int((runs[:, 1] - runs[:, 0]).sum())


def _clip(runs: Runs, start: int, stop: int) -> Runs:
    clipped = np.clip(runs, start, stop)
    return np.asarray(clipped[clipped[:, 0] < clipped[:, 1]])
