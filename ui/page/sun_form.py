"""When the photo was taken and where the sun stood: a form, offered with what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.shadow_marks import mark_shadow, marked_sun

if TYPE_CHECKING:
    from geosleuth.agent.dialogue.move import Understood
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.shadow import SunReading

PLACE_CLOCK, UTC_CLOCK = "Local time at the place", "UTC"
FIGURES, MARKS = "In figures", "Marked on the photo"


def sun_stated(
    day: date,
    clock: time,
    *,
    utc: bool,
    shadow_towards_deg: float | None,
    height: float | None,
    shadow: float | None,
) -> Understood:
    """Return what the form says as a move; a shadow points away from the sun.

    Raises:
        InputError: Nothing is said of the sun, or the figures cannot be.
    """
    from geosleuth.agent.dialogue import checked
    from geosleuth.tools.sunlight import elevation_from_shadow

    if shadow_towards_deg is None and (height is None or shadow is None):
        remedy = "Give the shadow's direction, or the heights of a thing and of its shadow, in one unit."
        raise InputError("a shadow beside the time", "neither its direction nor its length", remedy)
    taken = datetime.combine(day, clock, tzinfo=UTC if utc else None)
    azimuth = None if shadow_towards_deg is None else (shadow_towards_deg + 180.0) % 360.0
    elevation = None if height is None or shadow is None else elevation_from_shadow(height, shadow)
    return checked.sun(taken, azimuth, elevation)


def sun_read(day: date, clock: time, reading: SunReading, *, utc: bool) -> Understood:
    """Return what marks on the photo say as a move; the conditions under which it holds are told with it."""
    from geosleuth.agent.dialogue import checked
    from geosleuth.agent.dialogue.move import StateSun

    taken = datetime.combine(day, clock, tzinfo=UTC if utc else None)
    stated = checked.sun(taken, reading.azimuth_deg, reading.elevation_deg, at_most=reading.at_most)
    if not isinstance(stated.move, StateSun):  # a year of no photograph: the words say so
        return stated
    return stated.model_copy(update={"words": f"{stated.words} {reading.caveat}"})


def sun_form(photos: Sequence[Photo], *, key: str) -> Understood | None:
    """Draw the form; return what was stated when it is sent, once.

    Raises:
        InputError: As `sun_stated`, or the marks on the photo are no shadow.
    """
    import streamlit as st

    st.markdown("**The sun: when the photo was taken, and a shadow in it**")
    marking = False
    if photos:
        how = st.radio("The shadow is given", (FIGURES, MARKS), horizontal=True, key=f"{key}_how")
        marking = how == MARKS
        if marking:
            mark_shadow(photos, key=f"{key}_marks")
    towards = height = shadow = None
    with st.form(key, border=True):
        day, clock, utc = _when(photos, key=key)
        if not marking:
            towards, height, shadow = _figures(key=key)
        if not st.form_submit_button("Use the sun", key=f"{key}_send"):
            return None
    if not isinstance(day, date) or clock is None:
        raise InputError("a day and a time", "an empty field", "Fill both in.")
    if marking:
        return sun_read(day, clock, marked_sun(photos, key=f"{key}_marks"), utc=utc)
    return sun_stated(day, clock, utc=utc, shadow_towards_deg=towards, height=height, shadow=shadow)


def _when(photos: Sequence[Photo], *, key: str) -> tuple[date | None, time | None, bool]:
    """Draw the fields of day and time; the last is whether they are in UTC."""
    import streamlit as st

    told = _told_by(photos)
    if told is not None:
        st.caption("Day and time are those that the file states; a camera's clock may be wrong.")
    day = st.date_input("Day", value=told.date() if told else None, min_value=date(1840, 1, 1), key=f"{key}_day")
    clock = st.time_input("Time", value=told.time() if told else time(12), step=60, key=f"{key}_time")
    index = 1 if told is not None and told.tzinfo is not None else 0
    zone = st.radio("The time is", (PLACE_CLOCK, UTC_CLOCK), index=index, horizontal=True, key=f"{key}_zone")
    return day, clock, zone == UTC_CLOCK


def _figures(*, key: str) -> tuple[float | None, float | None, float | None]:
    """Draw the fields of the shadow's direction, of the height of what casts it, and of its length."""
    import streamlit as st

    towards = st.number_input(
        "Direction in which the shadow falls (degrees from north, clockwise)", 0.0, 359.9, None, key=f"{key}_towards"
    )
    height = st.number_input("Height of what casts it", 0.01, None, None, key=f"{key}_height")
    return towards, height, st.number_input("Length of its shadow (same unit)", 0.01, None, None, key=f"{key}_length")


def _told_by(photos: Sequence[Photo]) -> datetime | None:
    """Return the first time that a file states, in UTC where it has its zone."""
    from geosleuth.tools.sunlight import taken_of

    taken = next((found for photo in photos if (found := taken_of(photo)) is not None), None)
    return taken.astimezone(UTC) if taken is not None and taken.tzinfo is not None else taken
