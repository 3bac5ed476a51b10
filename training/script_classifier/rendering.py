"""Draw a line of writing as a camera would see it on a sign: font, colours, relief, perspective, blur, JPEG."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.script_classifier.fonts import fonts_by_script
from geosleuth.training.script_classifier.strings import sign_pattern, strings_by_script
from geosleuth.training.script_classifier.textures import Textures

Grey = NDArray[np.uint8]  # (h, w)

_SIZE = 44  # px, at which letters are drawn before they are made as small as the camera saw them
_CASED = frozenset({"Latn", "Cyrl", "Grek", "Armn"})  # Georgian capitals (Mtavruli) are not on signs
_SPACED = frozenset(
    {"Latn", "Cyrl", "Grek", "Hebr", "Hani", "Hang", "Geor", "Armn", "Zyyy"}
)  # letters that do not join


def draw_text(script: str, rng: np.random.Generator, *, test: bool = False) -> str:
    """Choose a line's words: one to four strings of the script, in capitals as often as signs are."""
    if script == "Zyyy":
        return _draw_number(rng)
    strings = strings_by_script()[script][1 if test else 0]
    words = [strings[rng.integers(len(strings))] for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    text = " ".join(words)[: rng.integers(8, 32)].strip() or words[0]
    if rng.random() < 0.06:  # digits stand beside words on signs
        text = f"{text} {rng.integers(1, 200)}"
    if script in _CASED:
        text = (text.upper, text.upper, text.title, str)[rng.integers(4)]() if rng.integers(4) < 3 else text
    return text


def _draw_number(rng: np.random.Generator) -> str:
    text = sign_pattern(int(rng.integers(1000)))
    while "{n}" in text:
        text = text.replace("{n}", str(rng.integers(10 ** int(rng.integers(1, 5)))), 1)
    return text


def render_line(script: str, textures: Textures, rng: np.random.Generator, *, test: bool = False) -> Grey:
    """Draw one line of `script`, 32 px high and grey, with words and fonts of the training or the test set."""
    for _ in range(20):
        text = draw_text(script, rng, test=test)
        fonts = fonts_by_script()[script][1 if test else 0]
        mask = draw_mask(text, fonts[rng.integers(len(fonts))], rng, spaced=script in _SPACED)
        if mask is not None:
            return photograph(mask, textures, rng)
    raise ValueError(f"no font draws the words of {script}")


@lru_cache(maxsize=400)
def _font(path: Path, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.RAQM)


def draw_mask(text: str, path: Path, rng: np.random.Generator, *, spaced: bool) -> Grey | None:
    """Draw letters white on black with a margin of one letter height; None where the font lacks their ink."""
    from PIL import Image, ImageDraw

    font = _font(path, _SIZE)
    spacing = int(rng.integers(2, 14)) if spaced and rng.random() < 0.15 else 0
    bold = int(rng.choice((0, 0, 0, 1, 2)))
    left, top, right, bottom = font.getbbox(text, stroke_width=bold)
    if right - left < 4 or bottom - top < 8:
        return None
    width, height = right - left + spacing * len(text) + 2 * _SIZE, bottom - top + 2 * _SIZE
    image = Image.new("L", (int(width), int(height)))
    draw = ImageDraw.Draw(image)
    if spacing:
        x = float(_SIZE - left)
        for letter in text:
            draw.text((x, _SIZE - top), letter, 255, font, stroke_width=bold)
            x += font.getlength(letter) + spacing
    else:
        draw.text((_SIZE - left, _SIZE - top), text, 255, font, stroke_width=bold)
    return np.asarray(image, np.uint8)


def photograph(mask: Grey, textures: Textures, rng: np.random.Generator) -> Grey:
    """Paint a mask on a background, look at it askance, cut it out as the detector would, and spoil it."""
    import cv2

    mask = _stretch(mask, rng)
    height, width = mask.shape
    ground = textures.cut(height, width, rng).astype(np.float32)
    if rng.random() < 0.7:  # most signs are plain boards
        ground = np.asarray(ground * rng.uniform(0, 0.35) + rng.uniform(0, 200), np.float32)
    dark = ground.mean() < 128
    ink = rng.uniform(150, 255) if dark != (rng.random() < 0.15) else rng.uniform(0, 90)
    if abs(ink - ground.mean()) < 40:
        ink = 255.0 if dark else 0.0
    alpha = mask.astype(np.float32) / 255
    if rng.random() < 0.15:  # an outline or a shadow of another tone
        rim = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 3))).astype(np.float32) / 255
        rim = np.roll(rim, tuple(rng.integers(-2, 4, 2)), (0, 1))
        ground = np.asarray(ground * (1 - rim) + rng.uniform(0, 255) * rim, np.float32)
    picture: NDArray[np.float32] = np.asarray(ground * (1 - alpha) + ink * alpha, np.float32)
    if rng.random() < 0.4:  # uneven light
        picture *= np.linspace(rng.uniform(0.55, 1.2), rng.uniform(0.55, 1.2), width, dtype=np.float32)[None]
    return _spoil(_cut_out(picture, mask, rng), rng)


def _stretch(mask: Grey, rng: np.random.Generator) -> Grey:
    import cv2

    factor = float(np.exp(rng.normal(0, 0.22)))  # condensed and wide hands, and signs seen from the side
    return np.asarray(cv2.resize(mask, (max(int(mask.shape[1] * factor), 8), mask.shape[0])), np.uint8)


def _cut_out(picture: NDArray[np.float32], mask: Grey, rng: np.random.Generator) -> NDArray[np.float32]:
    """Warp the four corners of the ink, moved as a detector errs, to an upright crop."""
    import cv2

    rows, columns = np.nonzero(mask.max(1) > 64)[0], np.nonzero(mask.max(0) > 64)[0]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    tall = bottom - top
    margin = (
        rng.normal(0.16, 0.1, 4) * tall
    )  # a judgement of how far PP-OCR's boxes stand off; some cut into the letters
    if right - left > 6 * tall and rng.random() < 0.5:  # a part of a long line
        window = rng.uniform(2.5, 7) * tall
        left = left + rng.uniform(0, max(right - left - window, 1))
        right = min(left + window, right)
    corners = np.array([[left - margin[0], top - margin[1]], [right + margin[2], top - margin[1]],
                        [right + margin[2], bottom + margin[3]], [left - margin[0], bottom + margin[3]]])  # fmt: skip
    corners += rng.normal(0, 0.05 * tall, (4, 2))
    size = (max(int(corners[1, 0] - corners[0, 0]), 8), max(int(corners[3, 1] - corners[0, 1]), 8))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _spoil(crop: NDArray[np.float32], rng: np.random.Generator) -> Grey:
    """Make a crop as small and as poor as a street photo's, then as high as the classifier wants it."""
    import cv2

    from geosleuth.tools.script_classifier import HEIGHT

    height = float(np.exp(rng.uniform(np.log(11), np.log(44))))  # px of the whole line in the camera's own pixels
    width = max(int(crop.shape[1] * height / crop.shape[0]), 4)
    small = cv2.resize(crop, (width, max(int(height), 4)), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.0))
    if rng.random() < 0.2:  # the hand shook
        small = cv2.blur(small, (int(rng.integers(2, 4)), 1))
    small = np.clip(small + rng.normal(0, rng.uniform(0, 8), small.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])
        small = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[rng.integers(3)]
    return np.asarray(cv2.resize(small, (max(round(width * HEIGHT / height), 16), HEIGHT), interpolation=way), np.uint8)
