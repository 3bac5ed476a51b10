"""The image encoder that installs with geosleuth: EfficientNet-Lite0 (ImageNet) through onnxruntime.

A session works with one thread, and pictures go through it one at a time, several pictures at once: so the bits of a
vector depend neither on the pictures beside it nor on the number of cores, and all cores are busy.

What was tried, on the 29 photos of one walk, each against the other 28, 3 of another town and 340 street photos of
elsewhere (training/embedded_encoder/README.md has the table): the last block's map with p = 3 at 512 px is as good as
any within the noise of 29 queries, and its 320 numbers make the smallest galleries but one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from geosleuth.indexes.encoders.parallel import in_order
from geosleuth.indexes.encoders.pooled import combined_sha256
from geosleuth.indexes.encoders.resizing import resized
from geosleuth.indexes.inference import import_onnxruntime

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.k_means import Floats32
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.pixels import Pixels

_FILE = "data/efficientnet_lite0.onnx"
INPUT_SIDE_PX = 512
# The maps of the network: `features` is pooled into one vector, a vocabulary is made of `local`.
Layer = Literal["features", "local"]
CHANNELS: dict[Layer, int] = {"features": 320, "local": 112}


class EmbeddedMaps:
    """Feature maps of the embedded network, as local features."""

    input_side_px = INPUT_SIDE_PX
    is_pooled = False

    def __init__(self, layer: Layer = "features") -> None:
        self.layer = layer
        self.channels = CHANNELS[layer]

    @property
    def weights_sha256(self) -> str:
        """Hash of the network, the layer and the input size."""
        return combined_sha256(_network_sha256(), self.layer, str(INPUT_SIDE_PX))

    def prepare(self, pixels: Pixels, view: View = "ground") -> Pixels:  # noqa: ARG002  # all views are seen alike
        """Resize; the network normalises."""
        return resized(pixels, INPUT_SIDE_PX)

    def local(self, prepared: Sequence[Pixels]) -> Iterator[Floats32]:
        """Yield (m, c) per picture, in order."""
        yield from in_order(self._one, prepared)

    def _one(self, picture: Pixels) -> Floats32:
        one = feature_map(picture, self.layer)
        return one.reshape(len(one), -1).T


def feature_map(picture: Pixels, layer: Layer = "features") -> Floats32:
    """Return a map of the network, (channels, h / stride, w / stride); the picture's sides are multiples of 32."""
    (maps,) = _session().run([layer], {"pictures": picture[None]})
    one: Floats32 = maps[0]
    return one


@lru_cache(maxsize=1)
def _network_bytes() -> bytes:
    return files("geosleuth.indexes").joinpath(_FILE).read_bytes()


@lru_cache(maxsize=1)
def _network_sha256() -> str:
    return hashlib.sha256(_network_bytes()).hexdigest()


@lru_cache(maxsize=1)
def _session() -> Any:  # an onnxruntime.InferenceSession, which has no type stubs
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: a note about a missing GPU is no news to the user
    return onnxruntime.InferenceSession(_network_bytes(), options, providers=["CPUExecutionProvider"])
