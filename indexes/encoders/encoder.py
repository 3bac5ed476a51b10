"""What an encoder is: image in, unit vector out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.pixels import Pixels

Vectors = NDArray[np.float32]  # (n, d), rows of length 1


class Encoder(Protocol):
    """Image to unit vector, in two steps, so that many threads can prepare while one model encodes."""

    @property
    def spec(self) -> str:
        """The spec string that loads it again."""

    @property
    def weights_sha256(self) -> str:
        """Hash of all that a vector depends on: weights, vocabulary, input size, pooling."""

    @property
    def dimension(self) -> int:
        """Length d of a vector."""

    @property
    def input_side_px(self) -> int:
        """Longer side that `prepare` needs at least; a photo may be decoded at a reduced size above it."""

    def prepare(self, pixels: Pixels, view: View = "ground") -> NDArray[Any]:
        """Resize and normalise (h, w, 3) uint8 RGB; thread-safe, on the CPU."""

    def encode(self, prepared: Sequence[NDArray[Any]]) -> Vectors:
        """Turn prepared images, of any mix of shapes, into (n, d) float32 unit vectors."""
