"""Quads and segments on the plane: insets, lots within a quad, clipping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2) metres: x east, y north


def area_m2(polygon: Points) -> float:
    """Return the signed area: above 0 where the corners run counter-clockwise."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def inset(corners: Points, by_m: NDArray[np.float64]) -> Points | None:
    """Move each edge of a convex polygon inwards; None where nothing is left.

    Args:
        corners: (n, 2), either way around; the result runs counter-clockwise.
        by_m: (n,) for the edge from corner k to the next.
    """
    if area_m2(corners) < 0.0:  # edge k of the reversed polygon is edge n - 2 - k
        corners, by_m = corners[::-1], np.roll(by_m[::-1], -1)
    ahead = np.roll(corners, -1, axis=0) - corners
    length = np.hypot(*ahead.T)
    if length.min() < 1e-6:
        return None
    ahead = ahead / length[:, None]
    inwards = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    start = corners + inwards * by_m[:, None]
    before, before_start = np.roll(ahead, 1, axis=0), np.roll(start, 1, axis=0)
    cross = before[:, 0] * ahead[:, 1] - before[:, 1] * ahead[:, 0]
    if np.abs(cross).min() < 0.05:  # edges within 3 degrees of one line: their crossing may lie anywhere
        return None
    gap = start - before_start
    moved = before_start + before * ((gap[:, 0] * ahead[:, 1] - gap[:, 1] * ahead[:, 0]) / cross)[:, None]
    still = ((np.roll(moved, -1, axis=0) - moved) * ahead).sum(1)
    return moved if still.min() > 0.5 else None  # an edge that turned around means that the inset ate the polygon


def within(quad: Points, u: NDArray[np.float64], v: NDArray[np.float64]) -> Points:
    """Map (u, v) in 0 to 1 into a quad: (0, 0) is corner 0, (1, 0) corner 1, (1, 1) corner 2."""
    u, v = np.asarray(u)[..., None], np.asarray(v)[..., None]
    return np.asarray((quad[0] * (1 - u) + quad[1] * u) * (1 - v) + (quad[3] * (1 - u) + quad[2] * u) * v, np.float64)


def lot(quad: Points, left: float, right: float, near: float, far: float) -> Points:
    """Cut the part of a quad between two values of u and two of v; corners 0 and 1 are at `near`."""
    return within(quad, np.array([left, right, right, left]), np.array([near, near, far, far]))


def sides_m(quad: Points) -> tuple[float, float]:
    """Return the mean length of a quad along u and along v."""
    edge = np.hypot(*(np.roll(quad, -1, axis=0) - quad).T)
    return float(edge[0] + edge[2]) / 2, float(edge[1] + edge[3]) / 2


def clip_to_square(ends: Points, low: float, high: float) -> Points | None:
    """Cut a segment (2, 2) to the square from `low` to `high`; None where it has less than 3 m inside."""
    start, along = ends[0], ends[1] - ends[0]
    first, last = 0.0, 1.0
    for axis in (0, 1):
        if abs(along[axis]) < 1e-9:
            if not low <= start[axis] <= high:
                return None
            continue
        near, far = sorted(((low - start[axis]) / along[axis], (high - start[axis]) / along[axis]))
        first, last = max(first, near), min(last, far)
    if (last - first) * np.hypot(*along) < 3.0:
        return None
    return np.stack([start + first * along, start + last * along])


def bearing_deg(x: float, y: float) -> float:
    """Return the direction of a vector, clockwise from north."""
    return float(np.degrees(np.arctan2(x, y)) % 360.0)


def rounded(polygon: Points, radius_m: float) -> Points:
    """Round the corners of a polygon, by less where its edges are short."""
    before, after = np.roll(polygon, 1, axis=0) - polygon, np.roll(polygon, -1, axis=0) - polygon
    found = []
    for corner, back, ahead in zip(polygon, before, after, strict=True):
        reach = min(radius_m, 0.45 * float(np.hypot(*back)), 0.45 * float(np.hypot(*ahead)))
        first, last = corner + back / np.hypot(*back) * reach, corner + ahead / np.hypot(*ahead) * reach
        t = np.array([0.0, 0.33, 0.67, 1.0])[:, None]  # along a quadratic Bezier curve
        found.append((1 - t) ** 2 * first + 2 * t * (1 - t) * corner + t**2 * last)
    return np.concatenate(found)
