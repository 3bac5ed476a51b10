"""Where on a wall a point lies: along it and up it, for structures that stand along the grid or turned from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.views.rays import Eye, Hits
from geosleuth.training.towns.views.scene import Floats, Ints, Scene

_QUARTER = np.pi / 2
_OFF_CELLS = 2.0  # a point farther than this from its rectangle's side is on another wall: of an L, or a cut corner
_SLANTED = 0.1  # least cosine of sight and wall to move a point: along the wall, it would go anywhere


@dataclass(frozen=True, eq=False)
class Spots:
    """Points of walls."""

    owner: Ints  # (n,) structure
    normal: Floats  # (n,) where the wall looks, radians clockwise from north
    along_m: Floats  # (n,) to the left of the one who looks at the wall, from where the town's corner is
    up_m: Floats  # (n,) above the ground


def spots_on_walls(scene: Scene, hits: Hits, chosen: NDArray[np.bool_], eye: Eye) -> Spots:
    """Find where on their walls the chosen pixels (h, w) lie.

    A turned wall is a staircase of cells. Its windows would be as ragged, so the points of a turned rectangle are
    moved along the line of sight to its true side.
    """
    owner = hits.owner[chosen].astype(np.int64)
    x, y, z = hits.x_m[chosen], hits.y_m[chosen], hits.z_m[chosen]
    away = np.maximum(hits.distance_m[chosen], 1e-3)
    east, north, rise = (x - eye.x_m) / away, (y - eye.y_m) / away, (z - eye.z_m) / away
    turn, *rectangle = scene.outlines[owner].T
    turned = turn != 0
    normal = np.where(turned, _turned(scene, hits.cell[chosen], turn), _along_grid(scene, x, y, east, north))
    if turned.any():
        ahead_x, ahead_y = np.sin(normal), np.cos(normal)
        across = np.abs(np.sin(normal + np.radians(turn))) > 0.5  # looks along the turned x axis
        reach = np.where(across, rectangle[2], rectangle[3])
        off = reach - (x - rectangle[0]) * ahead_x - (y - rectangle[1]) * ahead_y
        facing = east * ahead_x + north * ahead_y
        moves = turned & (np.abs(off) < _OFF_CELLS * scene.town.cell_m) & (facing < -_SLANTED)
        step = np.where(moves, off / np.where(moves, facing, 1), 0)
        x, y, z = x + step * east, y + step * north, z + step * rise
    return Spots(owner, normal, x * np.cos(normal) - y * np.sin(normal), np.maximum(z, 0))


def _along_grid(scene: Scene, x: Floats, y: Floats, east: Floats, north: Floats) -> Floats:
    """Return where the walls of structures along the grid look: against the line of sight, across the cells' border."""
    column, row = x / scene.town.cell_m, y / scene.town.cell_m
    between_columns = np.abs(column - np.round(column)) < np.abs(row - np.round(row))
    return np.asarray(np.where(between_columns, -_QUARTER * np.sign(east), np.where(north > 0, np.pi, 0.0)))


def _turned(scene: Scene, cell: NDArray[np.int32], turn: Floats) -> Floats:
    """Return where the walls of turned structures look: the one of four sides that is nearest to the outline's."""
    first = -np.radians(turn)  # anticlockwise on a map is negative on a compass
    sides = np.round((np.radians(scene.outward_deg[cell]) - first) / _QUARTER)
    return np.asarray(first + sides * _QUARTER)
