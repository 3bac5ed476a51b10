"""K-means in numpy: at the sizes of a vocabulary it needs seconds, so faiss would only add a dependency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError

Floats32 = NDArray[np.float32]

_ROUNDS = 30  # assignments of a visual vocabulary change by less than 1 % a round well before that
_BLOCK = 16_384  # points per matrix product: 8 MB of distances to 128 centres


def k_means(points: Floats32, count: int, *, seed: int = 7) -> Floats32:
    """Return `count` centres (count, d) of `points` (n, d) by squared Euclidean distance.

    Seeds by k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's rounds until no point moves; a centre that loses
    all its points takes the point that is farthest from its own centre. The same points give the same centres.

    Raises:
        InputError: There are fewer points than centres.
    """
    if len(points) < count:
        raise InputError(
            f"at least {count} local features for {count} centres",
            f"{len(points)}",
            "Fit on more images, or ask for fewer centres.",
        )
    rng = np.random.default_rng(seed)
    centres = _spread_seeds(points, count, rng)
    before = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        nearest, distance = nearest_centres(points, centres)
        if np.array_equal(nearest, before):
            break
        before = nearest
        sizes = np.bincount(nearest, minlength=count)
        sums = np.stack([np.bincount(nearest, points[:, d], count) for d in range(points.shape[1])], 1)
        centres = (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)
        empty = np.flatnonzero(sizes == 0)
        centres[empty] = points[np.argsort(-distance, kind="stable")[: len(empty)]]
    return centres


def nearest_centres(points: Floats32, centres: Floats32) -> tuple[NDArray[np.int64], Floats32]:
    """Return each point's nearest centre and its squared distance to it, (n,) both; ties go to the first centre."""
    nearest = np.empty(len(points), np.int64)
    distance = np.empty(len(points), np.float32)
    half = 0.5 * (centres * centres).sum(1)
    for start in range(0, len(points), _BLOCK):
        block = points[start : start + _BLOCK]
        closeness = block @ centres.T - half  # (|x|^2 - |x - c|^2) / 2
        best = closeness.argmax(1)
        nearest[start : start + _BLOCK] = best
        length = (block * block).sum(1)
        distance[start : start + _BLOCK] = np.maximum(length - 2 * closeness[np.arange(len(block)), best], 0)
    return nearest, distance


def _spread_seeds(points: Floats32, count: int, rng: np.random.Generator) -> Floats32:
    """Choose points that are far from each other: each with a chance in proportion to its squared distance."""
    chosen = [int(rng.integers(len(points)))]
    length = (points * points).sum(1)
    distance = np.full(len(points), np.inf)
    for _ in range(count - 1):
        seed = points[chosen[-1]]
        distance = np.minimum(distance, np.maximum(length - 2 * (points @ seed) + seed @ seed, 0))
        total = distance.sum()
        weights = distance / total if total > 0 else None  # all points lie on chosen ones: any will do
        chosen.append(int(rng.choice(len(points), p=weights)))
    return points[chosen].copy()
