"""An encoder made of two parts: where local features come from, and how they are pooled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosleuth.indexes.encoders.encoder import Vectors
    from geosleuth.indexes.encoders.k_means import Floats32
    from geosleuth.indexes.encoders.pooling import Pooling
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.pixels import Pixels


class LocalFeatures(Protocol):
    """A picture as a set of local features (m, c): places of a feature map, patches, regions, or one for the whole."""

    @property
    def weights_sha256(self) -> str:
        """Hash of all that the features depend on."""

    @property
    def input_side_px(self) -> int:
        """Longer side that `prepare` needs at least."""

    @property
    def channels(self) -> int:
        """Length c of a feature."""

    @property
    def is_pooled(self) -> bool:
        """Whether there is one feature per picture, which the network has pooled itself."""

    def prepare(self, pixels: Pixels, view: View = "ground") -> Pixels:
        """Resize; stays uint8, a quarter of the memory and of what travels between processes."""

    def local(self, prepared: Sequence[Pixels]) -> Iterable[Floats32]:
        """Yield (m, c) per picture, in order."""


def combined_sha256(*parts: str) -> str:
    """Hash several facts into one."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class PooledEncoder:
    """Implements `Encoder`."""

    spec: str
    weights_sha256: str
    dimension: int
    source: LocalFeatures
    pooling: Pooling

    @property
    def input_side_px(self) -> int:
        """Longer side that `prepare` needs at least."""
        return self.source.input_side_px

    def prepare(self, pixels: Pixels, view: View = "ground") -> Pixels:
        """Resize (h, w, 3) uint8 RGB; thread-safe."""
        return self.source.prepare(pixels, view)

    def encode(self, prepared: Sequence[NDArray[Any]]) -> Vectors:
        """Turn prepared images into (n, d) float32 unit vectors."""
        vectors = np.empty((len(prepared), self.dimension), np.float32)
        for row, local in enumerate(self.source.local(prepared)):
            vectors[row] = self.pooling(local)
        return vectors
