"""What the investigator states, as evidence; the arguments of `Agent.localize`, as an inquiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from geosleuth.agent.inquiry import Hint, Inquiry, Observation, Statement, Sun
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo


def stated_evidence(statement: Statement) -> list[Evidence]:
    """Turn one statement into evidence.

    Raises:
        InputError: It means nothing that is known; the error says what is understood.
    """
    match statement:
        case Hint():
            from geosleuth.tools.hints import hint_evidence

            return hint_evidence(statement.text)
        case Observation():
            from geosleuth.tools.observations import observation_evidence

            return observation_evidence(statement.question, statement.option)
        case Sun():
            from geosleuth.tools.sunlight import sun_evidence

            angles = statement.azimuth_deg, statement.elevation_deg
            return sun_evidence(statement.taken, *angles, at_most=statement.at_most)


def inquiry_of(hints: str | Sequence[str] | None, observations: Mapping[str, str] | None) -> Inquiry:
    """Gather what a caller says and sees.

    Raises:
        InputError: A hint or an observation means nothing that is known.
    """
    from geosleuth.tools.hints import hint_evidence

    given = [hints] if isinstance(hints, str) else list(hints or [])
    for text in given:  # in the words of hints themselves, before a form that is too short or too long complains
        hint_evidence(text)
    statements: list[Statement] = [Hint(text=text) for text in given]
    statements += [Observation(question=key, option=option) for key, option in (observations or {}).items()]
    for one in statements[len(given) :]:
        stated_evidence(one)
    return Inquiry(statements=tuple(statements))


def with_sun(
    inquiry: Inquiry, taken: datetime | None, sun: tuple[float | None, float | None] | None, photos: Sequence[Photo]
) -> Inquiry:
    """Add where the sun stood and when; the time is the photos' own where none is given.

    Raises:
        InputError: A sun without a time, a time without a sun, or photos of different times.
    """
    if sun is None and taken is None:
        return inquiry
    if sun is None:
        found = f"the time {taken:%Y-%m-%d %H:%M} alone"
        remedy = "Give the sun's azimuth or elevation as well: a time by itself says nothing of the place."
        raise InputError("a time with the sun's position", found, remedy)
    from geosleuth.tools.sunlight import check_sun, taken_together

    when = taken or taken_together(photos)
    if when is None:
        remedy = "State it, as in `--taken '2024-06-01 12:30'`."
        raise InputError("the time at which the sun stood so", "none, and the file has none", remedy)
    azimuth_deg, elevation_deg = 0.0 if sun[0] == 360 else sun[0], sun[1]
    check_sun(when, azimuth_deg, elevation_deg)
    stated = Sun(taken=when, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
    return inquiry.model_copy(update={"statements": (*inquiry.statements, stated)})
