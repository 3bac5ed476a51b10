"""K-means on the sphere: positions grouped by distance on the ground, whatever the date line and the poles do.

VLM-guided place recognition (arXiv 2507.17455) groups its references by K-means with K = 100. On latitude and longitude
that tears groups at 180 degrees and squeezes them towards the poles; on unit vectors it does neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats

K = 100  # the paper's
_SAMPLE_PER_CELL = 200  # positions that the centres are fitted on: a centre is then good to 1/14 of its cell's spread
_MOST_ROUNDS = 30  # of Lloyd's iteration; after that centres of 20,000 points move by less than 1 % of a cell
_BLOCK = 65536  # positions assigned at once: 52 MB of products with 100 centres

Labels = NDArray[np.int64]


def fit_centres(positions: Floats, k: int = K, seed: int = 0) -> Floats:
    """Find k-means centres of unit vectors (n, 3): unit vectors (at most k, 3), the same for the same input and seed.

    Galleries beyond 200 positions a centre are fitted on a sample of that many. There are fewer centres than k where
    there are fewer distinct positions.
    """
    rng = np.random.default_rng(seed)
    most = _SAMPLE_PER_CELL * k
    sample = positions if len(positions) <= most else positions[rng.choice(len(positions), most, replace=False)]
    centres = _spread_seeds(sample, k, rng)
    labels = assign(sample, centres)
    for _ in range(_MOST_ROUNDS):
        sums = np.stack([np.bincount(labels, weights=axis, minlength=len(centres)) for axis in sample.T], axis=1)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        # A centre without points, or whose points cancel out (both poles), stays where it is.
        centres = np.where(lengths > 1e-9, sums / np.maximum(lengths, 1e-9), centres)
        moved = assign(sample, centres)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return np.asarray(centres[np.unique(labels)])


def _spread_seeds(positions: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k-means++ (Arthur and Vassilvitskii, 2007): each seed is drawn by the squared distance to those before it."""
    seeds = [positions[rng.integers(len(positions))]]
    nearest = ((positions - seeds[0]) ** 2).sum(axis=1)
    while len(seeds) < k and nearest.max() > 1e-18:  # 1e-9 of the radius, 6 mm: no position is left that is not a seed
        seeds.append(positions[rng.choice(len(positions), p=nearest / nearest.sum())])
        nearest = np.minimum(nearest, ((positions - seeds[-1]) ** 2).sum(axis=1))
    return np.array(seeds)


def assign(positions: Floats, centres: Floats) -> Labels:
    """Index of the nearest centre of each unit vector (n, 3).

    In double precision: in a gallery of one town, cosines differ in the tenth digit.
    """
    out = np.empty(len(positions), dtype=np.int64)
    for start in range(0, len(positions), _BLOCK):
        out[start : start + _BLOCK] = np.argmax(positions[start : start + _BLOCK] @ centres.T, axis=1)
    return out
