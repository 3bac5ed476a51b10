"""Streets, blocks and the river of a town: a lattice of crossings, laid out straight, bent or around a centre.

Every block is a cell of the lattice, every street an edge of it; some edges are left out, and one line may be water.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.shapes import Points, clip_to_square
from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Street

RIVER_SHARE = 0.45  # of towns that have one
_MAIN_SHARE = 0.25  # of lines that are main streets
_DROPPED = {"grid": 0.05, "organic": 0.12, "radial": 0.04}  # share of edges without a street: what makes blocks unequal
_MARGIN_M = 1.0  # of centre lines to the town's edge, so that one who walks them is in the town


@dataclass(frozen=True, eq=False)
class Block:
    """What lies between streets: four, or those around a round place."""

    corners: Points  # (n, 2), on the centre lines
    half_m: NDArray[np.float64]  # (n,) half the width of what runs from corner k to the next; 0 where nothing does


@dataclass(frozen=True, eq=False)
class Plan:
    """Where everything else is put."""

    streets: tuple[Street, ...]
    blocks: tuple[Block, ...]
    river: tuple[tuple[Points, float], ...]  # (2, 2) ends and width of its straight pieces


@dataclass(frozen=True, eq=False)
class _Lattice:
    points: NDArray[np.float64]  # (i, j, 2) crossings
    along: NDArray[np.float64]  # (i, j - 1) width from (i, j) to (i, j + 1); 0 none, below 0 water
    across: NDArray[np.float64]  # (i - 1, j) width from (i, j) to (i + 1, j)


def lay_out(style: Style, side_m: float, names: list[str], rng: np.random.Generator) -> Plan:
    """Lay out the streets of a town; `names` are given to them line by line."""
    lattices = _radial(style, side_m, rng) if style.plan == "radial" else [_straight(style, side_m, rng)]
    streets: list[Street] = []
    blocks: list[Block] = []
    river: list[tuple[Points, float]] = []
    for number, lattice in enumerate(lattices):
        for ends, width, name in _edges(lattice, number):
            clipped = clip_to_square(ends, _MARGIN_M, side_m - _MARGIN_M)
            if width < 0.0:
                river.append((ends, -width))
            elif width > 0.0 and clipped is not None:
                start, end = ((float(x), float(y)) for x, y in clipped)
                streets.append(Street(start, end, float(width), names[name % len(names)]))
        blocks += _blocks(lattice, side_m)
        if number == 0 and np.allclose(lattice.points[0, 0], lattice.points[0, -1]):  # within the innermost ring
            blocks.append(Block(lattice.points[0, :-1], np.abs(lattice.along[0]) / 2))
    return Plan(tuple(streets), tuple(blocks), tuple(river))


def _widths(lines: int, edges: int, style: Style, rng: np.random.Generator) -> NDArray[np.float64]:
    """Widths of parallel lines' edges, (lines, edges): one width a line, some main, some edges left out."""
    main = rng.random(lines) < _MAIN_SHARE
    main[lines // 2] |= not main[lines // 3 : 2 * lines // 3 + 1].any()  # each direction has one in the middle
    width = np.where(main, style.street_m[1], style.street_m[0]) * rng.uniform(0.88, 1.12, lines)
    dropped = (rng.random((lines, edges)) < _DROPPED[style.plan]) & ~main[:, None]
    return np.asarray(np.where(dropped, 0.0, width[:, None]), np.float64)


def _straight(style: Style, side_m: float, rng: np.random.Generator) -> _Lattice:
    """A turned lattice over the square; "organic" bends it and moves the crossings."""
    bent = style.plan == "organic"
    jitter = 0.3 if bent else 0.15
    axes = []
    for spacing in style.block_m:
        count = int(np.ceil(1.6 * side_m / spacing)) + 2
        axis = np.cumsum(spacing * rng.uniform(1.0 - jitter, 1.0 + jitter, count))
        axes.append(axis - axis[count // 2])
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    if bent:
        points += rng.normal(0.0, 0.07 * min(style.block_m), points.shape).clip(-14.0, 14.0)
        for axis_number in (0, 1):  # slow waves: streets that curve over several blocks
            length, size = rng.uniform(220.0, 420.0), rng.uniform(10.0, 22.0)
            wave = np.sin(2.0 * np.pi * points[..., 1 - axis_number] / length + rng.uniform(0.0, 6.3))
            points[..., axis_number] += size * wave
    angle = rng.uniform(0.0, np.pi / 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = points @ turn + side_m / 2 + rng.uniform(-40.0, 40.0, 2)
    rows, columns = points.shape[:2]
    along = _widths(rows, columns - 1, style, rng)
    across = _widths(columns, rows - 1, style, rng).T.copy()
    if rng.random() < RIVER_SHARE:
        line = columns // 2 + int(rng.integers(-1, 2))
        across[:, line] = -rng.uniform(14.0, 34.0)
        along[:, [line - 1, line]] = along[:, [line - 1, line]].max(1, keepdims=True)  # no bridge ends in mid-river
    return _Lattice(points, along, across)


def _radial(style: Style, side_m: float, rng: np.random.Generator) -> list[_Lattice]:
    """Rings and spokes; where blocks grow too wide, a spoke begins between each two."""
    centre = side_m * rng.uniform(0.35, 0.65, 2)
    spokes, turn = int(rng.integers(6, 10)), rng.uniform(0.0, 2.0 * np.pi)
    radius = rng.uniform(26.0, 40.0)
    angles = turn + 2.0 * np.pi * (np.arange(spokes) + rng.uniform(-0.16, 0.16, spokes)) / spokes
    ring = centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rings, lattices = [ring], list[_Lattice]()
    canal = int(rng.integers(2, 4)) if rng.random() < RIVER_SHARE else -1
    number = 0
    while radius < 0.95 * side_m:
        radius += style.block_m[0] * rng.uniform(0.7, 1.0)
        number += 1
        rings.append(centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1))
        if 2.0 * np.pi * radius / len(angles) > 1.7 * style.block_m[1] or radius >= 0.95 * side_m:
            lattices.append(_sector(rings, style, rng, canal - number + len(rings) - 1, first=not lattices))
            middle = (rings[-1] + np.roll(rings[-1], -1, axis=0)) / 2
            ring = np.stack([rings[-1], middle], axis=1).reshape(-1, 2)
            angles = np.arctan2(*(ring - centre).T[::-1])
            rings = [ring]
    return lattices


def _sector(rings: list[Points], style: Style, rng: np.random.Generator, canal: int, *, first: bool) -> _Lattice:
    points = np.stack([np.concatenate([ring, ring[:1]]) for ring in rings])
    rows, columns = points.shape[:2]
    along = _widths(rows, columns - 1, style, rng)
    across = _widths(columns, rows - 1, style, rng).T.copy()
    across[:, -1] = across[:, 0]  # the circle closes
    along[0] = along[0] if first else style.street_m[0]
    along[-1] = style.street_m[0]  # shared with the sector around it
    if 0 < canal < rows - 1:
        along[canal] = -rng.uniform(12.0, 22.0)
        across[[canal - 1, canal]] = across[[canal - 1, canal]].max(0)
    return _Lattice(points, along, across)


def _edges(lattice: _Lattice, number: int) -> list[tuple[Points, float, int]]:
    """Ends, width and line number of all edges; a sector's inner ring is drawn by the sector within it."""
    points, found = lattice.points, []
    for i, j in np.argwhere(lattice.along != 0.0):
        if not (number and i == 0):
            found.append((points[i, [j, j + 1]], float(lattice.along[i, j]), int(i) + 17 * number))
    closed = np.allclose(points[0, 0], points[0, -1])
    for i, j in np.argwhere(lattice.across != 0.0):
        if not (closed and j == points.shape[1] - 1):
            found.append((points[[i, i + 1], j], float(lattice.across[i, j]), 41 + int(j) + 17 * number))
    return found


def _blocks(lattice: _Lattice, side_m: float) -> list[Block]:
    points, along, across = lattice.points, np.abs(lattice.along), np.abs(lattice.across)
    found = []
    for i in range(points.shape[0] - 1):
        for j in range(points.shape[1] - 1):
            corners = np.stack([points[i, j], points[i + 1, j], points[i + 1, j + 1], points[i, j + 1]])
            if (corners.max(0) > 0.0).all() and (corners.min(0) < side_m).all():
                half = np.array([across[i, j], along[i + 1, j], across[i, j + 1], along[i, j]]) / 2
                found.append(Block(corners, half))
    return found
