"""From any kind of image to upright 8-bit RGB."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

# Brought to 8 bits at once: 64 MB as floating point. A whole picture of 220 MP took 3.2 GB.
_STRIP_PX = 1 << 24
ORIENTATION_TAG = 0x0112
_UPRIGHT: dict[int, Image.Transpose] = {  # Exif 3.0, 4.6.5.1.6 (tag Orientation): how to bring row 0 to the top
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """(width, height) after the rotation that an EXIF orientation of 1 to 8 asks for."""
    return (size[1], size[0]) if orientation in (5, 6, 7, 8) else size


def fitted_size(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """(width, height) reduced so that no side is above `max_side`; never enlarged, never below 1."""
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def rgb_pixels(image: Image.Image, *, orientation: int, max_side: int) -> Pixels:
    """Decode to uint8 RGB of shape (h, w, 3), upright, no side above `max_side`.

    JPEG is reduced while it is decoded (by 2, 4 or 8), so that a photo of 200 MP never exists in full.
    """
    target = fitted_size(image.size, max_side)
    if target != image.size:
        image.draft(image.mode, target)
    image.load()
    image = _eight_bit(image)
    if image.mode in ("1", "P"):
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if target != image.size:
        image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = _opaque_rgb(image)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    return np.array(image, dtype=np.uint8)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring grey images of 16 or 32 bits or floating point to 8 bits; the others are 8 bits already."""
    if not (image.mode in ("I", "F") or image.mode.startswith("I;16")):
        return image
    width, height = image.size
    tops = range(0, height, max(1, _STRIP_PX // width))
    strips = [(top, min(top + tops.step, height)) for top in tops]
    extremes = [(float(values.min()), float(values.max())) for values in (_values(image, *rows) for rows in strips)]
    low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
    grey = np.empty((height, width), dtype=np.uint8)
    for rows in strips:
        values = _values(image, *rows)
        if image.mode == "F" and low >= 0.0 and high <= 1.0:
            values *= 255.0
        elif image.mode != "F" and low >= 0.0 and high <= 65535.0:
            values /= 257.0  # 65535 / 255: white stays white
        else:  # no range is agreed upon for these: take what is there
            values = (values - low) * (255.0 / max(high - low, 1e-9))
        grey[slice(*rows)] = np.rint(values)
    return Image.fromarray(grey)


def _values(image: Image.Image, top: int, bottom: int) -> NDArray[np.float32]:
    strip = np.asarray(image.crop((0, top, image.width, bottom)), dtype=np.float32)
    return np.nan_to_num(strip, nan=0.0, posinf=0.0, neginf=0.0)


def _opaque_rgb(image: Image.Image) -> Image.Image:
    """Lay transparent images onto white, the ground that viewers show them on."""
    if image.mode in ("RGBA", "LA", "La", "PA", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")  # converting RGB to RGB copies
