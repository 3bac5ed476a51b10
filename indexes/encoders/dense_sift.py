"""Dense RootSIFT: a descriptor at every few pixels, at several scales, with no detector.

Layout of Lowe (2004): 4 x 4 cells of 8 orientations; scales, grid and smoothing as in DenseVLAD (Torii et al. 2015,
24/7 place recognition by view synthesis, section 3: regions of 16, 24, 32 and 40 px in pictures of 640 px, step 2).
RootSIFT: Arandjelovic and Zisserman 2012. The cells weigh triangularly and the region flatly, as the fast dense SIFT of
VLFeat does: eight filtered orientation maps then serve all positions, some 50 times faster than a call per keypoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.encoders.k_means import Floats32
from geosleuth.indexes.encoders.parallel import in_order
from geosleuth.indexes.encoders.pooled import combined_sha256
from geosleuth.indexes.encoders.resizing import resized
from geosleuth.indexes.pixels import Pixels

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View

DIMENSION = 128
_SIDE_PX = 640  # the paper's pictures
_REGIONS_PX = (16, 24, 32, 40)
_STEP_PX = 8  # the paper has 2: sixteen times as many, 2 s of a core per picture instead of 0.15 s; not compared
_CELLS = 4  # a region's cells along each side
_ORIENTATIONS = 8
_MAGNIFICATION = 6.0  # cell size / sigma of the smoothing before, as VLFeat's vl_phow
_CLIP = 0.2  # Lowe 2004, section 6.1: no gradient dominates
# Mean gradient per pixel of a region, in grey levels, below which it shows sky or plain wall: its direction is noise.
_LEAST_GRADIENT = 1.0


class DenseSift:
    """Dense RootSIFT as local features; no weights."""

    input_side_px = _SIDE_PX
    is_pooled = False
    channels = DIMENSION
    weights_sha256 = combined_sha256("dense RootSIFT 1", str(_SIDE_PX), str(_REGIONS_PX), str(_STEP_PX))

    def prepare(self, pixels: Pixels, view: View = "ground") -> Pixels:  # noqa: ARG002  # all views are seen alike
        """Resize."""
        return resized(pixels, _SIDE_PX)

    def local(self, prepared: Sequence[Pixels]) -> Iterator[Floats32]:
        """Yield (m, 128) per picture, in order."""
        yield from in_order(dense_rootsift, prepared)


def dense_rootsift(pixels: Pixels) -> Floats32:
    """Describe (h, w, 3) uint8 RGB by (m, 128) descriptors of unit length; none where the picture is plain."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = [_scale(grey, region // _CELLS) for region in _REGIONS_PX if min(grey.shape) > region]
    raw = np.concatenate([np.zeros((0, DIMENSION), np.float32), *found])
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    np.minimum(raw, _CLIP, out=raw)
    raw /= raw.sum(1, keepdims=True)  # the L1 norm, and then the root: Euclid on these is Hellinger on the histograms
    root: Floats32 = np.sqrt(raw)
    return root


def _scale(grey: Floats32, cell: int) -> Floats32:
    """Return the raw histograms (m, 128) of regions of 4 x 4 cells of `cell` pixels, without those of plain regions."""
    maps = _orientation_maps(grey, cell)
    ys, xs = (np.arange(0, side - _CELLS * cell + 1, _STEP_PX) for side in grey.shape)
    offset = cell // 2 + cell * np.arange(_CELLS)  # middles of the cells
    rows, columns = (ys[:, None] + offset).ravel(), (xs[:, None] + offset).ravel()
    cells = maps[:, rows[:, None], columns].reshape(_ORIENTATIONS, len(ys), _CELLS, len(xs), _CELLS)
    histograms = cells.transpose(1, 3, 2, 4, 0).reshape(-1, DIMENSION)
    kept: Floats32 = histograms[histograms.mean(1) * _ORIENTATIONS >= _LEAST_GRADIENT]
    return kept


def _orientation_maps(grey: Floats32, cell: int) -> Floats32:
    """Return (8, h, w): gradient strength per orientation, averaged around each pixel with a triangle of one cell."""
    import cv2

    smooth = cv2.GaussianBlur(grey, (0, 0), cell / _MAGNIFICATION)
    dx = cv2.filter2D(smooth, -1, np.array([[-0.5, 0, 0.5]], np.float32))
    dy = cv2.filter2D(smooth, -1, np.array([[-0.5], [0], [0.5]], np.float32))
    strength, angle = cv2.cartToPolar(dx, dy)
    turn = angle * np.float32(_ORIENTATIONS / (2 * np.pi))  # 0 to 8
    triangle = 1 - np.abs(np.arange(1 - cell, cell, dtype=np.float32)) / cell
    triangle /= triangle.sum()
    maps = np.empty((_ORIENTATIONS, *grey.shape), np.float32)
    half = _ORIENTATIONS // 2
    for index in range(_ORIENTATIONS):
        apart = np.abs((turn - index + half) % _ORIENTATIONS - half)  # in bins, around the circle
        maps[index] = cv2.sepFilter2D(strength * np.maximum(1 - apart, 0), -1, triangle, triangle)
    return maps
