"""What an investigator's sentence asks for, as data: a `Move`, and the inquiry `after` it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime

from geosleuth.agent.inquiry import Hint, Inquiry, Observation, RequestedCall, Statement, Sun

VERIFIED_AT_MOST = 30  # references of a search of everything that are compared: the rule planner's own depth


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AddHint(_Frozen):
    """Words about the place that tools/hints.py understands."""

    kind: Literal["add_hint"] = "add_hint"
    text: Annotated[str, Field(min_length=1, max_length=500)]


class Observe(_Frozen):
    """An answer to a question of tools/observations.py."""

    kind: Literal["observe"] = "observe"
    question: str  # its key
    option: str  # the key of the answer


class StateSun(_Frozen):
    """When the photo was taken, and where the sun stood then."""

    kind: Literal["state_sun"] = "state_sun"
    taken: AwareDatetime | NaiveDatetime  # naive: the clock at the place itself
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] | None = None  # clockwise from true north
    elevation_deg: Annotated[float, Field(gt=0, le=90)] | None = None
    at_most: bool = False  # the elevation was drawn on the photo: an upper bound


class CompareWith(_Frozen):
    """Look at one candidate again."""

    kind: Literal["compare_with"] = "compare_with"
    rank: Annotated[int, Field(ge=1)]  # `Candidate.rank`; a person names its place in the list, see checked.py
    photo: Annotated[int, Field(ge=0)] = 0  # whose candidate it is


class WhyNot(_Frozen):
    """Why the answer is not this country; changes nothing, see why_not.py."""

    kind: Literal["why_not"] = "why_not"
    codes: Annotated[tuple[str, ...], Field(min_length=1)]  # ISO 3166-1 alpha-2
    name: str  # as the person is told it


class SearchEverything(_Frozen):
    """Search the whole gallery, whatever the belief."""

    kind: Literal["search_everything"] = "search_everything"
    photos: Annotated[int, Field(ge=1)] = 1  # of the scene; each is searched for


class LeaveOut(_Frozen):
    """Answer without these."""

    kind: Literal["leave_out"] = "leave_out"
    ids: Annotated[tuple[str, ...], Field(min_length=1)]  # of WeighedEvidence


class BringBack(_Frozen):
    """Let these count again."""

    kind: Literal["bring_back"] = "bring_back"
    ids: Annotated[tuple[str, ...], Field(min_length=1)]  # of WeighedEvidence


class Undo(_Frozen):
    """Take the last turn back; the case does it, for it keeps the earlier inquiries."""

    kind: Literal["undo"] = "undo"


class NotUnderstood(_Frozen):
    """The words ask for nothing that is known, or for what cannot be."""

    kind: Literal["not_understood"] = "not_understood"
    reason: str
    suggestions: tuple[str, ...] = ()  # sentences that would be understood


Move = Annotated[
    AddHint
    | Observe
    | StateSun
    | CompareWith
    | WhyNot
    | SearchEverything
    | LeaveOut
    | BringBack
    | Undo
    | NotUnderstood,
    Field(discriminator="kind"),
]


class Understood(_Frozen):
    """A move, how the person is told of it, and who understood it."""

    move: Move
    words: str  # one sentence: 'Taken as a hint: "in Portugal".'
    by: str = "rules"  # or the model's name


def after(inquiry: Inquiry, move: Move) -> Inquiry:
    """Return the inquiry of the next turn: the earlier statements with this one, and the calls of this turn alone.

    Hints that contradict each other both stay, for the evidence decides between them. `Undo`, `WhyNot` and
    `NotUnderstood` return the inquiry as it is.
    """
    match move:
        case Undo() | WhyNot() | NotUnderstood():
            return inquiry
        case AddHint():
            return _turn(inquiry, statements=_with_hint(inquiry.statements, Hint(text=move.text)))
        case Observe():
            return _turn(inquiry, statements=_with_observation(inquiry.statements, move))
        case StateSun():
            return _turn(inquiry, statements=_with_sun(inquiry.statements, move))
        case CompareWith():
            return _turn(inquiry, calls=(RequestedCall(tool="verify", args={"rank": move.rank}, photo=move.photo),))
        case SearchEverything():
            return _turn(inquiry, calls=_search_everything(move.photos))
        case LeaveOut():
            return _turn(inquiry, left_out=tuple(dict.fromkeys((*inquiry.left_out, *move.ids))))
        case BringBack():
            return _turn(inquiry, left_out=tuple(one for one in inquiry.left_out if one not in move.ids))


def _turn(
    inquiry: Inquiry,
    *,
    statements: tuple[Statement, ...] | None = None,
    left_out: tuple[str, ...] | None = None,
    calls: tuple[RequestedCall, ...] = (),
) -> Inquiry:
    return Inquiry(
        statements=inquiry.statements if statements is None else statements,
        left_out=inquiry.left_out if left_out is None else left_out,
        calls=calls,
        language=inquiry.language,
    )


def _search_everything(photos: int) -> tuple[RequestedCall, ...]:
    steps = (("retrieve", {"by": "everything", "rerank": "none"}), ("verify", {"top": VERIFIED_AT_MOST}))
    return tuple(RequestedCall(tool=tool, args=args, photo=i) for i in range(photos) for tool, args in steps)


def _with_hint(statements: tuple[Statement, ...], hint: Hint) -> tuple[Statement, ...]:
    said = {_key(one.text) for one in statements if isinstance(one, Hint)}
    return statements if _key(hint.text) in said else (*statements, hint)


def _key(text: str) -> str:
    return " ".join(text.split()).rstrip(".!").casefold()


def _with_observation(statements: tuple[Statement, ...], move: Observe) -> tuple[Statement, ...]:
    others = tuple(one for one in statements if not (isinstance(one, Observation) and one.question == move.question))
    return (*others, Observation(question=move.question, option=move.option))


def _with_sun(statements: tuple[Statement, ...], move: StateSun) -> tuple[Statement, ...]:
    others = tuple(one for one in statements if not isinstance(one, Sun))
    taken: datetime = move.taken
    angles = move.azimuth_deg, move.elevation_deg
    return (*others, Sun(taken=taken, azimuth_deg=angles[0], elevation_deg=angles[1], at_most=move.at_most))
