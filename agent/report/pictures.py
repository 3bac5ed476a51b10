"""The pictures of a report: the photo with numbered boxes, references, all re-encoded without metadata."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from geosleuth.agent.report.fonts import BOLD, folder
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.pixels import Pixels, fitted_size

PHOTO_PX = 1100  # longest side: 150 dots per inch across a page of A4
REFERENCE_PX = 560  # two stand side by side
_NUMBERS = 6  # on one box: more would hide the sign beside it, and the table has them all
_QUALITY = 82  # of JPEG: lines and numbers stay sharp at a tenth of a photo's size
_MARK, _EDGE = "#f59e0b", "#111827"  # amber on black: seen on any picture, by the colour-blind too

Box = Sequence[tuple[float, float]]


def jpeg_of(pixels: Pixels, longest_px: int) -> tuple[bytes, tuple[int, int]]:
    """Encode uint8 RGB (h, w, 3) anew, reduced to a longest side; returns the file and its width and height."""
    image = Image.fromarray(pixels)
    return _encoded(image.resize(fitted_size(image.size, longest_px), Image.Resampling.LANCZOS, reducing_gap=2.0))


def marked_photo(photo: Photo, boxes: Mapping[Box, Sequence[int]]) -> tuple[bytes, tuple[int, int]]:
    """Encode a photo with the numbers of the evidence at what it was read from.

    Args:
        photo: As the tools saw it.
        boxes: Corners in pixels of the upright photo, and the numbers that stand there.
    """
    pixels = photo.pixels_at(PHOTO_PX)
    image = Image.fromarray(pixels)
    image = image.resize(fitted_size(image.size, PHOTO_PX), Image.Resampling.LANCZOS, reducing_gap=2.0)
    scale = image.width / photo.size[0], image.height / photo.size[1]
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(folder() / BOLD, max(15, image.width // 55))
    for box, numbers in boxes.items():
        corners = [(x * scale[0], y * scale[1]) for x, y in box]
        draw.polygon(corners, outline=_EDGE, width=5)
        draw.polygon(corners, outline=_MARK, width=3)
        text = ", ".join(map(str, numbers[:_NUMBERS])) + (" ..." if len(numbers) > _NUMBERS else "")
        _label(draw, corners, text, font, image.width)
    return _encoded(image)


def _label(draw: ImageDraw.ImageDraw, corners: Box, text: str, font: ImageFont.FreeTypeFont, width: int) -> None:
    _, _, wide, high = draw.textbbox((0, 0), text, font=font)
    left = min(max(min(x for x, _ in corners), 0), width - wide - 8)
    top = min(y for _, y in corners) - high - 7
    if top < 0:  # no room above the sign
        top = max(y for _, y in corners) + 2
    draw.rectangle((left, top, left + wide + 8, top + high + 5), fill=_MARK, outline=_EDGE)
    draw.text((left + 4, top), text, font=font, fill=_EDGE)


def _encoded(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue(), image.size
