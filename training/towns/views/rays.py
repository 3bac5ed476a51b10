"""Where the rays of a view first meet a town: an exact walk over its grid, all directions of the compass at once.

A town is a field of heights. In one compass direction the ray passes a row of cells; each shows its front (from its
edge up to its top) and, from above, its top. The steepest line of sight that is blocked so far only grows along the
row, so the first cell that blocks a given slope is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import NOTHING
from geosleuth.training.towns.views.scene import Floats, Ints, Scene, Solid

# Points (n, k), x, y and z in metres, k of one thing, its middle first -> left, top, right and bottom (n,) of the
# pixels that the thing may cover; a thing behind the view has no width. May exceed the view.
Outline = Callable[[Floats, Floats, Floats], tuple[Floats, Floats, Floats, Floats]]
_COARSEST = 16  # cells in a block: 4 m at cells of 0.25 m, a narrow house
_STEEPEST = 1e9  # slope that stands for straight down; finite, so that it can be divided


@dataclass(frozen=True, slots=True)
class Eye:
    """Where a view is taken from: metres in the town, and above its ground."""

    x_m: float
    y_m: float
    z_m: float


@dataclass(frozen=True, eq=False)
class Rays:
    """Where the pixels of a view look. Slopes are metres up per horizontal metre."""

    eye: Eye
    compass: Floats  # (n,) radians clockwise from north: the directions that are walked
    column: Ints  # (h, w), or what broadcasts to it: index of each pixel's direction in `compass`
    slope: Floats  # (h, w), or what broadcasts to it
    pixel_rad: float  # what a pixel spans in the middle of the view
    outline: Outline  # where points of the town lie in the view
    wraps: bool = False  # the view's left edge continues its right one

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the view."""
        rows, columns = np.broadcast_shapes(self.column.shape, self.slope.shape)
        return rows, columns


@dataclass(frozen=True, eq=False)
class Hits:
    """What each pixel of a view (h, w) meets first."""

    distance_m: Floats  # horizontal; beyond the reach: to the flat ground; infinite in the sky
    x_m: Floats  # where; 0 in the sky
    y_m: Floats
    z_m: Floats
    cell: NDArray[np.int32]  # flat index of the cell, the scene's `outside` where there is none
    owner: NDArray[np.int32]  # structure of the cell, or NOTHING
    lower: Ints  # where a structure rises from a lower part of itself: a cell of that; else -1
    wall: NDArray[np.bool_]  # the front of a cell
    sky: NDArray[np.bool_]


def cast(scene: Scene, solid: Solid, rays: Rays, *, reach_m: float) -> Hits:
    """Find what the pixels of a view see.

    Args:
        scene: The town.
        solid: The scene's with or without trees; what the eye stands in is seen through.
        rays: Where the pixels look.
        reach_m: How far structures are seen; beyond lies open ground.
    """
    edges, cells, tops = _walk(scene, solid, rays, reach_m)
    first = _first_blocking(tops - np.float32(rays.eye.z_m), edges, rays)
    steps = cells.shape[1]
    column, slope = np.broadcast_arrays(rays.column, rays.slope)
    step = np.minimum(first >> 1, steps - 1)
    hit = first < 2 * steps
    at = column * steps + step
    wall = hit & ((first & 1) == 0)
    near = edges.ravel()[column * (steps + 1) + step]
    far = edges.ravel()[column * (steps + 1) + step + 1]
    top = np.where(hit, tops.ravel()[at], 0)
    down = np.minimum(slope, -1e-9)  # tops are only seen looking down
    fall = np.asarray((top - rays.eye.z_m) / down, dtype=np.float32)
    distance = np.where(wall, near, np.where(hit, np.clip(fall, near, far), fall))
    sky = ~hit & (slope >= 0)
    cell = cells.ravel()[at]
    before = np.where(step > 0, cells.ravel()[np.maximum(at - 1, 0)], cell)
    return _placed(scene, solid, rays, np.where(sky, np.float32(np.inf), distance), (cell, before), hit, wall, sky)


def _placed(
    scene: Scene,
    solid: Solid,
    rays: Rays,
    distance: Floats,
    cells: tuple[Ints, Ints],
    hit: NDArray[np.bool_],
    wall: NDArray[np.bool_],
    sky: NDArray[np.bool_],
) -> Hits:
    finite = np.where(sky, np.float32(0), distance)
    x = np.float32(rays.eye.x_m) + np.sin(rays.compass)[rays.column] * finite
    y = np.float32(rays.eye.y_m) + np.cos(rays.compass)[rays.column] * finite
    z = np.float32(rays.eye.z_m) + rays.slope * finite
    cell, before = cells
    # Far away blocks of cells are walked: on a top the cell itself is looked up, unless it is another structure's.
    exact = cell_at(scene, x / np.float32(scene.town.cell_m), y / np.float32(scene.town.cell_m))
    same = solid.owner[exact] == solid.owner[cell]
    cell = np.where(~hit | (~wall & same), exact, cell)
    owner, behind = solid.owner[cell], solid.owner[before]
    return Hits(
        distance, x, y, z, cell.astype(np.int32), owner, np.where(wall & (owner == behind), before, -1), wall, sky
    )


def _walk(scene: Scene, solid: Solid, rays: Rays, reach_m: float) -> tuple[Floats, Ints, Floats]:
    """Walk from border to border of the cells, and of blocks of 2, 4, 8 cells once these are narrower than a pixel.

    Returns:
        Distances (n, steps + 1) of the borders on each ray; cells (n, steps) between them; their tops.
    """
    above = rays.eye.z_m - float(solid.height.max())
    bands = _bands(scene.town.cell_m, rays, above, reach_m)
    along = np.stack([np.sin(rays.compass), np.cos(rays.compass)]).astype(np.float64)  # (2, n) east, north
    start = np.array([[rays.eye.x_m], [rays.eye.y_m]])
    own = _own_structure(scene, solid, rays.eye)
    edges, cells, tops = [np.full((len(rays.compass), 1), bands[0][1], np.float32)], [], []
    for factor, near, far in bands:
        borders = _borders(start, along, factor * scene.town.cell_m, near, far)
        borders[:, -1] = far
        middle = (borders + np.concatenate([np.full_like(borders[:, :1], near), borders[:, :-1]], axis=1)) / 2
        side = np.float32(factor * scene.town.cell_m)
        places = [
            (np.float32(s) + a.astype(np.float32)[:, None] * middle) / side for s, a in zip(start, along, strict=True)
        ]
        block_tops, block_cells = scene.coarse(solid, factor) if factor > 1 else (solid.height, None)
        block = _block_at(scene, places[0], places[1], factor)
        found = block if block_cells is None else block_cells[block]
        top = block_tops[block]
        edges.append(borders)
        cells.append(found)
        tops.append(top if own is None else np.where(solid.owner[found] == own, np.float32(0), top))
    return np.concatenate(edges, axis=1), np.concatenate(cells, axis=1), np.concatenate(tops, axis=1)


def _bands(cell_m: float, rays: Rays, above_m: float, reach_m: float) -> list[tuple[int, float, float]]:
    """Return how many cells make a block, from which distance to which.

    Args:
        cell_m: Of the town.
        rays: Of the view.
        above_m: Height of the eye above all tops, or below 0: nothing is nearer than that.
        reach_m: Where to end.
    """
    above_m = max(above_m, 0.0)
    steepest = float(rays.slope.min())
    near = min(above_m / -steepest, 0.9 * reach_m) if steepest < 0 else 0.0
    bands, factor = [], 1
    while near < reach_m:
        away = 2 * factor * cell_m / rays.pixel_rad  # there a block of twice the size is a pixel wide
        far = min(float(np.sqrt(max(away**2 - above_m**2, 0.0))), reach_m) if factor < _COARSEST else reach_m
        if far > near:
            bands.append((factor, near, far))
            near = far
        factor *= 2
    return bands


def _borders(start: Floats, along: Floats, side_m: float, near_m: float, far_m: float) -> Floats:
    """Return the distances (n, borders) at which rays cross a grid between two distances, sorted, far_m at the end."""
    place = (start + along * near_m) / side_m
    first = np.where(along > 0, np.floor(place) + 1 - place, place - np.ceil(place) + 1)
    count = np.arange(int(np.ceil((far_m - near_m) / side_m)) + 1)
    each = near_m + side_m * (first[..., None] + count) / np.maximum(np.abs(along), 1e-12)[..., None]  # (2, n, count)
    merged = np.concatenate([each[0], each[1]], axis=1).astype(np.float32)
    np.minimum(merged, np.float32(far_m), out=merged)
    merged.sort(axis=1)
    full = int((merged < far_m).sum(axis=1).max()) + 1  # later borders are all at far_m
    return np.ascontiguousarray(merged[:, :full])


def cell_at(scene: Scene, east: Floats, north: Floats) -> Ints:
    """Return flat cell indices of points in units of cells."""
    return _block_at(scene, east, north, 1)


def _block_at(scene: Scene, east: Floats, north: Floats, factor: int) -> Ints:
    """Return flat indices of blocks of factor x factor cells, counted from the south-west; the last is outside."""
    rows, columns = (-(-n // factor) for n in scene.town.owner.shape)
    x, y = np.floor(east).astype(np.int32), np.floor(north).astype(np.int32)
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    return np.asarray(np.where(inside, (rows - 1 - y) * columns + x, rows * columns))


def _own_structure(scene: Scene, solid: Solid, eye: Eye) -> int | None:
    """Return the structure that the eye stands in, if any: it would be all that one sees."""
    at = np.array([eye.x_m, eye.y_m]) / scene.town.cell_m
    cell = int(cell_at(scene, at[:1], at[1:])[0])
    return int(solid.owner[cell]) if solid.owner[cell] != NOTHING and solid.height[cell] >= eye.z_m else None


def _first_blocking(rise: Floats, edges: Floats, rays: Rays) -> Ints:
    """Return, per pixel, what blocks it: 2 * step for a front, 2 * step + 1 for a top, 2 * steps and on: none."""
    blocked = np.empty((len(rise), 2 * rise.shape[1]), dtype=np.float32)
    with np.errstate(divide="ignore"):  # the eye's own cell has its front at distance 0
        blocked[:, 0::2] = rise / edges[:, :-1]
    blocked[:, 0] = -_STEEPEST
    blocked[:, 1::2] = rise / np.maximum(edges[:, 1:], 1e-6)
    np.maximum.accumulate(blocked, axis=1, out=blocked)
    # One sorted row for all directions: 4 per direction, and the slope squeezed into (-1, 1) as s / (1 + |s|).
    lane = 4.0 * np.arange(len(rise))
    keys = lane[:, None] + blocked / (1 + np.abs(blocked))
    wanted = lane[rays.column] + rays.slope.astype(np.float64) / (1 + np.abs(rays.slope))
    found = np.searchsorted(keys.ravel(), wanted.T.ravel()).reshape(wanted.T.shape).T  # by column: near in memory
    return np.asarray(found - rays.column * blocked.shape[1], dtype=np.int64)
