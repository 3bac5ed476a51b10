"""Rules that decide, from what is known of a view of an invented town, whether a person would see a feature in it.

The bounds are judgements: what is smaller is in the picture, but nobody would name it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.language.scene_facts import BUILT
from geosleuth.training.towns.language.shown import Shown
from geosleuth.training.towns.making.styles import YELLOW

Rule = Callable[[Shown], bool]
GROUND = frozenset({"ground", "panorama"})
_ROOFS_SEEN, _WALLS_SEEN = 0.05, 0.08  # of the picture; less of them is a glimpse
_DOMINANT = 0.3  # of what is built: up to three colours at once
_IN_PIXELS = 0.1  # of what is built: a red house behind a tree, or of which a blue shop front is seen, is not said
_ROAD_SEEN = 0.04  # of the picture, before anything is said of the paint on it
_LEAST_PAINT_PX, _PAINT_SHARE = 6, 0.004  # of the road: a line of 0.15 m on 12 m is 0.0125 of it, half in gaps
_BRIGHTER = 40  # levels by which white paint is lighter than most of the road: 222 on 92, blended with it
_LIT_ROAD = 1.4  # of the asphalt's own level: what the sun and the camera can make of bare road, or of a car park's
_PLAIN = 30  # levels between the channels of white, at most
_TREES = 3
_NEAR_ROAD = 1.5  # of its own size around a crown


def ground(kinds: tuple[str, ...], least: float) -> Rule:
    """Surface of some classes covers a share of the mask."""
    return lambda shown: shown.share(*kinds) >= least


def thing(kinds: tuple[str, ...], least: float) -> Rule:
    """The largest thing of some classes covers a share of the picture."""
    return lambda shown: shown.largest(*kinds) >= least


def roofs(colour: str) -> Rule:
    """Many roofs have a colour: by the facts beside the view and its pixels; by a tile's pixels alone without them."""
    return lambda shown: shown.share(*BUILT) >= _ROOFS_SEEN and _coloured(shown, "roofs", colour, ("satellite",))


def walls(colour: str) -> Rule:
    """Many walls have a colour, in the same way."""
    return lambda shown: shown.share(*BUILT) >= _WALLS_SEEN and _coloured(shown, "walls", colour, GROUND)


def _coloured(shown: Shown, what: str, colour: str, by_pixels: Iterable[str]) -> bool:
    pixels = shown.built_colours
    if what not in shown.scene:
        return shown.view in by_pixels and pixels.get(colour, 0.0) >= _DOMINANT
    # In the shade what is pale looks grey.
    seen = pixels.get(colour, 0.0) + (pixels.get("grey", 0.0) if colour == "pale" else 0.0)
    return shown.scene[what].get(colour, 0.0) >= _DOMINANT and seen >= _IN_PIXELS


def traffic(side: str) -> Rule:
    """Something drives, and the country keeps to this side."""
    return lambda shown: shown.scene.get("traffic") == side


def fact(name: str) -> Rule:
    """The facts beside the view say so, and asphalt can be seen."""
    return lambda shown: bool(shown.scene.get(name)) and shown.share("road") >= _ROAD_SEEN


def yellow_line(shown: Shown) -> bool:
    """The style's centre lines are yellow, and such pixels are on the road."""
    if shown.style.centre_line != YELLOW:
        return False
    road = _road(shown)
    red, green, blue = (road[:, channel].astype(np.int16) for channel in range(3))
    return _enough((red > green) & (green > blue + 15) & (red > blue + 30), road)


def white_paint(shown: Shown) -> bool:
    """Light and colourless pixels are on the road."""
    road = _road(shown)
    if not len(road):
        return False
    level = road.mean(axis=1)
    plain = road.max(axis=1).astype(np.int16) - road.min(axis=1) <= _PLAIN
    bright = level >= max(np.median(level) + _BRIGHTER, _LIT_ROAD * np.mean(shown.style.asphalt))
    return _enough(plain & bright, road)


def _road(shown: Shown) -> NDArray[np.uint8]:
    """Pixels of the road but for its edge, where they blend with the pavement's."""
    if shown.share("road") < _ROAD_SEEN:
        return np.zeros((0, 3), np.uint8)
    inner = cv2.erode(shown.inside("road").astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    return shown.pixels[inner > 0]


def _enough(paint: NDArray[np.bool_], road: NDArray[np.uint8]) -> bool:
    return int(paint.sum()) >= max(_LEAST_PAINT_PX, _PAINT_SHARE * len(road))


def trees_by_road(shown: Shown) -> bool:
    """Several trees stand at a street: from above within a crown's width of it."""
    trees = [one for one in shown.seen if one.kind in ("tree", "palm")]
    if len(trees) < _TREES or sum(one.share for one in trees) < 0.01:
        return False
    paved = shown.inside("road", "sidewalk")
    if shown.view in GROUND:
        return bool(paved.mean() >= _ROAD_SEEN)
    height, width = paved.shape
    near = 0
    for left, top, right, bottom in (one.box for one in trees):
        across, down = (_NEAR_ROAD - 1) * (right - left), (_NEAR_ROAD - 1) * (bottom - top)
        rows = slice(max(int((top - down) * height), 0), int((bottom + down) * height) + 1)
        columns = slice(max(int((left - across) * width), 0), int((right + across) * width) + 1)
        near += bool(paved[rows, columns].any())
    return near >= _TREES


def sign_in(script: str) -> Rule:
    """A readable sign has letters of a script, by Unicode's name of it."""
    return lambda shown: any(script in scripts_of(one.text) for one in shown.seen if one.text)


def scripts_of(text: str) -> frozenset[str]:
    """Return Unicode's names of the scripts of a text's letters."""
    return frozenset(unicodedata.name(char, "?").split()[0] for char in text if char.isalpha())
