"""What views from the ground and the air need of a town and that does not depend on where they are taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.town import NOTHING, Town, TownObject
from geosleuth.training.towns.views.shadows import SKYLIGHT, Sun, shadows, sun_of

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

SKY, EARTH = 3, 14  # classes of ADE20K-150, counted from 1
CROWNS = frozenset({"tree", "palm"})  # stand on a trunk: one looks below them
_AXIS_DEG = 3.0  # a structure turned by less stands along the grid: the outline of cells holds no finer angle
_NOISE_PX = 256
GROUND_M = (1.0, 6.0)  # for pixels that span about that much of the ground
_SOFT_CELLS = 0.6  # paint on a turned road has steps of a cell: this takes them off without washing it out
_OUTLINE_M = 2.0  # the outline of a turned wall is a staircase of cells: over this length its direction shows
_PENUMBRA_M = 0.3  # the sun is half a degree wide: at the foot of a house's shadow
_POOL_M = 7.0  # radius of the light under a street lamp


@lru_cache(maxsize=1)  # some 150 MB at 512 m and 0.25 m cells; views of one town come together
def scene_of(town: Town) -> Scene:
    """Return the scene of a town, prepared once."""
    return Scene(town)


@dataclass(frozen=True, eq=False)
class Solid:
    """What rays meet, one entry per cell and one for what is outside."""

    height: Floats  # top in metres, 0 on open ground
    owner: NDArray[np.int32]  # structure, or NOTHING
    coarse: dict[int, tuple[Floats, NDArray[np.int32]]] = field(default_factory=dict)  # by cells in a block: its cache


@dataclass(frozen=True, eq=False)
class Scene:
    """A town, and what is derived from it on first use. Flat layers have one more cell at the end: "outside"."""

    town: Town
    kept: dict[str, object] = field(default_factory=dict)  # tables that other files make once per town

    @cached_property
    def outside(self) -> int:
        """Flat index of the cell that stands for all that is not the town."""
        return self.town.owner.size

    @cached_property
    def owner(self) -> NDArray[np.int32]:
        """(cells + 1,) structure of each cell."""
        return np.append(self.town.owner.ravel(), np.int32(NOTHING))

    @cached_property
    def surface(self) -> NDArray[np.uint8]:
        """(cells + 1,) class of the ground."""
        return np.append(self.town.surface.ravel(), np.uint8(EARTH))

    @cached_property
    def whole(self) -> Solid:
        """All that stands there: for views from above."""
        return Solid(np.append(self.town.height_m.ravel(), np.float32(0)), self.owner)

    @cached_property
    def without_crowns(self) -> Solid:
        """All but trees: for views from the ground, which see these as trunks with crowns."""
        crown = np.append([s.kind in CROWNS for s in self.town.structures], False)[self.owner]  # NOTHING is the last
        owner = np.where(crown, np.int32(NOTHING), self.owner)
        return Solid(np.where(crown, np.float32(0), self.whole.height), owner)

    @cached_property
    def structure_label(self) -> NDArray[np.uint8]:
        """(structures + 1,) class of each structure; 0 for NOTHING, the last."""
        return np.array([*(class_number(s.kind) for s in self.town.structures), 0], dtype=np.uint8)

    @cached_property
    def outlines(self) -> Floats:
        """(structures + 1, 5) the rectangle around each.

        How far it is turned from the grid in degrees, anticlockwise, 0 to 90; x and y of its middle; half its length
        along its x axis and along its y axis.
        """
        found = np.zeros((len(self.town.structures) + 1, 5), dtype=np.float32)
        cell, height = self.town.cell_m, self.town.owner.shape[0]
        for index, (rows, columns) in enumerate(self.cells_of):
            if self.town.structures[index].kind in CROWNS or len(rows) < 4:
                continue
            points = np.stack([(columns + 0.5) * cell, (height - rows - 0.5) * cell], axis=1).astype(np.float32)
            middle, sides, angle = cv2.minAreaRect(points)
            if angle % 180.0 >= 90.0:
                sides = sides[::-1]
            turn = angle % 90.0
            turn = turn if _AXIS_DEG <= turn <= 90.0 - _AXIS_DEG else 0.0
            found[index] = (turn, *middle, *(side / 2 + cell / 2 for side in sides))
        return found

    @cached_property
    def cells_of(self) -> tuple[tuple[Ints, Ints], ...]:
        """Rows and columns of each structure's cells."""
        owner = self.owner[:-1]
        cells = np.flatnonzero(owner != NOTHING)
        cells = cells[
            np.argsort(owner[cells].astype(np.uint16 if len(self.town.structures) < 65536 else np.int32), kind="stable")
        ]
        starts = np.searchsorted(owner[cells], np.arange(len(self.town.structures) + 1))
        wide = self.town.owner.shape[1]
        return tuple((cells[a:b] // wide, cells[a:b] % wide) for a, b in pairwise(starts.tolist()))

    @cached_property
    def outward_deg(self) -> Floats:
        """(cells + 1,) where the wall at a cell looks, clockwise from north, from the outline around the cell."""
        solid = (self.town.owner != NOTHING).astype(np.float32)
        reach = self.odd_cells(_OUTLINE_M)
        smooth = cv2.blur(solid, (reach, reach))
        east, south = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        return np.append(cv2.phase(south, -east, angleInDegrees=True).ravel(), 0).astype(np.float32)

    def odd_cells(self, metres: float) -> int:
        """Return about as many cells as fit into a length, an odd number, for blurs."""
        return 2 * round(metres / self.town.cell_m / 2) + 1

    @cached_property
    def ground(self) -> tuple[NDArray[np.uint8], ...]:
        """Colour of the ground in sun and shadow, also below structures: in cells, and twice smaller and blurred.

        Each covers the town; a pixel of the second spans about `GROUND_M[0]`, of the third `GROUND_M[1]`.
        """
        filled = self.lit.reshape(-1, 3).copy()
        covered = (self.town.owner != NOTHING).astype(np.uint8)
        if covered.any() and not covered.all():  # below a structure: the colour of the nearest open ground
            _, nearest = cv2.distanceTransformWithLabels(covered, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
            nearest, below = nearest.ravel(), np.flatnonzero(covered)
            cell = np.zeros(int(nearest.max()) + 1, dtype=np.int64)
            bare = np.flatnonzero(covered == 0)
            cell[nearest[bare]] = bare
            filled[below] = filled[cell[nearest[below]]]
        whole = filled.reshape(self.town.colour.shape)
        soft = cv2.GaussianBlur(whole, (0, 0), _SOFT_CELLS)
        sizes = [(max(1, round(self.town.side_m / metres)),) * 2 for metres in GROUND_M]
        small = [cv2.blur(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), (3, 3)) for size in sizes]
        return tuple(np.asarray(layer, dtype=np.uint8) for layer in (soft, *small))

    @cached_property
    def lit(self) -> NDArray[np.uint8]:
        """(h, w, 3) colour from above by day in sun and shadow."""
        soft = cv2.GaussianBlur(shadows(self.town, self.sun).astype(np.float32), (0, 0), _PENUMBRA_M / self.town.cell_m)
        left = 1 - soft[..., None] * (1 - SKYLIGHT)
        return np.asarray(cv2.multiply(self.town.colour, left, dtype=cv2.CV_8U), dtype=np.uint8)

    @cached_property
    def sun(self) -> Sun:
        """The same sun as in the satellite's picture: shadows fall to the same side."""
        return sun_of(self.town)

    @cached_property
    def tops(self) -> NDArray[np.uint8]:
        """(cells + 1, 3) `lit`, flat."""
        return np.concatenate([self.lit.reshape(-1, 3), np.zeros((1, 3), np.uint8)])

    @cached_property
    def lamplight(self) -> Floats:
        """(h, w) 0 to 1: how much light of street lamps falls on the ground."""
        rows, columns = self.town.surface.shape
        spots = np.zeros((rows, columns), dtype=np.float32)
        radius = round(_POOL_M / self.town.cell_m)
        for thing in self.town.objects:
            if thing.kind == "streetlight":
                at = (round(thing.x_m / self.town.cell_m), round(rows - thing.y_m / self.town.cell_m))
                cv2.circle(spots, at, radius, 1.0, -1)
        return np.asarray(cv2.blur(spots, (radius, radius)), dtype=np.float32)

    @cached_property
    def trees(self) -> tuple[tuple[int, TownObject], ...]:
        """Trees as upright things, with their structure's index."""
        cell, height = self.town.cell_m, self.town.owner.shape[0]
        found = []
        for index, (rows, columns) in enumerate(self.cells_of):
            tree = self.town.structures[index]
            if tree.kind not in CROWNS or not len(rows):
                continue
            wide = 2 * cell * float(np.sqrt(len(rows) / np.pi))
            x, y = (float(columns.mean()) + 0.5) * cell, (height - float(rows.mean()) - 0.5) * cell
            found.append((index, TownObject(tree.kind, x, y, 0, wide, tree.height_m, None, tree.colour)))
        return tuple(found)

    def coarse(self, solid: Solid, factor: int) -> tuple[Floats, NDArray[np.int32]]:
        """Return tops and flat cell indices of blocks of factor x factor cells: of the highest cell of each.

        The last entry of both is for what is outside.
        """
        if factor in solid.coarse:
            return solid.coarse[factor]
        rows, columns = self.town.owner.shape
        padded = np.full((-(-rows // factor) * factor, -(-columns // factor) * factor), -1, dtype=np.float32)
        padded[-rows:, :columns] = solid.height[:-1].reshape(rows, columns)  # blocks are counted from the south-west
        cells = np.full(padded.shape, self.outside, dtype=np.int32)
        cells[-rows:, :columns] = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
        blocks, numbers = (_in_blocks(layer, factor) for layer in (padded, cells))
        highest = blocks.argmax(axis=1)[:, None]
        result = (
            np.append(np.take_along_axis(blocks, highest, axis=1)[:, 0], np.float32(0)),
            np.append(np.take_along_axis(numbers, highest, axis=1)[:, 0], np.int32(self.outside)),
        )
        solid.coarse[factor] = result
        return result

    @cached_property
    def noise(self) -> Floats:
        """(256, 256) values from -1 to 1 that repeat without a seam: grain of surfaces, leaves, clouds."""
        rng = np.random.default_rng(self.town.seed)
        total = np.zeros((_NOISE_PX, _NOISE_PX), dtype=np.float32)
        for cells in (4, 8, 16, 32, 64):
            grid = np.pad(rng.standard_normal((cells, cells)).astype(np.float32), 2, mode="wrap")
            step = _NOISE_PX // cells
            big = cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
            total += big[2 * step : -2 * step, 2 * step : -2 * step] / np.float32(np.sqrt(cells))
        return np.asarray(np.clip(total / (2 * total.std()), -1, 1), dtype=np.float32)


def _in_blocks(layer: NDArray[Any], factor: int) -> NDArray[Any]:
    rows, columns = layer.shape[0] // factor, layer.shape[1] // factor
    return layer.reshape(rows, factor, columns, factor).swapaxes(1, 2).reshape(rows * columns, factor * factor)
