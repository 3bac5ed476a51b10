"""VLAD: what the local features of a picture add to the centres of a vocabulary.

NetVLAD (Arandjelovic et al. 2016) assigns softly, DenseVLAD (Torii et al. 2015) to the nearest centre; both normalise
within each centre ("intra-normalisation", Arandjelovic and Zisserman 2013), so that a repeated facade does not count
by its repetitions, and whiten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosleuth.indexes.encoders.k_means import Floats32, nearest_centres
from geosleuth.indexes.encoders.pooling import unit, unit_rows
from geosleuth.indexes.encoders.whitening import Whitening

# Of the soft weights the second centre's is to be this share of the first's, on average: the initial value of the
# NetVLAD authors' code.
_SECOND_SHARE = 0.01
_BLOCK = 16_384  # local features at a time, so that weights to all centres stay small


@dataclass(frozen=True, eq=False)
class Vlad:
    """A vocabulary, and how to describe a picture by it."""

    centres: Floats32  # (k, c)
    sharpness: float | None  # alpha of the soft weights exp(-alpha |x - c|^2); None: the nearest centre alone
    whitening: Whitening | None = None

    @property
    def dimension(self) -> int:
        """Length of the result."""
        return self.centres.size if self.whitening is None else len(self.whitening.matrix)

    def __call__(self, local: Floats32) -> Floats32:
        """Pool local features (m, c) of any length into (dimension,) of length 1; m may be 0."""
        local = unit_rows(local)
        sums = np.zeros_like(self.centres)
        for start in range(0, len(local), _BLOCK):
            block = local[start : start + _BLOCK]
            weights = self._weights(block)  # (m, k)
            sums += weights.T @ block - weights.sum(0)[:, None] * self.centres
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        flat = unit((sums / np.maximum(length, 1e-12)).ravel())
        return flat if self.whitening is None else unit(self.whitening(flat))

    def _weights(self, local: Floats32) -> Floats32:
        if self.sharpness is None:
            one_hot: Floats32 = np.eye(len(self.centres), dtype=np.float32)[nearest_centres(local, self.centres)[0]]
            return one_hot
        logits = self.sharpness * (2 * local @ self.centres.T - (self.centres * self.centres).sum(1))
        weights = np.exp(logits - logits.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        soft: Floats32 = weights
        return soft


def fitted_sharpness(local: Floats32, centres: Floats32) -> float:
    """Choose alpha so that, on average, the second nearest centre gets 1/100 of the nearest's weight."""
    if len(centres) < 2:
        return 1.0  # one centre gets all the weight, however sharp
    closeness = 2 * local @ centres.T - (centres * centres).sum(1)
    best = np.partition(closeness, -2, axis=1)[:, -2:]
    return float(-np.log(_SECOND_SHARE) / max(float((best[:, 1] - best[:, 0]).mean()), 1e-6))
