"""The layers of a town while it is being drawn: polygons and discs in metres become cells."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.shapes import Points
from geosleuth.training.towns.town import NOTHING, Colour, Structure, TownObject

_SHIFT = 4  # bits of a cell's fraction in cv2's fixed-point coordinates: 1/16 of a cell


class Canvas:
    """A town's layers, all earth at first. Later drawing covers earlier drawing.

    Attributes:
        surface, colour, owner: As in `Town`.
        closed: (h, w) uint8, 1 in the corridor along the centre lines: no tree is planted there, and what reaches into
            it is cut off in the end.
    """

    def __init__(self, side_m: float, cell_m: float, kind: str, colour: Colour) -> None:
        size = round(side_m / cell_m)
        self.side_m, self.cell_m, self.size = side_m, cell_m, size
        self.surface = np.full((size, size), class_number(kind), np.uint8)
        self.colour = np.empty((size, size, 3), np.uint8)
        self.colour[:] = colour
        self.owner = np.full((size, size), NOTHING, np.int32)
        self.closed = np.zeros((size, size), np.uint8)
        self.structures: list[Structure] = []
        self.objects: list[TownObject] = []

    def cells(self, points: Points) -> NDArray[np.int32]:
        """Turn metres into cv2's fixed-point columns and rows, whose whole numbers are the middles of cells."""
        columns = points[:, 0] / self.cell_m - 0.5
        rows = self.size - points[:, 1] / self.cell_m - 0.5
        return np.asarray(np.rint(np.stack([columns, rows], axis=1) * (1 << _SHIFT)), np.int32)

    def row_column(self, x_m: float, y_m: float) -> tuple[int, int]:
        """Return the cell of a point, the nearest one of the town where the point is outside."""
        row = self.size - 1 - int(np.floor(y_m / self.cell_m))
        column = int(np.floor(x_m / self.cell_m))
        return min(max(row, 0), self.size - 1), min(max(column, 0), self.size - 1)

    def kind_at(self, x_m: float, y_m: float) -> int:
        """Return the class of the ground at a point, 0 outside the town."""
        if not (0.0 <= x_m < self.side_m and 0.0 <= y_m < self.side_m):
            return 0
        return int(self.surface[self.row_column(x_m, y_m)])

    def is_free(self, x_m: float, y_m: float) -> bool:
        """Tell whether a point is in the town and no structure stands there."""
        inside = 0.0 <= x_m < self.side_m and 0.0 <= y_m < self.side_m
        return inside and self.owner[self.row_column(x_m, y_m)] == NOTHING

    def ground(self, polygon: Points, kind: str | None, colour: Colour) -> None:
        """Cover ground with a class and a colour; without a class the colour alone changes."""
        cells = self.cells(polygon)
        if kind is not None:
            cv2.fillPoly(self.surface, [cells], class_number(kind), cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self.colour, [cells], colour, cv2.LINE_8, _SHIFT)

    def line(self, ends: Points, width_m: float, kind: str | None, colour: Colour) -> None:
        """Cover a straight strip with square ends."""
        self.ground(strip(ends, width_m), kind, colour)

    def disc(self, x_m: float, y_m: float, radius_m: float, kind: str | None, colour: Colour) -> None:
        """Cover a disc."""
        self.ground(circle(x_m, y_m, radius_m), kind, colour)

    def paint(self, polygon: Points, colour: Colour) -> None:
        """Change the colour alone: a roof's slope, a line on asphalt."""
        self.ground(polygon, None, colour)

    def build(self, polygon: Points, structure: Structure) -> int:
        """Put a structure on a polygon and return its index."""
        cells, index = self.cells(polygon), len(self.structures)
        cv2.fillPoly(self.owner, [cells], index, cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self.colour, [cells], structure.colour, cv2.LINE_8, _SHIFT)
        self.structures.append(structure)
        return index

    def plant(
        self, x_m: float, y_m: float, crown: NDArray[np.bool_], colours: NDArray[np.uint8], tree: Structure
    ) -> bool:
        """Put a structure on the free cells of a small mask around a point; return False where there are none."""
        row, column = self.row_column(x_m, y_m)
        top, left = row - crown.shape[0] // 2, column - crown.shape[1] // 2
        rows = slice(max(top, 0), min(top + crown.shape[0], self.size))
        columns = slice(max(left, 0), min(left + crown.shape[1], self.size))
        inner = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        owner = self.owner[rows, columns]
        free = crown[inner] & (owner == NOTHING) & (self.closed[rows, columns] == 0)
        if not free.any():
            return False
        owner[free] = len(self.structures)
        self.colour[rows, columns][free] = colours[inner][free]
        self.structures.append(tree)
        return True


def strip(ends: Points, width_m: float) -> Points:
    """Return the rectangle around a segment (2, 2)."""
    along = ends[1] - ends[0]
    side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * width_m / 2
    return np.stack([ends[0] - side, ends[1] - side, ends[1] + side, ends[0] + side])


def circle(x_m: float, y_m: float, radius_m: float, corners: int = 20) -> Points:
    """Return a regular polygon around a point."""
    angles = np.arange(corners) * 2.0 * np.pi / corners
    return np.stack([x_m + radius_m * np.cos(angles), y_m + radius_m * np.sin(angles)], axis=1)
