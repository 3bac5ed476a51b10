"""From the local features of one picture to its one vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from geosleuth.indexes.encoders.k_means import Floats32

# Power of the generalised mean: what Radenovic et al. 2018 (fine-tuning CNN image retrieval) start from, and near where
# their training ends (2.9); AP-GeM (Revaud et al. 2019) uses it as well.
GEM_POWER = 3.0
_LEAST = 1e-6  # features are clamped to this, as in both papers' code: a power of a negative number has no meaning


class Pooling(Protocol):
    """Local features (m, c) to one vector (d,) of length 1."""

    def __call__(self, local: Floats32) -> Floats32:
        """Pool."""


def unit(vector: Floats32) -> Floats32:
    """Scale (d,) to length 1. A zero, which has no direction, becomes the diagonal: every vector must be comparable."""
    length = float(np.linalg.norm(vector))
    if length < 1e-12:
        return np.full_like(vector, 1 / np.sqrt(len(vector)))
    scaled: Floats32 = (vector / np.float32(length)).astype(np.float32)
    return scaled


def unit_rows(local: Floats32) -> Floats32:
    """Scale each row of (m, c) to length 1; zeros stay."""
    scaled: Floats32 = local / np.maximum(np.linalg.norm(local, axis=1, keepdims=True), np.float32(1e-12))
    return scaled


def own(local: Floats32) -> Floats32:
    """Take the one vector that the network pooled itself."""
    return unit(local[0])


@dataclass(frozen=True)
class Gem:
    """Generalised mean over the picture: 1 is the average, infinity the maximum."""

    power: float = GEM_POWER

    def __call__(self, local: Floats32) -> Floats32:
        """Pool each channel of (m, c)."""
        raised = np.maximum(local, _LEAST) ** np.float32(self.power)
        pooled: Floats32 = raised.mean(0) ** np.float32(1 / self.power)
        return unit(pooled)
