"""Eight ways in which a photo is worn or tampered with on its way to an investigator, each at three strengths.

Pictures go in and come out as Pillow's RGB images; the same name, strength and generator give the same picture. The
strengths of noise are those of ImageNet-C's severities 1, 3 and 5 (Hendrycks and Dietterich, ICLR 2019, arXiv
1903.12261); it has no crop, no turn and no writing, and its blur and JPEG are meant for 224 px. The others are
judgements: the first strength is what a messenger does, the third leaves little to a person either.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

STRENGTHS = (1, 2, 3)
OVERLAY = "overlay"  # writes a false place

_QUALITY = (40, 15, 5)  # of JPEG
_BLUR = (0.001, 0.0025, 0.005)  # standard deviation, as a share of the longer side: 1.3, 3.2, 6.4 px of 1,280
_NOISE = (0.08, 0.18, 0.38)  # standard deviation, as a share of white
_STOPS = (1.5, 3.0, 4.5)  # of light that is lacking: dusk, street lamps, night
_KEPT = (0.75, 0.5, 0.25)  # of the area
_TURN_DEG = (5, 20, 90)  # a tilted hand, a careless one, a lost orientation tag
_LETTERS = (0.03, 0.06, 0.09)  # height of the written lines, as a share of the picture's height

# What one messenger after the other does: a scale, and the formats and qualities that it is written in.
_HANDED_ON: tuple[tuple[float, tuple[tuple[str, int], ...]], ...] = (
    (1.0, (("JPEG", 60), ("JPEG", 60), ("JPEG", 60))),
    (0.5, (("JPEG", 50), ("WEBP", 50), ("JPEG", 60))),
    (0.33, (("JPEG", 30), ("WEBP", 30), ("JPEG", 30), ("WEBP", 30), ("JPEG", 30))),
)


@dataclass(frozen=True)
class Writing:
    """What an overlay writes: a place where the photo was not taken."""

    city: str
    country: str  # its name in English
    domain: str  # of the country, without the dot

    def lines(self, strength: int) -> list[str]:
        """Return a caption, a caption with the country, or a sign with a web address."""
        if strength == 1:
            return [self.city]
        caption = f"{self.city}, {self.country}"
        if strength == 2:
            return [caption]
        return [f"Welcome to {self.city}", caption, f"www.{self.city.lower().replace(' ', '-')}.{self.domain}"]


def corrupted(
    image: Image.Image, name: str, strength: int, rng: np.random.Generator, writing: Writing | None = None
) -> Image.Image:
    """Apply the corruption `name`, one of `CORRUPTIONS`, at strength 1, 2 or 3; `OVERLAY` needs the writing."""
    if name == OVERLAY:
        if writing is None:
            raise ValueError("an overlay needs what it writes")
        return _written(image, writing, strength)
    return _PIXELS[name](image, strength - 1, rng)


def _jpeg(image: Image.Image, at: int, _: np.random.Generator) -> Image.Image:
    return _through(image, "JPEG", _QUALITY[at])


def _blur(image: Image.Image, at: int, _: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(_BLUR[at] * max(image.size)))


def _noise(image: Image.Image, at: int, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    added = rng.standard_normal(pixels.shape, dtype=np.float32) * (_NOISE[at] * 255)
    return Image.fromarray(np.clip(pixels + added, 0, 255).astype(np.uint8))


def _darkness(image: Image.Image, at: int, _: np.random.Generator) -> Image.Image:
    """Less light by so many stops: a factor in linear light, not in sRGB's numbers, and rounded to 8 bits as a file."""
    value = np.arange(256) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) / 2 ** _STOPS[at]
    table = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return image.point([round(255 * one) for one in table] * 3)


def _crop(image: Image.Image, at: int, rng: np.random.Generator) -> Image.Image:
    """A part of the same shape, anywhere in the picture."""
    width, height = (max(1, round(side * _KEPT[at] ** 0.5)) for side in image.size)
    left = int(rng.integers(image.width - width + 1))
    top = int(rng.integers(image.height - height + 1))
    return image.crop((left, top, left + width, top + height))


def _turn(image: Image.Image, at: int, rng: np.random.Generator) -> Image.Image:
    """Turned to one side or the other; all of it stays, with black corners, so that no cut is measured beside it."""
    angle_deg = _TURN_DEG[at] * int(rng.choice((-1, 1)))
    return image.rotate(angle_deg, Image.Resampling.BICUBIC, expand=True)


def _handed_on(image: Image.Image, at: int, _: np.random.Generator) -> Image.Image:
    """Made smaller and large again, and written in one format after the other."""
    scale, formats = _HANDED_ON[at]
    if scale < 1:
        small = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BILINEAR)
        image = small.resize(image.size, Image.Resampling.BILINEAR)
    for kind, quality in formats:
        image = _through(image, kind, quality)
    return image


def _through(image: Image.Image, kind: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    with Image.open(file) as read:
        return read.convert("RGB")


def _written(image: Image.Image, writing: Writing, strength: int) -> Image.Image:
    """White letters on a dark band along the lower edge, where captions stand."""
    lines, size_px = writing.lines(strength), max(8, round(_LETTERS[strength - 1] * image.height))
    font = ImageFont.load_default(size_px)  # Pillow's own: the same letters on every machine
    widest = max(font.getlength(line) for line in lines)
    if widest > 0.95 * image.width:
        size_px = max(6, int(size_px * 0.95 * image.width / widest))
        font = ImageFont.load_default(size_px)
    step = round(1.4 * size_px)
    top = image.height - step * len(lines) - size_px // 2
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((0, top, image.width, image.height), fill=(20, 20, 20))
    for row, line in enumerate(lines):
        draw.text((size_px // 2, top + size_px // 4 + row * step), line, font=font, fill=(245, 245, 245))
    return out


_PIXELS: dict[str, Callable[[Image.Image, int, np.random.Generator], Image.Image]] = {
    "JPEG": _jpeg,
    "blur": _blur,
    "noise": _noise,
    "darkness": _darkness,
    "crop": _crop,
    "rotation": _turn,
    "recompression": _handed_on,
}
CORRUPTIONS = (*_PIXELS, OVERLAY)
