"""A satellite tile of a town: north up, shadows by the sun of the picture's day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.from_above import nearest_cells, rendered, resized, seen_from_above, window
from geosleuth.training.towns.views.light import in_condition
from geosleuth.training.towns.views.scene import scene_of

_GRAIN = 2.5  # levels of noise: what JPEG and the atmosphere leave of a good sensor's


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
    pools = scene_of(town).lamplight[nearest_cells(cut, px)] if condition == "night" else None
    unlit = np.zeros((1, 1, 3), np.float32)  # no window and no sign is seen from so far above
    return Rendered(in_condition(view.pixels, view.labels, unlit, pools, condition, rng), view.labels, view.seen)


def _season(town: Town) -> NDArray[np.float32]:
    """The tint of the picture's day: haze, the sun's height, the maker's colour balance."""
    rng = np.random.default_rng((town.seed, 5))
    return np.asarray(rng.uniform(0.94, 1.08) * rng.uniform(0.97, 1.03, 3), np.float32)
