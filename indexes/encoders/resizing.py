"""The size at which an encoder sees a picture."""

from __future__ import annotations

import numpy as np

from geosleuth.indexes.pixels import Pixels

# Longer side in pixels, the aspect kept, for networks that take any size; or the exact (height, width), the whole
# picture squeezed into it, for those that do not. Nothing is ever cropped: the sides of a street tell streets apart.
InputSize = int | tuple[int, int]
# The total stride of the usual networks. Sides that are multiples of it leave no half-filled column of features, and
# photos of nearly equal aspect get equal shapes, so that they can share a batch.
STRIDE_PX = 32


def target_shape(shape: tuple[int, ...], size: InputSize) -> tuple[int, int]:
    """Return the (height, width) that a picture of `shape` (h, w, ...) is resized to."""
    if not isinstance(size, int):
        return size
    scale = size / max(shape[:2])
    height, width = (max(STRIDE_PX, round(side * scale / STRIDE_PX) * STRIDE_PX) for side in shape[:2])
    return height, width


def resized(pixels: Pixels, size: InputSize) -> Pixels:
    """Resize (h, w, 3) uint8; contiguous. Averages areas when it shrinks, so that fine texture does not alias."""
    import cv2

    height, width = target_shape(pixels.shape, size)
    if pixels.shape[:2] == (height, width):
        return np.ascontiguousarray(pixels)
    shrinks = height <= pixels.shape[0] and width <= pixels.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    result: Pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=way), np.uint8)
    return result


def longer_side(size: InputSize) -> int:
    """Return the longer side of the input in pixels."""
    return size if isinstance(size, int) else max(size)
