"""Recall of a retriever: is a reference within some metres among the first k, and how often would chance have it so."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats, LatLon

WITHIN_M = (10, 25, 50)
KS = (1, 5)

Order = NDArray[np.intp]  # references of one query, the best first


def distances_m(queries: Sequence[LatLon], references: Sequence[LatLon]) -> Floats:
    """Geodesic distances in metres, (queries, references)."""
    from pyproj import Geod

    a, b = np.array(queries, dtype=np.float64), np.array(references, dtype=np.float64)
    one, other = (np.broadcast_to(part, (len(a), len(b), 2)) for part in (a[:, None], b[None]))
    out = Geod(ellps="WGS84").inv(
        one[..., 1].ravel(), one[..., 0].ravel(), other[..., 1].ravel(), other[..., 0].ravel()
    )
    return np.asarray(out[2], dtype=np.float64).reshape(len(a), len(b))


def found(orders: Sequence[Order], metres: Floats, k: int, within_m: float) -> NDArray[np.bool_]:
    """Whether each query has a reference within `within_m` among its first k; shape (queries,)."""
    return np.array([bool((row[order[:k]] <= within_m).any()) for order, row in zip(orders, metres, strict=True)])


def chance(eligible: NDArray[np.bool_], metres: Floats, k: int, within_m: float) -> Floats:
    """Probability that k references drawn at random contain one within `within_m`, for each query.

    Args:
        eligible: (queries, references) what a query may find: not itself.
        metres: Distances, of the same shape.
        k: Number drawn, without putting back.
        within_m: Radius.
    """
    total, near = eligible.sum(axis=1), (eligible & (metres <= within_m)).sum(axis=1)
    miss = [
        comb(int(n - m), k) / comb(int(n), k) if n >= k else float(m == 0) for n, m in zip(total, near, strict=True)
    ]
    return 1.0 - np.array(miss)


def ratio_interval(top: Floats, bottom: Floats, seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of sum(top) / sum(bottom) over queries: pairs of one query are one witness."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(top), (2000, len(top)))
    below = bottom[rows].sum(axis=1)
    low, high = np.percentile(top[rows].sum(axis=1)[below > 0] / below[below > 0], [2.5, 97.5])
    return float(low), float(high)
