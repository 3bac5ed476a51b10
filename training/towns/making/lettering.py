"""Pictures of signs: text in the fonts that geosleuth ships, or strokes that look like writing and are none."""

from __future__ import annotations

import zlib
from functools import cache, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.report import fonts
from geosleuth.training.towns.making.sign_words import base_of
from geosleuth.training.towns.town import Colour

# Of the languages whose letters Noto Sans itself lacks; it has Latin, Greek and Cyrillic.
_FONTS = {
    "ka": "NotoSansGeorgian-Regular.ttf",
    "hy": "NotoSansArmenian-Regular.ttf",
    "he": "NotoSansHebrew-Regular.ttf",
    "ar": "NotoSansArabic-Regular.ttf",
    "am": "NotoSansEthiopic-Regular.ttf",
    "hi": "NotoSansDevanagari-Regular.ttf",
    "bn": "NotoSansBengali-Regular.ttf",
    "th": "NotoSansThai-Regular.ttf",
}
_INK = 0.62  # of a sign's height, from the highest to the lowest stroke
_DRAWN_PX = 48  # height at which letters are drawn; smaller signs are made from it
_CACHED = 1024  # masks and pictures; a town has some 200 signs


@lru_cache(maxsize=_CACHED)
def sign_picture(text: str, language: str, colour: Colour, text_colour: Colour, height_px: int) -> NDArray[np.uint8]:
    """Draw a sign, (height_px, w, 3), as wide as its words need. It is cached, hence read-only.

    Args:
        text: One line.
        language: BCP 47; it chooses the font.
        colour: Of the board.
        text_colour: Of the letters.
        height_px: From 1 on.
    """
    return _painted(text_mask(text, language), colour, text_colour, height_px)


@lru_cache(maxsize=_CACHED)
def unreadable_picture(
    text: str, language: str, colour: Colour, text_colour: Colour, height_px: int
) -> NDArray[np.uint8]:
    """Draw a sign of the same make whose strokes spell nothing: as many shapes as the text has letters."""
    del language  # shapes of no script
    return _painted(_strokes(zlib.crc32(text.encode()), len(text)), colour, text_colour, height_px)


def font_file(language: str) -> str:
    """Name the shipped font that draws a language."""
    return _FONTS.get(base_of(language), fonts.BOLD)


@cache
def _font(name: str) -> Any:
    from PIL import ImageFont, features

    # Without raqm the letters of Arabic do not join and those of Devanagari stand in the wrong order.
    layout = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(fonts.folder() / name), _DRAWN_PX, layout_engine=layout)


@lru_cache(maxsize=_CACHED)
def text_mask(text: str, language: str) -> NDArray[np.uint8]:
    """Return a text's ink, 0 to 255, (h, w), with a margin as on a board."""
    from PIL import Image, ImageDraw

    font = _font(font_file(language))
    left, top, right, bottom = (round(v) for v in font.getbbox(text))
    image = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(image).text((-left, -top), text, 255, font)
    return _framed(np.asarray(image, np.uint8))


@lru_cache(maxsize=_CACHED)
def _strokes(seed: int, count: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    height, pen = _DRAWN_PX, 5
    ink = np.zeros((height, count * height * 2 // 3 + height), np.uint8)
    x = pen
    for _ in range(count):
        wide = int(rng.integers(height // 3, height * 2 // 3))
        if rng.random() < 0.12:  # a gap between what might be words
            x += wide
            continue
        for _ in range(int(rng.integers(2, 4))):
            points = np.stack([x + rng.integers(0, wide, 3), rng.integers(pen, height - pen, 3)], axis=1)
            cv2.polylines(ink, [points.astype(np.int32)], False, 255, pen, cv2.LINE_AA)
        x += wide + pen
    return _framed(ink[:, : x + pen])


def _framed(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    margin = round(ink.shape[0] * (1.0 / _INK - 1.0) / 2)
    return np.pad(ink, ((margin, margin), (2 * margin, 2 * margin)))


def _painted(ink: NDArray[np.uint8], colour: Colour, text_colour: Colour, height_px: int) -> NDArray[np.uint8]:
    width = max(round(ink.shape[1] * height_px / ink.shape[0]), 1)
    method = cv2.INTER_AREA if height_px < ink.shape[0] else cv2.INTER_LINEAR
    alpha = cv2.resize(ink, (width, height_px), interpolation=method).astype(np.float32)[..., None] / 255.0
    mixed = np.array(colour, np.float32) * (1.0 - alpha) + np.array(text_colour, np.float32) * alpha
    picture = np.asarray(np.rint(mixed), np.uint8)
    picture.flags.writeable = False  # it is shared
    return picture
