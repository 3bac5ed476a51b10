"""What an investigator brings to a photo: with the photos, it decides the answer.

An `Inquiry` is data: a case keeps one per turn, so that a turn can be undone, and repeated elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime

INVESTIGATOR = "investigator"  # stands in TraceStep.by for a call that a person asked for


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hint(_Frozen):
    """Words about the place, see tools/hints.py."""

    kind: Literal["hint"] = "hint"
    text: Annotated[str, Field(min_length=1, max_length=500)]


class Observation(_Frozen):
    """An answer to one of the questions of tools/observations.py: what a person sees and no embedded tool does."""

    kind: Literal["observation"] = "observation"
    question: str  # its key, such as "driving_side"
    option: str  # the key of the answer, such as "left"


class Sun(_Frozen):
    """When the photo was taken, and what the sun did then, see tools/sunlight.py."""

    kind: Literal["sun"] = "sun"
    taken: AwareDatetime | NaiveDatetime  # naive: the clock at the place itself, whose zone is not known
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] | None = None  # of the sun, clockwise from true north
    elevation_deg: Annotated[float, Field(gt=0, le=90)] | None = None  # of the sun; atan(height / length of a shadow)
    at_most: bool = False  # the elevation was drawn on the photo: an upper bound, see tools/shadow.py


Statement = Annotated[Hint | Observation | Sun, Field(discriminator="kind")]


class RequestedCall(_Frozen):
    """A tool call that the investigator asked for: "compare with candidate 2", "search the whole gallery"."""

    tool: str
    args: dict[str, Any] = {}
    photo: Annotated[int, Field(ge=0)] = 0  # which of the scene's photos it is about


class Inquiry(_Frozen):
    """All that the investigator has said so far, and what is to be done this turn."""

    statements: tuple[Statement, ...] = ()
    left_out: tuple[str, ...] = ()  # `WeighedEvidence.id` of what shall not count
    calls: tuple[RequestedCall, ...] = ()  # of this turn alone
    language: Literal["en", "zh"] | None = None  # of a model's explanations; None = the settings'
