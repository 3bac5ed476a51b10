"""A shadow marked on the photo: three points, the picture with them, and what they tell of the sun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PIL import ImageDraw, ImageFont

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.state import show_error
from geosleuth.ui.view.picture import reduced
from geosleuth.ui.view.words import escape_markdown

if TYPE_CHECKING:
    from PIL import Image

    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.shadow import Point, SunReading

PREVIEW_PX = 1000  # a side; drawn anew at each move, and sent as some 100 kB
STEP = 0.1  # percent: a pixel of the preview, moved with an arrow key
# One of two tones stands out from any ground; Okabe and Ito's orange and sky blue, which all people tell apart.
_DARK, _THING, _SHADOW = (20, 20, 20), (230, 159, 0), (86, 180, 233)


class Marks(NamedTuple):
    """Points in percent of the picture's width and height, from its upper left corner."""

    foot: Point
    top: Point
    tip: Point


UNMOVED = Marks(foot=(50.0, 70.0), top=(50.0, 40.0), tip=(75.0, 70.0))
NAMES = ("Foot", "Top", "Tip of the shadow")


def sun_marked(marks: Marks, size: tuple[int, int], heading_deg: float | None = None) -> SunReading:
    """Read the sun from marks on an upright photo of (width, height) pixels.

    Raises:
        InputError: A mark is where it was at first, or they are no shadow across the picture.
    """
    from geosleuth.tools.shadow import sun_from_shadow

    left = [name for mark, first, name in zip(marks, UNMOVED, NAMES, strict=True) if mark == first]
    if left:  # what nobody has looked at is no reading
        words = ", ".join(left)
        raise InputError("three marks on the photo", f"not moved yet: {words}", "Move each to its place in the photo.")
    foot, top, tip = ((x / 100 * size[0], y / 100 * size[1]) for x, y in marks)
    return sun_from_shadow(foot, top, tip, heading_deg)


def read_in_words(reading: SunReading) -> str:
    """Say where the sun stood, and under which conditions that holds."""
    where = "" if reading.azimuth_deg is None else f", in the direction of {reading.azimuth_deg:.0f} degrees from north"
    most = "at most " if reading.at_most else ""
    return f"The sun stood {most}{reading.elevation_deg:.0f} degrees high{where}. {reading.caveat}"


def picture_with_marks(photo: Photo, marks: Marks) -> Image.Image:
    """Return the photo, no side above `PREVIEW_PX`, with the thing, its shadow, and a ring at each mark."""
    picture, _ = reduced(photo)
    picture.thumbnail((PREVIEW_PX, PREVIEW_PX))
    width, height = picture.size
    foot, top, tip = ((round(x / 100 * (width - 1)), round(y / 100 * (height - 1))) for x, y in marks)
    draw = ImageDraw.Draw(picture)
    unit = max(1, round(max(picture.size) / 500))
    for end, colour in ((top, _THING), (tip, _SHADOW)):
        draw.line([foot, end], fill=_DARK, width=4 * unit)
        draw.line([foot, end], fill=colour, width=2 * unit)
    for (x, y), colour in ((foot, (255, 255, 255)), (top, _THING), (tip, _SHADOW)):
        for radius, tone, line in ((5 * unit, _DARK, 3 * unit), (4 * unit, colour, unit)):  # hollow: the end is seen
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=tone, width=line)
    font = ImageFont.load_default(max(14, round(max(picture.size) / 40)))
    for name, (x, y) in zip(Marks._fields, (foot, top, tip), strict=True):
        wide, high = draw.textlength(name, font=font), font.size if isinstance(font, ImageFont.FreeTypeFont) else 14
        row = y + 6 * unit if name == "foot" else y - high - 2 * unit  # off the line of the shadow
        at = min(max(x + 8 * unit, 0), width - wide - 2 * unit), min(max(row, 0), height - high - 2 * unit)
        draw.text(at, name, fill=(255, 255, 255), font=font, stroke_width=2 * unit, stroke_fill=_DARK)
    return picture


def mark_shadow(photos: Sequence[Photo], *, key: str) -> None:
    """Draw the picture and what moves the marks; `marked_sun` tells what they say once they are sent."""
    import streamlit as st

    @st.fragment  # a move draws this picture anew, and nothing else of the page
    def drawn() -> None:
        st.markdown(
            "Mark an upright thing on level ground whose shadow falls **to the side**: its foot, its top, and the tip "
            "of its shadow. The arrow keys move a mark by a tenth of a percent."
        )
        photo = photos[0]
        if len(photos) > 1:
            names = {n: f"{n + 1}. {one.name}" for n, one in enumerate(photos)}
            photo = photos[st.selectbox("Photo with the shadow", names, format_func=names.__getitem__, key=f"{key}_of")]
        shown, moved = st.columns([3, 2])  # side by side, so that who moves a mark sees it; below it on a phone
        with moved:
            marks = _sliders(key=_marks_key(photo, key))
            heading = st.number_input(
                "Direction in which the camera looked, if known (degrees from north, clockwise)",
                0.0,
                359.9,
                None,
                key=f"{key}_heading",
            )
        told = _told(marks, photo.size, heading)
        shown.image(
            picture_with_marks(photo, marks),
            width="stretch",
            output_format="JPEG",
            caption=f"{escape_markdown(photo.name)} with the marks",
            alt=f"The photo with three marks. {told if isinstance(told, str) else told.found}",
        )
        if isinstance(told, str):
            st.info(told)
        elif marks == UNMOVED:
            st.info("Move each mark to its place; the sun's height is then told here.")
        else:
            show_error(told)

    drawn()


def marked_sun(photos: Sequence[Photo], *, key: str) -> SunReading:
    """Return what the marks of `mark_shadow` say as they stand.

    Raises:
        InputError: As `sun_marked`.
    """
    import streamlit as st

    photo = photos[st.session_state[f"{key}_of"] if len(photos) > 1 else 0]
    of_photo = _marks_key(photo, key)
    points = [
        (st.session_state[f"{of_photo}_{name}_x"], st.session_state[f"{of_photo}_{name}_y"]) for name in Marks._fields
    ]
    return sun_marked(Marks(*points), photo.size, st.session_state.get(f"{key}_heading"))


def _sliders(*, key: str) -> Marks:
    """Draw two sliders for each mark; return where they stand."""
    import streamlit as st

    points: list[Point] = []
    for field, (x, y), name in zip(Marks._fields, UNMOVED, NAMES, strict=True):
        across = st.slider(f"{name}: from the left (%)", 0.0, 100.0, x, STEP, format="%.1f", key=f"{key}_{field}_x")
        down = st.slider(f"{name}: from above (%)", 0.0, 100.0, y, STEP, format="%.1f", key=f"{key}_{field}_y")
        points.append((across, down))
    return Marks(*points)


def _told(marks: Marks, size: tuple[int, int], heading: float | None) -> str | InputError:
    try:
        return read_in_words(sun_marked(marks, size, heading))
    except InputError as error:
        return error


def _marks_key(photo: Photo, key: str) -> str:
    """Return the key of a photo's marks: another photo, or the same one turned or cropped, has marks of its own."""
    return f"{key}_{photo.sha256[:12]}_{'_'.join(photo.edits)}"
