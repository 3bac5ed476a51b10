"""The picture of a verification: photo and reference side by side, a line for each agreeing pair of points."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.candidate import Verification
from geosleuth.tools.quoting import quoted

_SIDE_PX = 800  # of each picture; both fit a screen, and the file stays under a few hundred kB as JPEG
_GAP_PX = 12
_CAPTION_PX = 64
_FONT_PX = 20
_MOST_LINES = 40  # more cover the pictures; the surest are drawn
# Okabe and Ito (2008): orange, sky blue, yellow, reddish purple are told apart in every kind of colour blindness. The
# dark edge keeps them visible on sky and snow. Neighbouring lines differ, so that the eye can follow one.
_COLOURS = ((230, 159, 0), (86, 180, 233), (240, 228, 66), (204, 121, 167))
_EDGE = (20, 20, 20)
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


def draw_matches(
    query: Pixels,
    reference: Pixels,
    verification: Verification,
    *,
    query_name: str = "photo",
    reference_name: str = "reference",
) -> Image.Image:
    """Draw what verification found, for a person to check; pixels are those that were verified, or reduced from them.

    Args:
        query: The photo, at the size that `verification.points` refer to.
        reference: The candidate's image, likewise.
        verification: Its points are drawn; without any, the pictures stand side by side with the verdict.
        query_name: Named in the caption.
        reference_name: Likewise.
    """
    left, left_scale = _reduced(query)
    right, right_scale = _reduced(reference)
    offset = left.width + _GAP_PX
    size = (offset + right.width, max(left.height, right.height) + _CAPTION_PX)
    picture = Image.new("RGB", size, _PAPER)
    picture.paste(left, (0, 0))
    picture.paste(right, (offset, 0))
    draw = ImageDraw.Draw(picture)
    # From top to bottom, so that neighbours get different colours.
    lines = sorted(verification.points[:_MOST_LINES], key=lambda points: (points[1], points))
    for i, (x1, y1, x2, y2) in enumerate(lines):
        ends = ((x1 * left_scale, y1 * left_scale), (offset + x2 * right_scale, y2 * right_scale))
        _line(draw, ends, _COLOURS[i % len(_COLOURS)])
    top = size[1] - _CAPTION_PX + 6
    names = f"{quoted(query_name, bare=True)}  |  {quoted(reference_name, bare=True)}"
    _text(draw, (8, top), names, size[0] - 16)
    _text(draw, (8, top + _FONT_PX + 6), _caption(verification, len(lines)), size[0] - 16)
    return picture


def _caption(verification: Verification, drawn: int) -> str:
    words = {
        "match": "match",
        "no_match": "no match",
        "not_applicable": "check does not apply",
        "unreadable": "not readable",
    }[verification.verdict]
    text = f"{words}: {verification.inliers} of {verification.matched} feature matches agree"
    return text + (f", {drawn} drawn" if drawn < verification.inliers else "")


def _reduced(pixels: Pixels) -> tuple[Image.Image, float]:
    """The picture with no side above the cap, and by what its coordinates are to be multiplied."""
    scale = min(1.0, _SIDE_PX / max(pixels.shape[:2]))
    image = Image.fromarray(pixels)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return (image.resize(size, Image.Resampling.LANCZOS) if scale < 1.0 else image), scale


def _line(
    draw: ImageDraw.ImageDraw, ends: tuple[tuple[float, float], tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    draw.line(ends, fill=_EDGE, width=4)
    draw.line(ends, fill=colour, width=2)
    for x, y in ends:
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour, outline=_EDGE, width=1)


def _text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, width: int) -> None:
    """Write one line, cut where it would run out of the picture."""
    # Pillow's own font has Latin letters only; others would be empty boxes.
    text = "".join(char if ord(char) < 0x250 else "?" for char in text)
    font = ImageFont.load_default(_FONT_PX)
    if draw.textlength(text, font=font) > width:
        while text and draw.textlength(text + "…", font=font) > width:
            text = text[:-1]
        text += "…"
    draw.text(at, text, fill=_INK, font=font)
