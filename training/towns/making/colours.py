"""Colours of houses: roof and wall of one house go together, so that both ends of a view can be told to be it."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.making.style import Style
from geosleuth.training.towns.town import Colour


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour lighter or darker."""
    red, green, blue = (min(max(round(c * factor), 0), 255) for c in colour)
    return red, green, blue


def tint(colour: Colour, by: np.ndarray) -> Colour:
    """Add to the channels."""
    red, green, blue = (min(max(round(c + float(t)), 0), 255) for c, t in zip(colour, by, strict=True))
    return red, green, blue


def wall_and_roof(style: Style, difficulty: float, rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Draw the colours of one house.

    At difficulty 0 every house has a tint of its own (a standard deviation of 47 levels before half of the brightness
    is taken out; the roof has all of it, the wall 0.8); at 1 it is what weather does (5), and with the style's usual
    three or four pairs the first is on some 70 % of the houses.
    """
    count = len(style.walls)
    weights = np.exp(-np.arange(count) * 1.2 * difficulty)
    pick = int(rng.choice(count, p=weights / weights.sum()))
    spread = 42.0 * (1.0 - difficulty) ** 2 + 5.0
    common = rng.normal(0.0, spread, 3)
    common -= 0.5 * common.mean()  # more hue than brightness
    own = rng.normal(0.0, 4.0, 3)
    return tint(style.walls[pick], 0.8 * common + own), tint(style.roofs[pick], common)


def around(colour: Colour, spread: float, rng: np.random.Generator) -> Colour:
    """Draw a colour near another."""
    return tint(colour, rng.normal(0.0, spread, 3))
