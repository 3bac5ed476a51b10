"""PCA whitening: fewer dimensions, none of which drowns the others (Jegou and Chum 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.k_means import Floats32
from geosleuth.indexes.errors import InputError


@dataclass(frozen=True, eq=False)
class Whitening:
    """The map x -> matrix (x - mean)."""

    mean: Floats32  # (d,)
    matrix: Floats32  # (k, d), rows orthogonal

    def __call__(self, vector: Floats32) -> Floats32:
        """Map (d,) to (k,), of no particular length."""
        result: Floats32 = self.matrix @ (vector - self.mean)
        return result


def fit_whitening(vectors: Floats32, dimension: int) -> Whitening:
    """Fit to `vectors` (n, d), at most `dimension` of the n - 1 directions that n vectors span.

    The variances are shrunk towards their mean: with no more images than directions, full whitening would put every
    fitted image at the same distance from every other, and nothing could be retrieved among them.

    Raises:
        InputError: There are fewer than two different vectors.
    """
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean
    # Directions of the n x n Gram matrix: n images are fewer than the d dimensions of a VLAD.
    values, axes = np.linalg.eigh(centred @ centred.T)
    values, axes = values[::-1], axes[:, ::-1]
    kept = (
        min(dimension, len(vectors) - 1, int((values > values[0] * 1e-9).sum()))
        if values[0] > 1e-12 * (vectors**2).sum()
        else 0
    )
    if kept < 1:
        raise InputError("different images to fit a whitening on", f"{len(vectors)}, all alike", "Give more images.")
    variances = values[:kept] / len(vectors)
    directions = (axes[:, :kept].T @ centred) / np.sqrt(values[:kept, None])
    matrix = directions / np.sqrt(shrunk(variances, len(vectors)))[:, None]
    return Whitening(mean.astype(np.float32), matrix.astype(np.float32))


def shrunk(variances: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Mix the variances of `count` vectors with their mean, the more the fewer vectors there are per direction."""
    share = min(1.0, len(variances) / count)
    mixed: NDArray[np.float64] = (1 - share) * variances + share * variances.mean()
    return mixed
