"""A satellite tile of a town: north up, shadows by the sun of the picture's day."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.conditions import Condition, infrared, night
from geosleuth.training.towns.views.from_above import nearest_cells, rendered, resized, seen_from_above, window

_GRAIN = 2.5  # levels of noise: what JPEG and the atmosphere leave of a good sensor's
_POOL_M = 7.0  # radius of the light under a street lamp


def satellite(town: Town, x_m: float, y_m: float, *, side_m: float, px: int, condition: Condition = "day") -> Rendered:
    """Draw the square of `side_m` around a point, px by px.

    Raises:
        ValueError: The square is not within the town.
    """
    cut = window(town, x_m, y_m, side_m)
    above = seen_from_above(town)
    pixels = resized(above.pixels[cut.slices], px)
    rng = np.random.default_rng((town.seed, 4, cut.top, cut.left, px))
    noise = rng.standard_normal((px, px, 1), np.float32) * _GRAIN
    pixels = np.clip(pixels * _season(town) + noise, 0, 255).astype(np.uint8)
    view = rendered(town, above, cut, pixels)
    if condition == "night":
        light = _lamplight(town)[nearest_cells(cut, px)]
        return Rendered(night(view.pixels, view.labels, rng, light=light), view.labels, view.seen)
    if condition == "infrared":
        return Rendered(infrared(view.pixels, view.labels), view.labels, view.seen)
    return view


def _season(town: Town) -> NDArray[np.float32]:
    """The tint of the picture's day: haze, the sun's height, the maker's colour balance."""
    rng = np.random.default_rng((town.seed, 5))
    return np.asarray(rng.uniform(0.94, 1.08) * rng.uniform(0.97, 1.03, 3), np.float32)


@lru_cache(maxsize=2)
def _lamplight(town: Town) -> NDArray[np.float32]:
    """How much lamplight falls on each cell, 0 to 1."""
    spots = np.zeros(town.surface.shape, np.float32)
    radius = round(_POOL_M / town.cell_m)
    for item in town.objects:
        if item.kind == "streetlight":
            centre = (round(item.x_m / town.cell_m), round(town.surface.shape[0] - item.y_m / town.cell_m))
            cv2.circle(spots, centre, radius, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(spots, (0, 0), radius / 2), np.float32)
