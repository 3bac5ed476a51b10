"""Pictures as a model may have them: no more pixels than allowed, no strip too thin; the rest is its processor's."""

from __future__ import annotations

import copy
import hashlib
import math
from collections import OrderedDict
from typing import Any

import numpy as np

from geosleuth.indexes.pixels import Pixels

# Qwen's processors refuse a side 200 times the other, and round both to tokens: this leaves room for the rounding.
_THINNEST = 150
_TOKEN_SIDE = 32  # px of one token of Qwen3-VL; 28 of Qwen2.5-VL. A smaller side would be rounded to nothing
_HELD = 32  # pictures of one photo's investigation: its own, its crops, ten or twenty candidates
_GREY = 127  # what a strip is filled up with: carries no edge of its own into a dark or a bright picture


def capped(pixels: Pixels, max_pixels: int) -> Pixels:
    """Reduce a picture to at most `max_pixels`, its proportions kept; never enlarged.

    A strip that is too thin for the processors is filled up with grey on both sides first.
    """
    pixels = _filled_up(pixels, max_pixels)
    height, width = pixels.shape[:2]
    if height * width <= max_pixels:
        return pixels
    import cv2

    scale = math.sqrt(max_pixels / (height * width))
    size = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _filled_up(pixels: Pixels, max_pixels: int) -> Pixels:
    height, width = pixels.shape[:2]
    # Reduced to the cap, the shorter side still has two tokens: a single one would be rounded up, and pass the cap.
    thinnest = max(1.0, min(_THINNEST, max_pixels / (2 * _TOKEN_SIDE) ** 2))
    least = max(_TOKEN_SIDE, math.ceil(max(height, width) / thinnest))
    down, right = max(0, least - height), max(0, least - width)
    if not (down or right):
        return pixels
    edges = ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0))
    return np.pad(pixels, edges, constant_values=_GREY)


def limited(processor: Any, max_pixels: int) -> Any:
    """Copy a processor whose image part neither passes `max_pixels` nor enlarges small pictures beyond it.

    Processors that bring every picture to one size, as CLIP's, stay as they are.
    """
    pictures = processor.image_processor
    size = dict(getattr(pictures, "size", None) or {})
    # Qwen's family gives both as areas, in pixels; elsewhere these two keys are lengths of sides.
    if not (hasattr(pictures, "merge_size") and {"shortest_edge", "longest_edge"} <= size.keys()):
        return processor
    processor, pictures = copy.copy(processor), copy.copy(pictures)
    longest = min(int(size["longest_edge"]), max_pixels)
    # A quarter, because what is enlarged to the least is rounded up to whole tokens.
    pictures.size = {"shortest_edge": min(int(size["shortest_edge"]), longest // 4), "longest_edge": longest}
    processor.image_processor = pictures
    return processor


class Digests:
    """Names pictures by their content; a picture that nobody can change is read once."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Pixels, bytes]] = OrderedDict()

    def of(self, pixels: Pixels) -> bytes:
        """Return the digest of a picture's pixels and shape."""
        known = self._known.get(id(pixels))
        if known is not None:  # it is held there, so that no other has its id
            return known[1]
        digest = hashlib.blake2b(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).digest()
        if not pixels.flags.writeable:
            self._known[id(pixels)] = (pixels, digest)
            while len(self._known) > _HELD:
                self._known.popitem(last=False)
        return digest


class Capped:
    """One photo's pictures at the size that the model may have, each reduced once."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._digests = Digests()
        self._kept: OrderedDict[bytes, Pixels] = OrderedDict()

    def of(self, pixels: Pixels) -> Pixels:
        """Return the reduced picture, read-only and the same object each time."""
        digest = self._digests.of(pixels)
        if digest not in self._kept:
            small = np.array(capped(pixels, self._max_pixels))  # a copy: the caller may change his own
            small.flags.writeable = False
            self._kept[digest] = small
            while len(self._kept) > _HELD:
                self._kept.popitem(last=False)
        return self._kept[digest]
