"""Night and near infrared: what a picture would look like, from its pixels and labels."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.classes import class_number

Condition = Literal["day", "night", "infrared"]
CONDITIONS: tuple[Condition, ...] = ("day", "night", "infrared")

# Reflectance at 0.85 um in the order of the USGS spectral library: leaves about 0.5, dry soil and sand 0.3 to 0.4,
# asphalt 0.1 to 0.2, water below 0.05. As levels of an 8-bit picture in full sun.
_INFRARED = {
    "tree": 205, "palm": 195, "plant": 200, "grass": 185, "field": 180, "flower": 190,
    "water": 12, "river": 12, "lake": 10, "sea": 10, "swimming pool": 18, "fountain": 40, "sky": 36,
}  # fmt: skip
_LEAF = 105.0  # grey of a lawn in the sun, by day
_BRIGHT = 100.0  # levels above are plants'; below, water and sky
_DULL = 0.85  # stone, asphalt and tiles are a little darker than in the visible, beside leaves
_DARK = 0.2  # of the day's light where no lamp shines: a judgement, so that shapes can still be told
_MOON = np.array([0.75, 0.85, 1.25], np.float32)
_LAMP = np.array([255.0, 190.0, 105.0], np.float32)  # sodium


def night(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    light: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Darken a picture, and let lamps shine.

    Args:
        pixels: (h, w, 3) by day.
        labels: (h, w) ADE20K; street lamps, traffic lights and signs keep their own light.
        rng: For the camera's noise.
        light: (h, w) from 0 to 1: how much lamplight falls here, where the caller knows.
    """
    day = pixels.astype(np.float32)
    dark = day * (_DARK * _MOON)
    glow = np.isin(labels, [class_number(k) for k in ("streetlight", "traffic light", "signboard", "lamp", "light")])
    lit = glow.astype(np.float32)
    if light is not None:
        lit = np.maximum(lit, light)
    dark[labels == class_number("sky")] = (10.0, 13.0, 26.0)
    dark += (day * (_LAMP / 255.0) * 0.95 + 12.0 * (_LAMP / 255.0)) * lit[..., None]
    dark += rng.standard_normal(dark.shape, np.float32) * 3.0  # of a sensor at high gain
    return np.clip(dark, 0, 255).astype(np.uint8)


def infrared(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn a picture into one band near 0.85 um, repeated thrice: leaves bright, water black."""
    grey = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    known = _levels()[labels]
    relief = np.clip(0.55 + 0.45 * grey / _LEAF, 0.6, 1.15)  # crowns keep some of their light and shade
    band = np.where(known > 0, known * np.where(known > _BRIGHT, relief, 1.0), _DULL * grey)
    return np.repeat(np.clip(band, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@cache
def _levels() -> NDArray[np.float32]:
    """Level of each label in the infrared, (256,); 0 where the visible picture decides."""
    levels = np.zeros(256, np.float32)
    for kind, level in _INFRARED.items():
        levels[class_number(kind)] = level
    return levels
