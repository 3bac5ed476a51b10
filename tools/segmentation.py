"""Segmenters of transformers: which share of a photo each of ADE20K's 150 classes covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.pixels import fitted_size
from geosleuth.tools.ade20k import CLASSES, label_offset
from geosleuth.tools.pretrained import import_transformers, load_weights, open_folder, part_of

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model_folder import ModelFolder

Shares = NDArray[np.float64]  # (150,), each in [0, 1]; the sum is below 1 where a background class has the rest

# The public models look at a shorter side of 512 or 640 px: of a photo 16:9 this leaves 720, and no more is prepared.
_LONG_SIDE_PX = 1280
_SHORT_SIDE_PX = 32  # of a strip: models halve a picture five times
# Pixels whose class is told. The maps of 150 classes take 150 MB at this size, however large the model's own input is;
# shares of 1/1000 of the picture still rest on 260 pixels.
_COUNTED_PX = 512 * 512
# Of the other kinds, OneFormer needs a tokenizer and a task, EoMT cuts the picture into overlapping windows.
_UNIVERSAL = ("maskformer", "mask2former")
_REMEDY = "Name a MaskFormer, Mask2Former, SegFormer or UperNet trained on ADE20K."


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as the model takes it, on the CPU."""

    inputs: dict[str, Any]  # tensors (1, ...), by the names of the model's arguments
    pictured: NDArray[np.bool_]  # (h, w): False where the processor filled the picture up

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width) of the model's input."""
        return tuple(self.inputs["pixel_values"].shape[-2:])


class Segmenter:
    """A loaded model. It keeps nothing about a photo, so that threads may share it."""

    def __init__(self, weights: str, model: Any, processor: Any, offset: int, device: str | None = None) -> None:
        self.weights = weights  # which model with which hash, for the record
        self.device = checked_device(device)
        self._model = model.to(self.device)
        self._processor = processor
        self._offset = offset  # the model's number of class 0

    def class_shares(self, photo: Photo) -> Shares:
        """Return the share of the photo's pixels per class, as the model's own post-processing tells them."""
        return self.shares_of([self.prepare(photo)])[0]

    def prepare(self, photo: Photo) -> Prepared:
        """Decode and resize a photo; for threads, while the device is busy with others."""
        import torch

        inputs = dict(self._processor(images=Image.fromarray(_reduced(photo)), return_tensors="pt"))
        shape = tuple(inputs["pixel_values"].shape[-2:])
        # The processor may have filled the picture up on the right and below: what it added is not counted.
        return Prepared(inputs, inputs.get("pixel_mask", torch.ones(1, *shape))[0].numpy() > 0)

    def shares_of(self, batch: Sequence[Prepared]) -> list[Shares]:
        """Return the shares of several pictures, in their order.

        Pictures of one shape go through the model together. Others are never filled up to the largest of a batch: a
        picture's shares depend on it alone, not on its neighbours.

        Raises:
            InputError: The device has too little memory for so many.
        """
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for number, one in enumerate(batch):
            by_shape.setdefault(one.shape, []).append(number)
        found: list[Shares] = [np.empty(0)] * len(batch)
        for numbers in by_shape.values():
            for number, shares in zip(numbers, self._alike([batch[i] for i in numbers]), strict=True):
                found[number] = shares
        return found

    def _alike(self, batch: Sequence[Prepared]) -> list[Shares]:
        """The shares of pictures of one shape."""
        import torch

        target = _counted_shape(batch[0].shape)
        names = batch[0].inputs
        try:
            with torch.inference_mode():
                inputs = {name: torch.cat([one.inputs[name] for one in batch]).to(self.device) for name in names}
                outputs = self._model(**inputs)
                found = self._processor.post_process_semantic_segmentation(outputs, target_sizes=[target] * len(batch))
                maps = [one.cpu().numpy() for one in found]
        except torch.OutOfMemoryError as error:  # of accelerators; a CPU's shortage ends the process
            wanted = f"memory on {self.device} for {len(batch)} pictures of {batch[0].shape} pixels at once"
            raise InputError(wanted, "too little", "Ask for fewer at once, or for another device.") from error
        return [_shares(one, each.pictured, self._offset) for one, each in zip(maps, batch, strict=True)]


def checked_device(name: str | None) -> Any:
    """Return torch's device of this name; None = a CUDA or ROCm one where there is one, else the CPU.

    Raises:
        InputError: There is no such device.
    """
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # torch says so, by one or the other
        found = f"{name!r} ({str(error).splitlines()[0]})"
        raise InputError("a device that torch can use", found, "Name cpu, cuda, cuda:1 or mps.") from error


def load_segmenter(spec: str, device: str | None = None) -> Segmenter:
    """Load the segmenter that `spec` names, hf:ORG/NAME[@REV] or dir:PATH; once, unless its folder is written anew.

    Args:
        spec: The segmenter.
        device: As torch names it; None = the GPU where there is one, else the CPU.

    Raises:
        InputError: A package, weights or a device that are missing, another kind of model, other classes than ADE20K's.
    """
    backend = parse_backend(spec, role="locatability")
    if backend.adapters or backend.base not in ("hf", "dir"):
        remedy = "Name one: hf:ORG/NAME[@REV] or dir:PATH, without adapters."
        raise InputError("a segmenter of ADE20K's classes", repr(spec), remedy)
    folder = open_folder(backend, "a segmenter of ADE20K's classes")
    return _load(folder, folder.stamp, device)


@lru_cache(maxsize=1)  # one role runs one segmenter
def _load(folder: ModelFolder, stamp: int, device: str | None) -> Segmenter:  # noqa: ARG001  # stamp: of the key
    transformers = import_transformers()
    config = part_of(transformers.AutoConfig.from_pretrained, folder)
    kind = _class_for(transformers, config, folder.spec)
    offset = label_offset(config.id2label, folder.spec)  # before hundreds of megabytes are read
    processor = part_of(transformers.AutoImageProcessor.from_pretrained, folder)
    if not hasattr(processor, "post_process_semantic_segmentation"):
        raise InputError("a segmenter that tells classes", f"{type(processor).__name__} in {folder.spec}", _REMEDY)
    model = load_weights(kind, folder, unused="auxiliary_head")  # UperNet's, for training
    return Segmenter(f"{folder.name}@{folder.digest}", model, processor, offset, device)


def _class_for(transformers: Any, config: Any, spec: str) -> Any:
    """The class that reads the weights: by kind, since one folder's weights fit several classes, not all meant."""
    if config.model_type in _UNIVERSAL:
        return transformers.AutoModelForUniversalSegmentation
    if type(config) in transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING:
        return transformers.AutoModelForSemanticSegmentation
    raise InputError("a segmenter", f"{spec}, a model of the kind {config.model_type}", _REMEDY)


def _reduced(photo: Photo) -> Pixels:
    """No side above `_LONG_SIDE_PX`, nor below `_SHORT_SIDE_PX`."""
    pixels = photo.pixels_at(_LONG_SIDE_PX)
    width, height = fitted_size((pixels.shape[1], pixels.shape[0]), _LONG_SIDE_PX)
    size = (max(width, _SHORT_SIDE_PX), max(height, _SHORT_SIDE_PX))
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))  # Pillow's averages areas


def _counted_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of the map of classes: the model's input, reduced to `_COUNTED_PX`."""
    scale = min(1.0, (_COUNTED_PX / (shape[0] * shape[1])) ** 0.5)
    return max(1, int(shape[0] * scale)), max(1, int(shape[1] * scale))


def _shares(classes: NDArray[Any], pictured: NDArray[np.bool_], offset: int) -> Shares:
    """Shares of the classes in a map (h, w), counted where `pictured` (H, W), of the same picture, is true."""
    rows = np.arange(classes.shape[0]) * pictured.shape[0] // classes.shape[0]
    columns = np.arange(classes.shape[1]) * pictured.shape[1] // classes.shape[1]
    counted = classes[pictured[np.ix_(rows, columns)]].astype(np.int64)
    counts = np.bincount(counted, minlength=CLASSES + offset)
    return np.asarray(counts[offset : CLASSES + offset] / max(counted.size, 1))
