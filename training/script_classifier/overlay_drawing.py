"""Captions over photos, and boards in them: what tells overlaid writing from signs is fitted on these.

Captions stand on bands, half-transparent ones, with outlines, shadows or nothing around them; boards are drawn with
shade, a lens's softness and grain, every third one level. Then the picture is scaled and compressed as on its way.
All in the fonts installed here.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geosleuth.indexes.errors import InputError
from geosleuth.training.script_classifier.fonts import fonts_by_script
from geosleuth.training.script_classifier.rendering import draw_text

STYLES = ("band", "half", "bare", "outlined", "shadowed")
SIGNS = ("", "a drawn sign", "a drawn sign that hangs level")  # the first are the photos' own
_STYLE_SHARES = (0.3, 0.15, 0.2, 0.2, 0.15)
_SCRIPTS = ("Latn",) * 6 + ("Cyrl", "Grek", "Arab", "Hani")
_FINE = 2  # times as large as it will be seen is a board drawn: a lens has no grid on which letters stand

Rect = tuple[float, float, float, float]  # left, top, right, bottom, px


def caption(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, list[Rect], str]:
    """Write one or two lines over a picture; returned with their rectangles and the style."""
    width, height = image.size
    script = _script(rng)
    lines = [draw_text(script, rng) for _ in range(rng.integers(1, 3))]
    faces = fonts_by_script()[script][0]
    face, size = faces[rng.integers(len(faces))], max(10, int(height * rng.uniform(0.025, 0.09)))
    widest = max(_font(face, size).getlength(line) for line in lines)
    size = max(8, int(size * min(1.0, 0.95 * width / max(widest, 1))))
    font = _font(face, size)
    widest, step = max(font.getlength(line) for line in lines), int(1.35 * size)
    tall = step * len(lines)
    left = int(rng.uniform(0, max(1, width - widest))) if rng.random() < 0.5 else size // 2
    tops = (height - tall - size // 2, size // 2, int(rng.uniform(0, max(1, height - tall))))
    top = max(0, tops[rng.choice(3, p=(0.5, 0.2, 0.3))])
    ink, ground = _colours(rng)
    style = STYLES[rng.choice(len(STYLES), p=_STYLE_SHARES)]
    out = image.copy()
    if style in ("band", "half"):
        edges = (0, width) if rng.random() < 0.5 else (left - size // 2, left + int(widest) + size // 2)
        mask = Image.new("L", image.size, 0)
        area = (edges[0], top - size // 4, edges[1], top + tall + size // 4)
        ImageDraw.Draw(mask).rectangle(area, fill=255 if style == "band" else int(rng.integers(80, 220)))
        out.paste(Image.new("RGB", image.size, ground), (0, 0), mask)
    draw, rects = ImageDraw.Draw(out), []
    thick, aside = (max(1, size // 14) if style == "outlined" else 0), max(1, size // 16)
    for row, line in enumerate(lines):
        at = (left, top + row * step)
        if style == "shadowed":
            draw.text((at[0] + aside, at[1] + aside), line, font=font, fill=ground)
        draw.text(at, line, font=font, fill=ink, stroke_width=thick, stroke_fill=ground)
        rects.append(draw.textbbox(at, line, font=font))
    return out, rects, style


def sign(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, list[Rect], str]:
    """Hang a board with a line of writing in a photo, as a camera would have seen it there."""
    import cv2

    width, height = image.size
    board = _board(image.size, rng)
    high, wide = board.shape[:2]
    level = rng.random() < 1 / 3
    lean = 0.0 if level else float(np.clip(rng.normal(0, 2.5), -8, 8))
    cos, sin = np.cos(np.radians(lean)) / _FINE, np.sin(np.radians(lean)) / _FINE
    at = rng.uniform(0.02, 0.98, 2) * np.maximum((width - wide / _FINE, height - high / _FINE), 1)
    matrix = np.array([[cos, -sin, at[0]], [sin, cos, at[1]]], np.float32)
    soft = float(rng.uniform(0.4, 1.4))  # px of the photo
    seen = cv2.warpAffine(cv2.GaussianBlur(board, (0, 0), _FINE * soft), matrix, image.size)
    mask = cv2.GaussianBlur(cv2.warpAffine(np.ones((high, wide), np.float32), matrix, image.size), (0, 0), soft)
    there = mask[..., None]
    grain = rng.normal(0, rng.uniform(1, 7), (height, width, 1)) * there
    pixels = np.asarray(image, np.float32) * (1 - there) + seen * there + grain
    corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)]) @ matrix[:, :2].T + matrix[:, 2]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), [bounds(corners)], SIGNS[2 if level else 1]


def _board(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """A board with a line of writing and its shade, for a photo of this size; drawn larger than it will be seen."""
    script = _script(rng)
    text, faces = draw_text(script, rng), fonts_by_script()[script][0]
    face, high = faces[rng.integers(len(faces))], max(10, int(size[1] * rng.uniform(0.025, 0.09)))
    high = max(8, int(high * min(1.0, 0.8 * size[0] / max(_font(face, high).getlength(text), 1))))
    font, (ink, ground) = _font(face, _FINE * high), _colours(rng)
    left, top, right, bottom = (int(one) for one in font.getbbox(text))
    board = Image.new("RGB", (right - left + _FINE * high, bottom - top + _FINE * high // 2), ground)
    ImageDraw.Draw(board).text((_FINE * high // 2 - left, _FINE * high // 4 - top), text, font=font, fill=ink)
    across = np.linspace(rng.uniform(0.8, 1), 1, board.width)[None, :, None]
    down = np.linspace(1, rng.uniform(0.8, 1), board.height)[:, None, None]
    return np.asarray(np.asarray(board) * across * down, np.float32)


def _script(rng: np.random.Generator) -> str:
    """Draw a script that some font here has."""
    scripts = [script for script in _SCRIPTS if fonts_by_script()[script][0]]
    if not scripts:
        raise InputError("a font with Latin letters", "none", "Install one: apt-get install fonts-noto-core.")
    return scripts[rng.integers(len(scripts))]


def _font(face: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(face), size)


def _colours(rng: np.random.Generator) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Ink and what is behind it: mostly white on dark or black on light, every fourth time any colour."""
    if rng.random() < 0.25:
        red, green, blue = (int(one) for one in rng.integers(0, 256, 3))
        return (red, green, blue), ((0, 0, 0) if red + green + blue > 380 else (255, 255, 255))
    strong, weak = int(rng.integers(225, 256)), int(rng.integers(0, 30))
    white, black = (strong,) * 3, (weak,) * 3
    return (black, white) if rng.random() < 0.35 else (white, black)


def worn(image: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, float]:
    """Scale and compress a picture as messengers do; returned with the scale."""
    scale = 1.0
    if rng.random() < 0.35:
        scale = float(rng.uniform(0.5, 1))
        way = Image.Resampling.LANCZOS if rng.random() < 0.5 else Image.Resampling.BILINEAR
        image = image.resize([max(1, round(side * scale)) for side in image.size], way)
    if rng.random() < 0.75:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(40, 96)), subsampling=int(rng.choice((0, 2))))
        with Image.open(file) as read:
            image = read.convert("RGB")
    return image, scale


def bounds(corners: object) -> Rect:
    """The upright rectangle around points (n, 2), px."""
    points = np.asarray(corners, np.float64)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return float(left), float(top), float(right), float(bottom)
