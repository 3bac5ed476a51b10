"""Boxes on a photo in two tones, seen on any ground, with numbers that cover no other box where there is room."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PIL import ImageDraw, ImageFont

from geosleuth.ui.view.numbered import Clue

Corners = Sequence[tuple[float, float]]  # (x, y) in pixels
Rect = tuple[float, float, float, float]  # left, top, right, bottom in pixels

# One of two tones stands out from any ground. Okabe and Ito's orange for what is chosen.
_DARK, _LIGHT, _CHOSEN = (20, 20, 20), (255, 255, 255), (230, 159, 0)
_SMALLEST_FONT_PX = 15
_FONT_SHARE = 1 / 45  # of the longer side: 36 px of 1,600 are 8 on a phone of 360, and 18 on a wide page


def draw_boxes(
    draw: ImageDraw.ImageDraw, clues: Sequence[Clue], scale: float, size: tuple[int, int], chosen: Collection[str]
) -> None:
    """Draw the boxes of clues, then the numbers beside them, so that no line crosses a number.

    Args:
        draw: Onto the picture.
        clues: Whose boxes to draw.
        scale: Of the picture over the photo that the boxes were found in.
        size: Of the picture.
        chosen: Ids of evidence to stand out; the others are then thin.
    """
    scaled = [
        (clue, tuple((x * scale, y * scale) for x, y in support.box))
        for clue in clues
        for support in clue.item.support
        if support.box is not None
    ]
    # What is chosen last: on top.
    scaled.sort(key=lambda one: one[0].item.id in chosen)
    colours = [_outline(draw, corners, clue.item.id in chosen if chosen else None, size) for clue, corners in scaled]
    pixels = max(_SMALLEST_FONT_PX, round(max(size) * _FONT_SHARE))
    font = ImageFont.load_default(pixels)
    taken = [_around(corners) for _, corners in scaled]
    for (clue, corners), colour in zip(scaled, colours, strict=True):
        wanted = draw.textlength(str(clue.number), font=font) + pixels * 0.6, pixels * 1.25
        rect = label_place(corners, wanted, size, taken)
        taken.append(rect)
        _label(draw, rect, str(clue.number), colour, font)


def _outline(
    draw: ImageDraw.ImageDraw, corners: Corners, stands_out: bool | None, size: tuple[int, int]
) -> tuple[int, int, int]:
    """Draw one box; return its colour. `stands_out` is None where nothing is chosen."""
    unit = max(size) / 800  # lines of 1 px on a picture of 800
    line = unit * (3.0 if stands_out else 1.0 if stands_out is False else 1.8)
    colour = _CHOSEN if stands_out else _LIGHT
    ring = [*corners, corners[0], corners[1]]  # one edge more, so that the last joint is round too
    draw.line(ring, fill=_DARK, width=max(3, round(line * 2.2)), joint="curve")
    draw.line(ring, fill=colour, width=max(1, round(line)), joint="curve")
    return colour


def _label(
    draw: ImageDraw.ImageDraw,
    rect: Rect,
    number: str,
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top, right, bottom = rect
    draw.rectangle(rect, fill=_DARK, outline=colour, width=max(1, round((bottom - top) / 15)))
    draw.text(((left + right) / 2, (top + bottom) / 2), number, fill=_LIGHT, font=font, anchor="mm")


def label_place(corners: Corners, wanted: tuple[float, float], size: tuple[int, int], taken: Sequence[Rect]) -> Rect:
    """Return where the number of a box goes: above, below, left or right of it, free of what is taken.

    Args:
        corners: Of the box.
        wanted: Width and height of the label.
        size: Of the picture, which the label does not leave.
        taken: Rectangles of all boxes and other labels; where all four places are taken, it goes above.
    """
    west, north, east, south = _around(corners)
    width, height = wanted
    places = [(west, north - height - 2), (west, south + 2), (west - width - 2, north), (east + 2, north)]
    inside = [(min(max(left, 0.0), size[0] - width), min(max(top, 0.0), size[1] - height)) for left, top in places]
    rects = [(left, top, left + width, top + height) for left, top in inside]
    return next((rect for rect in rects if not any(_overlap(rect, other) for other in taken)), rects[0])


def _around(corners: Corners) -> Rect:
    return (
        min(x for x, _ in corners),
        min(y for _, y in corners),
        max(x for x, _ in corners),
        max(y for _, y in corners),
    )


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
