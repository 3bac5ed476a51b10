"""Local features of one picture: SIFT points with RootSIFT descriptors, and which of two pictures' points pair up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.pixels import Pixels, fitted_size

Points = NDArray[np.float32]  # (n, 2) as (x, y) in pixels of the upright picture

# The side to which pictures are reduced, and the most points kept, the strongest first. Measured on the pairs of a
# walk: of those 15 to 30 m apart 52 % are accepted at 640 px and 1500 points, 57 % at 800 and 2000, 73 % at 1024 and
# 3000; up to 15 m all do. A picture then takes some 0.2 s of one core, a pair some 0.06 s.
WORKING_SIDE_PX = 1024
MOST_POINTS = 3000
# Below OpenCV's 0.04: hazy and dim pictures have enough points too, and the strongest are chosen anyway.
_LEAST_CONTRAST = 0.02
# A pair is kept where the second-best partner is clearly worse. Lowe (2004, section 7.1) takes 0.8 for SIFT; distances
# of RootSIFT are square roots of such differences and lie closer together.
_RATIO = 0.85


@dataclass(frozen=True, eq=False)
class Features:
    """What matching needs of a picture."""

    size: tuple[int, int]  # (width, height) of the picture they were found in
    points: Points
    descriptors: NDArray[np.float32]  # (n, 128), unit length


@dataclass(frozen=True, eq=False)
class Pairs:
    """Points of one picture and their partners in the other, the most distinct first."""

    query: Points
    reference: Points
    query_size: tuple[int, int]
    reference_size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.query)


def local_features(pixels: Pixels) -> Features:
    """Find SIFT points (Lowe 2004) and their RootSIFT descriptors (Arandjelovic and Zisserman 2012)."""
    import cv2

    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    target = fitted_size((width, height), WORKING_SIDE_PX)
    if target != (width, height):
        grey = cv2.resize(grey, target, interpolation=cv2.INTER_AREA)
    sift = cv2.SIFT.create(nfeatures=MOST_POINTS, contrastThreshold=_LEAST_CONTRAST)
    found, raw = sift.detectAndCompute(grey, None)
    if raw is None:
        return Features((width, height), np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    # OpenCV keeps more than asked for where responses tie.
    points = np.array([one.pt for one in found[:MOST_POINTS]], np.float32) * sides((width, height)) / sides(target)
    descriptors = raw[:MOST_POINTS].astype(np.float32)
    descriptors = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-6))
    return Features((width, height), points, descriptors)


def pair_up(query: Features, reference: Features) -> Pairs:
    """Pair points that are each other's nearest in descriptor space, and clearly nearer than the next."""
    sizes = query.size, reference.size
    none = np.zeros((0, 2), np.float32)
    if len(query.points) < 2 or len(reference.points) < 2:
        return Pairs(none, none, *sizes)
    similarity = query.descriptors @ reference.descriptors.T
    rows = np.arange(len(similarity))
    best = similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[best] == rows
    first = similarity[rows, best]
    similarity[rows, best] = -1.0
    second = similarity.max(axis=1)
    # Of unit vectors: squared distance is 2 - 2 * similarity.
    ratio = np.sqrt(np.maximum(1.0 - first, 0.0) / np.maximum(1.0 - second, 1e-9))
    kept = np.flatnonzero(mutual & (ratio < _RATIO))
    kept = kept[np.argsort(ratio[kept], kind="stable")]
    return one_per_place(Pairs(query.points[kept], reference.points[best[kept]], *sizes))


def sides(size: tuple[int, int]) -> NDArray[np.float32]:
    """(width, height) as an array that scales points."""
    return np.array(size, dtype=np.float32)


def one_per_place(pairs: Pairs) -> Pairs:
    """Keep the first pair of each pixel of the query, and of those the first of each pixel of the reference.

    SIFT gives a point of two orientations twice, and learned matchers give several per pixel: one witness each.
    """
    for points in ("query", "reference"):
        pixel = np.rint(getattr(pairs, points)).astype(np.int64)
        kept = np.sort(np.unique(pixel, axis=0, return_index=True)[1])
        pairs = Pairs(pairs.query[kept], pairs.reference[kept], pairs.query_size, pairs.reference_size)
    return pairs
