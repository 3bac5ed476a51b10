"""A torch model as a source of local features: resizing, normalisation, device, batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.indexes.encoders.pooled import combined_sha256
from geosleuth.indexes.encoders.resizing import InputSize, longer_side, resized
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import VIEWS, View

if TYPE_CHECKING:
    from types import ModuleType

    from geosleuth.indexes.encoders.k_means import Floats32
    from geosleuth.indexes.pixels import Pixels

# Pictures at once on a GPU. Smaller batches are filled up, so that the same kernels run whatever the number of
# pictures: a single query and a gallery are then to agree to the bit (not proven for every kernel).
_GPU_BATCH = 16


@dataclass(frozen=True)
class InputFacts:
    """How a model wants its pictures."""

    sizes: Mapping[View, InputSize]
    mean: tuple[float, float, float]  # of RGB in 0 to 1
    std: tuple[float, float, float]

    @classmethod
    def same_for_all(cls, size: InputSize, mean: Sequence[float], std: Sequence[float]) -> InputFacts:
        """One size for every view."""
        return cls(dict.fromkeys(VIEWS, size), _three(mean), _three(std))


class TorchFeatures:
    """`model` maps (n, 3, h, w) normalised pictures to (n, m, c) features; m = 1 when it pools them itself.

    Without a GPU pictures go through one at a time: a batch is hardly faster there, and the bits of a vector do not
    depend on the pictures beside it.
    """

    def __init__(self, model: Any, facts: InputFacts, *, channels: int, is_pooled: bool) -> None:
        torch = import_torch()
        self.facts = facts
        self.channels = channels
        self.is_pooled = is_pooled
        self.weights_sha256 = combined_sha256(_weights_sha256(model), repr(facts), str(is_pooled))
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().to(self._device)
        self._mean, self._std = (torch.tensor(v, device=self._device).view(3, 1, 1) for v in (facts.mean, facts.std))

    @property
    def input_side_px(self) -> int:
        """Longer side that `prepare` needs at least."""
        return max(longer_side(size) for size in self.facts.sizes.values())

    def prepare(self, pixels: Pixels, view: View = "ground") -> Pixels:
        """Resize.

        Raises:
            InputError: The encoder was not made for this view.
        """
        if view not in self.facts.sizes:
            known = ", ".join(self.facts.sizes)
            raise InputError(f"an encoder for {view} images", f"one for {known}", "Choose another encoder or view.")
        return resized(pixels, self.facts.sizes[view])

    def local(self, prepared: Sequence[Pixels]) -> Iterator[Floats32]:
        """Yield (m, c) per picture, in order."""
        if self._device.type == "cpu":
            for picture in prepared:
                yield self._run(picture[None])[0]
            return
        for _, same_shape in groupby(prepared, key=lambda picture: picture.shape):
            pictures = list(same_shape)
            for start in range(0, len(pictures), _GPU_BATCH):
                batch = pictures[start : start + _GPU_BATCH]
                filled = batch + [batch[-1]] * (_GPU_BATCH - len(batch))
                yield from self._run(np.stack(filled))[: len(batch)]

    def _run(self, pictures: Pixels) -> Floats32:
        torch = import_torch()
        with torch.inference_mode():
            x = torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float() / 255
            features: Floats32 = self._model((x - self._mean) / self._std).float().cpu().numpy()
        return features


def feature_shape(model: Any, facts: InputFacts) -> tuple[int, ...]:
    """Run a black picture of the first view's size through `model` (on the CPU) and return the shape of the result."""
    torch = import_torch()
    size = next(iter(facts.sizes.values()))
    height, width = (size, size) if isinstance(size, int) else size
    with torch.inference_mode():
        return tuple(model(torch.zeros(1, 3, height, width)).shape)


def import_torch() -> ModuleType:
    """Import torch.

    Raises:
        InputError: It is not installed.
    """
    return import_extra("torch")


def import_extra(name: str) -> ModuleType:
    """Import a package of the extra `encoders`.

    Raises:
        InputError: It is not installed.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"the package {name}", f"none that can be imported ({error})", "Run `pip install 'geosleuth[encoders]'`."
        ) from error


def _weights_sha256(model: Any) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().float().contiguous().numpy())
    return digest.hexdigest()


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
