"""When the photo was taken and where the sun stood: a form, offered with what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.dialogue.move import Understood
    from geosleuth.indexes.photo import Photo

PLACE_CLOCK, UTC_CLOCK = "Local time at the place", "UTC"


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


def sun_form(photos: Sequence[Photo], *, key: str) -> Understood | None:
    """Draw the form; return what was stated when it is sent, once.

    Raises:
        InputError: As `sun_stated`.
    """
    import streamlit as st

    told = _told_by(photos)
    with st.form(key, border=True):
        st.markdown("**The sun: when the photo was taken, and a shadow in it**")
        if told is not None:
            st.caption("Day and time are those that the file states; a camera's clock may be wrong.")
        day = st.date_input("Day", value=told.date() if told else None, min_value=date(1840, 1, 1), key=f"{key}_day")
        clock = st.time_input("Time", value=told.time() if told else time(12), step=60, key=f"{key}_time")
        index = 1 if told is not None and told.tzinfo is not None else 0
        zone = st.radio("The time is", (PLACE_CLOCK, UTC_CLOCK), index=index, horizontal=True, key=f"{key}_zone")
        towards = st.number_input(
            "Direction in which the shadow falls (degrees from north, clockwise)",
            0.0,
            359.9,
            None,
            key=f"{key}_towards",
        )
        height = st.number_input("Height of what casts it", 0.01, None, None, key=f"{key}_height")
        shadow = st.number_input("Length of its shadow (same unit)", 0.01, None, None, key=f"{key}_length")
        if not st.form_submit_button("Use the sun", key=f"{key}_send"):
            return None
    if not isinstance(day, date) or clock is None:
        raise InputError("a day and a time", "an empty field", "Fill both in.")
    return sun_stated(day, clock, utc=zone == UTC_CLOCK, shadow_towards_deg=towards, height=height, shadow=shadow)


def _told_by(photos: Sequence[Photo]) -> datetime | None:
    """Return the first time that a file states, in UTC where it has its zone."""
    from geosleuth.tools.sunlight import taken_of

    taken = next((found for photo in photos if (found := taken_of(photo)) is not None), None)
    return taken.astimezone(UTC) if taken is not None and taken.tzinfo is not None else taken
