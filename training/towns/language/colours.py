"""Names of the colours of roofs and walls in invented towns: six that a person would tell apart at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

OTHER, NAMES = "other", ("red", "sand", "grey", "pale", "blue", "green")
# Hues in degrees, saturation and value in [0, 1]: bounds set by eye so that the styles' palette falls as it is called
# there (fired clay and brick red, slate and bitumen grey, cream and ochre sand, lime white pale).
_RED_TO, _SAND_TO, _GREEN_TO, _BLUE_TO, _RED_FROM = 24.0, 65.0, 175.0, 265.0, 340.0
_LEAST_SATURATION = {"red": 0.3, "sand": 0.2, "green": 0.15, "blue": 0.2}
_PALE_VALUE = 0.75
_DARK_VALUE = 0.35  # windows, doors and what lies in deep shade have no colour to be named


def colour_names(rgb: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Name colours, shape (n, 3) to (n,); `OTHER` where none fits."""
    channels = rgb.astype(np.float64) / 255.0
    high, low = channels.max(axis=1), channels.min(axis=1)
    spread = np.maximum(high - low, 1e-9)
    red, green, blue = channels.T
    hue = np.select(
        [high == red, high == green], [(green - blue) / spread % 6.0, (blue - red) / spread + 2.0],
        (red - green) / spread + 4.0,
    ) * 60.0  # fmt: skip
    saturation = (high - low) / np.maximum(high, 1e-9)
    in_hue = {
        "red": (hue < _RED_TO) | (hue >= _RED_FROM),
        "sand": (hue >= _RED_TO) & (hue < _SAND_TO),
        "green": (hue >= _SAND_TO) & (hue < _GREEN_TO),
        "blue": (hue >= _GREEN_TO) & (hue < _BLUE_TO),
    }
    coloured = {name: there & (saturation >= _LEAST_SATURATION[name]) for name, there in in_hue.items()}
    plain = saturation < max(_LEAST_SATURATION["sand"], 0.2)
    names = np.select(
        [*coloured.values(), plain & (high >= _PALE_VALUE), plain], [*coloured, "pale", "grey"], OTHER
    )  # fmt: skip
    return np.asarray(names, np.str_)


def pixel_shares(pixels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share of each named colour among the pixels inside, (h, w, 3) and (h, w), deep shade left out."""
    chosen = pixels[inside]
    chosen = chosen[chosen.max(axis=1, initial=0) >= _DARK_VALUE * 255.0]
    if not len(chosen):
        return {}
    names, counts = np.unique(colour_names(chosen), return_counts=True)
    return {str(name): float(count) / len(chosen) for name, count in zip(names, counts, strict=True)}


def weighted_shares(colours: Iterable[tuple[tuple[int, int, int], float]]) -> dict[str, float]:
    """Return the share of each named colour among colours with weights."""
    every = list(colours)
    whole = sum(weight for _, weight in every)
    shares: dict[str, float] = defaultdict(float)
    if whole <= 0.0:
        return {}
    names = colour_names(np.array([colour for colour, _ in every], np.uint8))
    for name, (_, weight) in zip(names, every, strict=True):
        shares[str(name)] += weight / whole
    return {name: round(share, 4) for name, share in shares.items()}
