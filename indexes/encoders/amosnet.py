"""AMOSNet (Chen et al. 2017, Deep learning features at scale for visual place recognition), by weights.

CaffeNet's five convolutions and a sixth, trained on the SPED data set to name 2,543 places. A picture is described by
the maxima of the fifth convolution over a pyramid of 4 x 4, 3 x 3, 2 x 2 and 1 x 1 fields: 30 x 256 = 7,680 numbers
(spatial pyramid pooling, as in the paper's comparison and in VPR-Bench).

The authors' Caffe model (from the pages of their data set; no package ships it) is converted outside of geosleuth, by
any Caffe reader: its blobs, unchanged, are `conv1.weight` (96, 3, 11, 11), `conv1.bias`, `conv2.weight`
(256, 48, 5, 5), `conv3.weight` (384, 256, 3, 3), `conv4.weight` (384, 192, 3, 3), `conv5.weight` (256, 192, 3, 3) and
their biases; layers behind (`conv6`, `fc7_new`, `fc8_new`) may be in the file and are not used. Channels of the input
are blue, green, red in 0 to 255 less the mean: the network turns RGB around, so give the mean image's average per
channel, / 255 and in the order RGB, as `mean`, and 1/255 = 0.00392157 thrice as `std`:

    write_encoder(folder, backbone="amosnet", aggregation="own", dimension=7680, backbone_weights=blobs,
                  input_px={"ground": (227, 227)}, mean=..., std=(1 / 255,) * 3)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import InputFacts, TorchFeatures, import_torch
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "amosnet"
DIMENSION = 7680
_FIELDS = (4, 3, 2, 1)
# (name, outputs, input channels of one group, kernel, stride, padding, groups): CaffeNet, Krizhevsky et al. 2012.
_LAYERS = (
    ("conv1", 96, 3, 11, 4, 0, 1),
    ("conv2", 256, 48, 5, 1, 2, 2),
    ("conv3", 384, 256, 3, 1, 1, 1),
    ("conv4", 384, 192, 3, 1, 1, 2),
    ("conv5", 256, 192, 3, 1, 1, 2),
)


def amosnet_features(weights: Mapping[str, NDArray[Any]], facts: InputFacts) -> TorchFeatures:
    """Make the network of `weights`, by the names above.

    Raises:
        InputError: A weight is missing, or of another shape.
    """
    for name, outputs, inputs, kernel, *_ in _LAYERS:
        for key, shape in ((f"{name}.weight", (outputs, inputs, kernel, kernel)), (f"{name}.bias", (outputs,))):
            found = weights[key].shape if key in weights else "nothing of this name"
            if found != shape:
                raise InputError(f"{key} of AMOSNet, {shape}", str(found), "Convert the Caffe model's blobs unchanged.")
    return TorchFeatures(_network(weights), facts, channels=DIMENSION, is_pooled=True)


def _network(weights: Mapping[str, NDArray[Any]]) -> Any:
    torch = import_torch()
    nn, functional = torch.nn, torch.nn.functional

    class AmosNet(nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            for name, outputs, inputs, kernel, stride, padding, groups in _LAYERS:
                setattr(self, name, nn.Conv2d(inputs * groups, outputs, kernel, stride, padding, groups=groups))

        def forward(self, pictures: Any) -> Any:
            x = pictures.flip(1)  # Caffe's pictures are BGR
            for name, *_ in _LAYERS:
                x = functional.relu(getattr(self, name)(x))
                if name in ("conv1", "conv2"):  # CaffeNet pools before it normalises, AlexNet after
                    x = functional.local_response_norm(functional.max_pool2d(x, 3, 2), 5, alpha=1e-4, beta=0.75)
            fields = [functional.adaptive_max_pool2d(x, side).flatten(2) for side in _FIELDS]
            return torch.cat(fields, 2).flatten(1)[:, None]

    network = AmosNet()
    kept = {f"{name}.{part}" for name, *_ in _LAYERS for part in ("weight", "bias")}
    network.load_state_dict({key: torch.from_numpy(weights[key].astype("float32")) for key in kept})
    return network
