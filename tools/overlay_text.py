"""Tell writing that was laid over a picture (a caption, a camera's stamp) from writing that stands in the scene.

Scene text is seen by a lens: it leans, its edges are soft, its colours shade off. Overlay text is drawn on the grid of
pixels: its lines run exactly level, its letters end on one row, each of its colours is one colour, up to what later
scaling and compression leave of that. Each trait alone is shared by some sign; `measure` gives them all, and weights
that `training/script_classifier/overlay_text.py` fits say what they are worth together.
"""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat

from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.textline import Corners

TRAITS = (
    "light_colour", "dark_colour", "light", "dark", "light_share", "dark_share", "edge", "smooth", "height",
    "box_angle", "level", "row_steps", "largest_row_step", "column_steps",
)  # fmt: skip
# Of lines in photos that people hand on, so many are laid over: a judgement; the fit sees both kinds alike.
SHARE = 0.25
_LEAST_PX = 6  # of both sides; below, nothing can be measured
_TALLEST_PX = 96  # larger lines are made smaller: what is measured then costs the same, and noise is no trait of size
_SLOPES = (0.007, 0.012, 0.018, 0.027, 0.04, 0.06)  # to either side: 0.4 to 3.4 degrees
_FURTHEST = 4.0  # standard deviations; a trait that is further out says no more

Grey = NDArray[np.float32]  # (h, w), 0 to 255


class OverlayWeights(BaseModel):
    """A logistic regression on the traits, their squares and products."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    traits: tuple[str, ...]
    means: tuple[FiniteFloat, ...]
    spreads: tuple[FiniteFloat, ...]  # standard deviations
    weights: tuple[FiniteFloat, ...]  # of `terms`
    source: str


@lru_cache(maxsize=1)
def overlay_weights() -> OverlayWeights:
    """Read the weights that ship with the package."""
    return OverlayWeights.model_validate_json(_shipped())


def overlay_version() -> str:
    """Name the weights by their hash."""
    return sha256(_shipped()).hexdigest()[:12]


def _shipped() -> bytes:
    return files("geosleuth.tools").joinpath("data/overlay_text.json").read_bytes()


def overlay_probability(pixels: Pixels, box: Corners) -> float:
    """Return the probability that a line was laid over the picture; 0 where it is too small to tell.

    Args:
        pixels: The upright photo, (h, w, 3) uint8 RGB.
        box: The line's corners in its pixels.
    """
    traits = measure(pixels, box)
    return 0.0 if traits is None else probability_of(traits)


def probability_of(traits: Floats) -> float:
    """Return the probability that a line with these traits was laid over its picture."""
    fitted = overlay_weights()
    scaled = (traits - np.array(fitted.means)) / np.array(fitted.spreads)
    logit = float(terms(scaled[None])[0] @ np.array(fitted.weights)) + math.log(SHARE / (1 - SHARE))
    return 1 / (1 + math.exp(-min(max(logit, -50.0), 50.0)))


def terms(scaled: Floats) -> Floats:
    """Return 1, traits, and their products, (n, terms), for scaled traits (n, traits)."""
    near = np.clip(scaled, -_FURTHEST, _FURTHEST)
    left, right = np.triu_indices(near.shape[1])
    return np.column_stack([np.ones(len(near)), near, near[:, left] * near[:, right]])


def measure(pixels: Pixels, box: Corners) -> Floats | None:
    """Measure the `TRAITS` of one line; None where it is too small."""
    import cv2

    corners = np.asarray(box, np.float64)
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), (pixels.shape[1], pixels.shape[0]))
    if (high - low).min() < _LEAST_PX:
        return None
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
    if grey.shape[0] > _TALLEST_PX:
        width = max(round(grey.shape[1] * _TALLEST_PX / grey.shape[0]), _LEAST_PX)
        grey = cv2.resize(grey, (width, _TALLEST_PX), interpolation=cv2.INTER_AREA)
    line = np.asarray(grey, np.float32)
    along = corners[1] - corners[0]
    angle_deg = abs(math.degrees(math.atan2(along[1], along[0])))
    light, dark = _one_colour(line), _one_colour(255 - line)
    found = (
        light[0], dark[0], light[1], dark[1], light[2], dark[2], _edge(line), _smooth(line), math.log(line.shape[0]),
        min(angle_deg, 6.0), *_level(line), _steps(line.T, 4),
    )  # fmt: skip
    return np.array(found, np.float64)


def _one_colour(line: Grey) -> tuple[float, float, float]:
    """How much of the light part is of one colour, how light that is, and its share of the line: each 0 to 1."""
    low, high = np.percentile(line, (1, 99))
    part = line[line > low + 0.62 * (high - low)]
    if high - low < 12 or part.size < 8:
        return 0.0, 0.0, 0.0
    counts = np.bincount(part.astype(np.uint8), minlength=256).astype(float)
    near = np.convolve(counts, np.ones(9), "same")
    mode = int(near.argmax())
    around = counts[max(0, mode - 30) : mode + 31].sum()
    return float(near[mode] / around), mode / 255, float(near[mode] / line.size)


def _edge(line: Grey) -> float:
    """How much of a letter's edge is crossed from one pixel to the next: 1 for a drawn one, half for a lens's."""
    import cv2

    low, high = np.percentile(line, (2, 98))
    wide = np.ones((1, 5), np.uint8)
    step = np.abs(np.diff(line, axis=1))
    span = cv2.dilate(line, wide) - cv2.erode(line, wide)
    span = np.maximum(span[:, 1:], span[:, :-1])
    crossed = (span > 0.5 * max(high - low, 8)) & (step >= cv2.dilate(step, wide))
    return float(np.median(step[crossed] / span[crossed])) if crossed.sum() > 5 else 0.5


def _smooth(line: Grey) -> float:
    """How little the flattest quarter varies from pixel to pixel: below 0, in logarithms; 0 is a drawn plane."""
    import cv2

    return -math.log1p(float(np.percentile(np.abs(cv2.Laplacian(line, cv2.CV_32F)), 25)))


def _level(line: Grey) -> tuple[float, float, float]:
    """How much clearer its rows end as it lies than turned a little; how clearly they do; and the clearest."""
    import cv2

    height, width = line.shape
    here, best = _steps(line, 2), 0.0
    for slope in (sign * one for one in _SLOPES for sign in (-1, 1)):
        if abs(slope) * width >= 0.7:  # less is no turn on this grid
            turned = np.array([[1, 0, 0], [slope, 1, -slope * width / 2]], np.float32)
            sheared = cv2.warpAffine(line, turned, (width, height), borderMode=cv2.BORDER_REPLICATE)
            best = max(best, _steps(np.asarray(sheared, np.float32), 2))
    level = math.log((here + 1e-3) / (best + 1e-3)) if best > 0 else 0.0  # narrower than any turn: nothing is told
    return min(max(level, -2.0), 2.0), here, _steps(line, 1)


def _steps(line: Grey, most: int) -> float:
    """The clearest steps that whole rows share, over the mean row's steps: letters end on few rows."""
    step = np.diff(line, axis=0)
    shared = np.sort(np.abs(step.sum(1)))[-most:].mean()
    return min(float(shared / max(float(np.abs(step).sum() / len(step)), 1e-3)), 6.0)
