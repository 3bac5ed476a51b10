"""What chance does to a figure: how sure it is, and what a random order would reach."""

from __future__ import annotations

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

_RESAMPLES = 2000  # as in scores.py
_DRAWS = 1 << 22  # random places in memory at once, 32 MB: 2,000 x 50,000 would be 800 MB


def interval_over_places(values: ArrayLike, places: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval (percentile) of the mean over queries, drawn by place.

    Queries of one place are one witness. University-1652 has 54 drone pictures of a building: drawn one by one, the
    interval would be up to seven times too narrow.

    Args:
        values: (q,) one figure per query.
        places: (q,) equal for queries that are no independent witnesses.
        seed: Of the resampling.
    """
    data = np.asarray(values, dtype=np.float64)
    if not len(data):
        return nan, nan
    _, place = np.unique(np.asarray(places), return_inverse=True)
    total, count = np.bincount(place, weights=data), np.bincount(place)
    rng = np.random.default_rng(seed)
    means: list[NDArray[np.float64]] = []
    block = max(1, _DRAWS // len(total))
    for start in range(0, _RESAMPLES, block):
        drawn = rng.integers(0, len(total), (min(block, _RESAMPLES - start), len(total)))
        means.append(total[drawn].sum(axis=1) / count[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def chance_curve(true_count: NDArray[np.int64], searched: int, most: int) -> NDArray[np.float64]:
    """Recall at k = 1 to `most` of references in random order, the mean over queries.

    k drawn without putting back miss all m true ones among N with C(N - m, k) / C(N, k).
    """
    total = np.zeros(most)
    drawn = np.arange(min(most, searched))
    for m, queries in zip(*np.unique(true_count, return_counts=True), strict=True):
        miss = np.cumprod(np.maximum(searched - m - drawn, 0) / (searched - drawn))
        total += queries * (1 - np.pad(miss, (0, most - len(miss)), constant_values=float(m == 0)))
    return np.asarray(total / len(true_count))
