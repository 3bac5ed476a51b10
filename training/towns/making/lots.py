"""Where the buildings of a block stand: footprints whose first edge faces the street."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making.shapes import Points, lot, sides_m

# Metres, from cadastral maps' common sizes rather than any one town's.
_DEPTH_M = (10.0, 14.0)  # of houses wall to wall: rooms at both fronts have daylight
_FRONT_M = (9.0, 22.0)
_LOT_M = (13.0, 21.0)


def wall_to_wall(quad: Points, rng: np.random.Generator) -> list[Points]:
    """Houses along all four edges around a yard; two rows back to back where there is no room for one."""
    long, short = sides_m(quad)
    if long < short:
        quad = np.roll(quad, -1, axis=0)
        long, short = short, long
    depth = float(rng.uniform(*_DEPTH_M))
    if short < 2.6 * depth:
        return _row(quad, 0.0, 0.5, rng) + _row(np.roll(quad, -2, axis=0), 0.0, 0.5, rng)
    share = depth / short
    found = _row(quad, 0.0, share, rng) + _row(np.roll(quad, -2, axis=0), 0.0, share, rng)
    for turn in (-1, -3):
        side = np.roll(quad, turn, axis=0)
        middle = lot(side, share, 1.0 - share, 0.0, 1.0)
        found += _row(middle, 0.0, min(depth / long, 0.3), rng)
    return found


def _row(quad: Points, near: float, far: float, rng: np.random.Generator) -> list[Points]:
    length = float(np.hypot(*(quad[1] - quad[0])))
    count = max(1, round(length / float(rng.uniform(*_FRONT_M))))
    weights = rng.uniform(0.7, 1.3, count)
    cuts = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    gap = rng.random(count) < 0.07  # a house is missing, as everywhere
    return [
        lot(quad, cuts[k], cuts[k + 1], near, far * float(rng.uniform(0.85, 1.0))) for k in range(count) if not gap[k]
    ]


def detached(quad: Points, rng: np.random.Generator) -> list[tuple[Points, Points]]:
    """(lot, house) in two rows back to back along the block's length, each house in its yard."""
    long, short = sides_m(quad)
    if long < short:
        quad = np.roll(quad, -1, axis=0)
        long, short = short, long
    found = []
    setback, width = float(rng.uniform(3.0, 7.0)), float(rng.uniform(*_LOT_M))
    half = 1.0 if short < 24.0 else 0.5  # one row only on a narrow block
    for side in (quad, np.roll(quad, -2, axis=0)) if half == 0.5 else (quad,):
        length = float(np.hypot(*(side[1] - side[0])))
        count = max(1, round(length / width))
        for k in range(count):
            plot = lot(side, k / count, (k + 1) / count, 0.0, half)
            wide, deep = sides_m(plot)
            if wide < 7.0 or deep < 9.0:
                continue
            gap = min(float(rng.uniform(1.2, 4.5)), 0.25 * wide) / wide
            front = min(setback + float(rng.normal(0.0, 0.6)), 0.35 * deep) / deep
            house = lot(
                plot,
                gap,
                1.0 - gap * float(rng.uniform(0.6, 1.4)),
                front,
                min(front + rng.uniform(8.0, 13.0) / deep, 0.9),
            )
            found.append((plot, house))
    return found


def slabs(quad: Points, rng: np.random.Generator) -> list[Points]:
    """Long buildings side by side with lawns between."""
    if sides_m(quad)[0] < sides_m(quad)[1]:
        quad = np.roll(quad, -1, axis=0)
    long, short = sides_m(quad)
    if rng.random() < 0.5:  # across the block instead
        quad, long, short = np.roll(quad, -1, axis=0), short, long
    count = max(1, int(short / rng.uniform(26.0, 36.0)))
    thick = float(rng.uniform(10.0, 14.0)) / short
    found = []
    for k in range(count):
        middle = (k + 0.5) / count
        cut = float(rng.uniform(0.04, 0.2))
        found.append(
            lot(
                quad,
                cut,
                1.0 - float(rng.uniform(0.04, 0.2)),
                max(middle - thick / 2, 0.02),
                min(middle + thick / 2, 0.98),
            )
        )
    return found


def high_rises(quad: Points, rng: np.random.Generator) -> list[Points]:
    """One to four compact footprints."""
    long, short = sides_m(quad)
    columns, rows = max(1, int(long / 45.0)), max(1, int(short / 45.0))
    found = []
    for column in range(min(columns, 3)):
        for row in range(min(rows, 2)):
            cell = lot(
                quad,
                column / min(columns, 3),
                (column + 1) / min(columns, 3),
                row / min(rows, 2),
                (row + 1) / min(rows, 2),
            )
            wide, deep = sides_m(cell)
            size_u, size_v = min(rng.uniform(16.0, 28.0) / wide, 0.8), min(rng.uniform(16.0, 28.0) / deep, 0.8)
            u, v = rng.uniform(0.05, 0.95 - size_u), rng.uniform(0.05, 0.95 - size_v)
            found.append(lot(cell, u, u + size_u, v, v + size_v))
    return found


def hall(quad: Points, rng: np.random.Generator) -> list[Points]:
    """One large low building: a market, a school, a works."""
    near, side = float(rng.uniform(0.08, 0.2)), float(rng.uniform(0.06, 0.2))
    return [lot(quad, side, 1.0 - side, near, float(rng.uniform(0.6, 0.9)))]
