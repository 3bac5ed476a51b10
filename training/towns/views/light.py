"""Day, night and infrared: the condition that a finished view is turned into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.views.conditions import infrared, night
from geosleuth.training.towns.views.scene import Floats

LAMP = np.array([255, 208, 140], dtype=np.float32)  # warm white, behind windows


def in_condition(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    light: Floats,
    pools: Floats | None,
    condition: str,
    rng: np.random.Generator | None,
) -> NDArray[np.uint8]:
    """Turn a view by day into its condition.

    Args:
        pixels: (h, w, 3) by day.
        labels: (h, w) classes.
        light: (h, w, 3) colours of windows and lamps that shine at night, 0 elsewhere.
        pools: (h, w) 0 to 1: how much light of street lamps falls on what a pixel shows; None by day.
        condition: "day", "night" or "infrared".
        rng: Of the view; None draws the same night each time.

    Raises:
        ValueError: No such condition.
    """
    if condition == "day":
        return pixels
    if condition == "infrared":
        return infrared(pixels, labels)
    if condition != "night":
        raise ValueError(f"condition is {condition!r}, not 'day', 'night' or 'infrared'")
    dark = night(pixels, labels, rng if rng is not None else np.random.default_rng(0), light=pools)
    shining = np.maximum(dark.astype(np.float32), light)
    return np.clip(shining, 0, 255).astype(np.uint8)
