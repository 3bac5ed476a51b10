"""Whether point pairs of two pictures show one scene from two places: MAGSAC++, and guards against false geometry.

The figures below were chosen on 818 ordered pairs of two walks (32 photos) against 8,687 pairs of unrelated street
photos at 1024 px and 3000 points; `tools/verification.py` states the shares that result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.local_features import WORKING_SIDE_PX, Pairs, Points, sides

Mask = NDArray[np.bool_]

_INLIER_PX = 1.5  # off the epipolar line, at WORKING_SIDE_PX; SIFT points are true to about a pixel
_LEAST_AGREEING = 24
_LEAST_SHARE = 0.20  # of the pairs: with more pairs, more of them agree by chance
_LEAST_ON_A_PLANE = 10  # a homography fixes both coordinates, so far fewer agree by chance: at most 6
_LEAST_AREA = 0.04  # of either picture, inside the pairs' hull: below, it may be one logo or number plate
# A poster or a lorry's side is flat, and only chance pairs agree off its plane. Of the pairs that agree on the walks,
# 22 % and more are off the largest plane; of a facade that fills the picture none may be.
_FLAT_SHARE = 0.80
_LEAST_AREA_IF_FLAT = 0.15
_LEAST_ABOVE = 12  # pairs above the lowest part of both pictures, where bonnets and dashboards are
_LOWEST_PART = 0.30
_STIFF_PX = 2.0  # at WORKING_SIDE_PX: what moves without turning, growing or parallax is no scene ...
_LEAST_SHARE_IF_STIFF = 0.5  # ... but a tiled watermark, unless most pairs do: a crop of the same photo
_SAME_PLACE = 0.015  # of the picture's side: overlays and the own car are there in every picture of a camera
_SEED = 0


@dataclass(frozen=True, eq=False)
class TwoView:
    """What geometry says of the pairs."""

    agrees: bool
    reason: str
    inliers: Mask  # (n,) of the pairs given
    left_out: int  # pairs at the very same place in both pictures


def two_view(pairs: Pairs) -> TwoView:
    """Fit one epipolar geometry to the pairs and judge whether so many could agree by chance; the same every time."""
    import cv2

    fixed = _fixed_to_the_frame(pairs)
    rows = np.flatnonzero(~fixed)
    query, reference = pairs.query[rows].astype(np.float64), pairs.reference[rows].astype(np.float64)
    query *= _working_scale(pairs.query_size)  # one error bound for both
    reference *= _working_scale(pairs.reference_size)
    inliers, plane = np.zeros((2, len(pairs)), dtype=bool)
    if len(rows) >= _LEAST_AGREEING:
        inliers[rows] = _robust(cv2.findFundamentalMat, query, reference, _INLIER_PX)
        kept = inliers[rows]
        if kept.sum() >= _LEAST_AGREEING:
            plane[inliers] = _robust(cv2.findHomography, query[kept], reference[kept], 2 * _INLIER_PX)
    reason = _too_few(inliers, plane, len(rows)) or _no_scene(pairs, inliers, plane)
    if reason is None and inliers.sum() < _LEAST_SHARE_IF_STIFF * len(rows):
        moves = (reference - query)[plane[rows]]
        if float(moves.std(axis=0).max()) < _STIFF_PX:
            reason = "they are shifted as a whole, without any parallax, as a repeated watermark is"
    words = f"{int(inliers.sum())} of {len(rows)} feature matches agree with one change of viewpoint"
    if fixed.any():
        words += f" ({int(fixed.sum())} more stand at the same place in both frames and were left out)"
    return TwoView(reason is None, words + (f": {reason}" if reason else ""), inliers, int(fixed.sum()))


def _too_few(inliers: Mask, plane: Mask, pairs_used: int) -> str | None:
    """Why so many may agree by chance, or None where they cannot."""
    needed = max(_LEAST_AGREEING, int(np.ceil(_LEAST_SHARE * pairs_used)))
    if inliers.sum() < needed:
        return f"unrelated pictures reach as many by chance; it takes {needed}"
    if plane.sum() < _LEAST_ON_A_PLANE:
        return f"only {int(plane.sum())} of them move together as a surface does; it takes {_LEAST_ON_A_PLANE}"
    return None


def _no_scene(pairs: Pairs, inliers: Mask, plane: Mask) -> str | None:
    """Why what agrees may be a thing that is at many places, or None where it is a scene."""
    query, reference = pairs.query / sides(pairs.query_size), pairs.reference / sides(pairs.reference_size)
    area = min(_hull_area(query[inliers]), _hull_area(reference[inliers]))
    flat_area = min(_hull_area(query[plane]), _hull_area(reference[plane]))
    if area < _LEAST_AREA or (plane.sum() > _FLAT_SHARE * inliers.sum() and flat_area < _LEAST_AREA_IF_FLAT):
        return f"they lie on one flat thing of {min(area, flat_area):.1%} of a picture, which may be a sign or a poster"
    low = (query[:, 1] > 1 - _LOWEST_PART) & (reference[:, 1] > 1 - _LOWEST_PART)
    if int((inliers & ~low).sum()) < _LEAST_ABOVE:
        return "almost all of them are at the lower edge, where the own car is"
    return None


def _robust(fit: Any, query: NDArray[np.float64], reference: NDArray[np.float64], threshold_px: float) -> Mask:
    """Run MAGSAC++ (Barath et al. 2020) with a generator of its own, so that threads do not disturb one another."""
    import cv2

    options = cv2.UsacParams()
    options.score, options.loMethod = cv2.SCORE_METHOD_MAGSAC, cv2.LOCAL_OPTIM_SIGMA
    options.threshold, options.confidence, options.maxIterations = threshold_px, 0.999, 2000
    options.sampler, options.randomGeneratorState = cv2.SAMPLING_UNIFORM, _SEED
    try:
        _, mask = fit(query, reference, options)
    except cv2.error:  # all points on a line, or on one spot
        mask = None
    return np.zeros(len(query), dtype=bool) if mask is None else np.asarray(mask).ravel() > 0


def _fixed_to_the_frame(pairs: Pairs) -> Mask:
    """Mark pairs at the same place of both frames, unless they are all over the picture.

    Watermarks, stamped dates, bonnets and dashboards stay where they are. So does the scene, in two photos from one
    spot and in a copy: then the inner four of 16 fields hold such pairs, and most of the others.
    """
    query = pairs.query / sides(pairs.query_size)
    fixed = np.abs(query - pairs.reference / sides(pairs.reference_size)).max(axis=1, initial=0.0) < _SAME_PLACE
    field = np.clip((query[fixed] * 4).astype(int), 0, 3)
    held = np.zeros((4, 4), dtype=int)
    np.add.at(held, (field[:, 1], field[:, 0]), 1)
    everywhere = bool((held[1:3, 1:3] >= 2).all()) and int((held > 0).sum()) > 8
    return np.zeros_like(fixed) if everywhere else np.asarray(fixed)


def _working_scale(size: tuple[int, int]) -> float:
    return min(1.0, WORKING_SIDE_PX / max(size))


def _hull_area(points: Points) -> float:
    import cv2

    return float(cv2.contourArea(cv2.convexHull(points.astype(np.float32)))) if len(points) > 2 else 0.0
