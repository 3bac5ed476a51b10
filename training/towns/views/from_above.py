"""A town as a camera overhead sees it: sunlit and shaded, with vehicles, and whose each cell is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.canvas import strip
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.colours import shade
from geosleuth.training.towns.making.traffic import VEHICLES
from geosleuth.training.towns.town import NOTHING, Rendered, Seen, Town, TownObject
from geosleuth.training.towns.views.shadows import SKYLIGHT, shadows, sun_of


@dataclass(frozen=True, eq=False)
class FromAbove:
    """Layers of cells, rows from the north as in the town."""

    pixels: NDArray[np.uint8]  # (h, w, 3)
    labels: NDArray[np.uint8]  # (h, w)
    thing: NDArray[np.int32]  # (h, w) a structure, or number of structures + an object; NOTHING on open ground
    boxes: NDArray[np.float64]  # (things, 4) left, top, right, bottom in cells


@lru_cache(maxsize=1)  # 45 MB at 512 m and 0.25 m cells; views of one town come together
def seen_from_above(town: Town) -> FromAbove:
    """Compute a town's layers from above, once."""
    kinds = np.array([class_number(s.kind) for s in town.structures] + [0], np.uint8)
    built = town.owner != NOTHING
    labels = np.where(built, kinds[town.owner], town.surface)
    pixels, thing = town.colour.copy(), town.owner.copy()
    for number, item in enumerate(town.objects):
        if item.kind in VEHICLES:
            _draw_vehicle(town, item, len(town.structures) + number, pixels, labels, thing)
    dark = cv2.GaussianBlur(shadows(town, sun_of(town)).astype(np.float32), (0, 0), 1.2)  # half-shadows
    factor = 1.0 - dark[..., None] * (1.0 - SKYLIGHT)
    np.multiply(pixels, factor, out=factor)
    pixels = factor.astype(np.uint8)
    return FromAbove(pixels, labels, thing, _boxes(thing, len(town.structures) + len(town.objects)))


def _draw_vehicle(
    town: Town,
    item: TownObject,
    number: int,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    thing: NDArray[np.int32],
) -> None:
    length, width, _ = VEHICLES[item.kind]
    facing = np.radians(item.facing_deg or 0.0)
    ahead = np.array([np.sin(facing), np.cos(facing)])
    middle = np.array([item.x_m, item.y_m])

    def cells(front: float, back: float, wide: float) -> NDArray[np.int32]:
        corners = strip(np.stack([middle - ahead * back, middle + ahead * front]), wide)
        columns, rows = corners[:, 0] / town.cell_m - 0.5, labels.shape[0] - corners[:, 1] / town.cell_m - 0.5
        return np.asarray(np.rint(np.stack([columns, rows], axis=1) * 16), np.int32)

    body = cells(length / 2, length / 2, width)
    cv2.fillPoly(pixels, [body], item.colour, cv2.LINE_8, 4)
    cv2.fillPoly(labels, [body], class_number(item.kind), cv2.LINE_8, 4)
    cv2.fillPoly(thing, [body], number, cv2.LINE_8, 4)
    if item.kind in ("car", "van"):  # the windscreen tells the front
        cv2.fillPoly(
            pixels, [cells(0.26 * length, -0.1 * length, 0.84 * width)], shade(item.colour, 0.35), cv2.LINE_8, 4
        )


def _boxes(thing: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Bounding boxes of all things in cells; a row of zeros for what has none."""
    boxes = np.zeros((count, 4))
    rows, columns = np.nonzero(thing != NOTHING)
    numbers = thing[rows, columns]
    if not len(numbers):
        return boxes
    low = np.full((count, 2), np.iinfo(np.int32).max, np.int64)
    high = np.full((count, 2), -1, np.int64)
    for axis, values in ((0, columns), (1, rows)):
        np.minimum.at(low[:, axis], numbers, values)
        np.maximum.at(high[:, axis], numbers, values)
    shown = high[:, 0] >= 0
    boxes[shown] = np.concatenate([low[shown], high[shown] + 1], axis=1)
    return boxes


@dataclass(frozen=True, slots=True)
class Window:
    """A square of cells."""

    top: int
    left: int
    size: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.size), slice(self.left, self.left + self.size)


def window(town: Town, x_m: float, y_m: float, side_m: float) -> Window:
    """Return the cells of a square around a point, moved by half a cell at most.

    Raises:
        ValueError: The square is not within the town.
    """
    if not np.isfinite([x_m, y_m, side_m]).all() or side_m <= 0.0:
        raise ValueError(f"no square of {side_m} m around ({x_m}, {y_m})")
    size = max(round(side_m / town.cell_m), 1)
    left = round((x_m - side_m / 2) / town.cell_m)
    top = round(town.surface.shape[0] - (y_m + side_m / 2) / town.cell_m)
    if min(left, top) < 0 or max(left, top) + size > town.surface.shape[0]:
        raise ValueError(f"a square of {side_m} m around ({x_m:.1f}, {y_m:.1f}) leaves the town of {town.side_m:.0f} m")
    return Window(top, left, size)


def nearest_cells(cut: Window, px: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return an index, for np.ix_-like use, of the cells under the middles of px by px pixels."""
    at = ((np.arange(px) + 0.5) * cut.size / px).astype(np.intp)
    return (cut.top + at)[:, None], (cut.left + at)[None, :]


def things_in(town: Town, above: FromAbove, cut: Window, px: int) -> tuple[Seen, ...]:
    """List what has at least one pixel, largest first."""
    numbers = above.thing[nearest_cells(cut, px)].ravel()
    numbers = numbers[numbers != NOTHING]
    counts = np.bincount(numbers)
    found = np.flatnonzero(counts)
    found = found[np.argsort(-counts[found], kind="stable")]
    corner = np.array([cut.left, cut.top, cut.left, cut.top])
    boxes = ((above.boxes[found] - corner) / cut.size).clip(0.0, 1.0)
    built = len(town.structures)
    return tuple(
        Seen(town.structures[n].kind, c / px**2, box, structure=n) if n < built
        else Seen(town.objects[n - built].kind, c / px**2, box, object=n - built)
        for n, c, box in zip(found.tolist(), counts[found].tolist(), map(tuple, boxes.tolist()), strict=True)
    )  # fmt: skip


def resized(cells: NDArray[np.uint8], px: int) -> NDArray[np.uint8]:
    """Resample a square of cells to px by px."""
    smaller = px <= cells.shape[0]
    return np.asarray(
        cv2.resize(cells, (px, px), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )


def rendered(town: Town, above: FromAbove, cut: Window, pixels: NDArray[np.uint8]) -> Rendered:
    """Put labels and things to a picture of a window."""
    px = pixels.shape[0]
    return Rendered(pixels, np.ascontiguousarray(above.labels[nearest_cells(cut, px)]), things_in(town, above, cut, px))
