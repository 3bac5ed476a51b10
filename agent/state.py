"""What the loop remembers: `AgentState`, checkpointed, so that a case goes on where it stopped."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict

from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import LocatabilityScore, TraceStep
from geosleuth.agent.toolbox import Search
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence
from geosleuth.tools.textline import TextLine

PERCEIVE = "perceive"  # stands in TraceStep.by for what is looked at before any planner is asked
# Tools that look where the belief is: when the investigator says something new, these run again, and no others.
DEPENDENT = frozenset({"submap", "retrieve", "verify", "compare", "gleam_x"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Found(_Frozen):
    """Evidence, the step of the trace that found it, and the photo that it was found in."""

    step: int
    evidence: Evidence
    photo: int | None = None  # None: the investigator's
    id: str = ""  # see WeighedEvidence.id


class PendingCall(_Frozen):
    """A tool call that a planner made, checked, and nobody has run yet."""

    name: str
    args: dict[str, Any] = {}
    id: str = ""
    by: str = PERCEIVE
    note: str | None = None
    thought: str | None = None  # what the planner said with it


class Look(_Frozen):
    """What was seen in one photo, beside the evidence."""

    lines: tuple[TextLine, ...] | None = None  # None: nobody has read it
    locatability: LocatabilityScore | None = None
    candidates: tuple[Candidate, ...] = ()  # of the last search
    search: Search | None = None


class AgentState(TypedDict, total=False):
    """Small and serialisable: the photos' pixels and the belief are made again from it, never stored in it."""

    messages: Annotated[list[AnyMessage], add_messages]  # with the planner, about the photo that is looked at
    found: list[Found]
    trace: Annotated[list[TraceStep], operator.add]
    notes: Annotated[list[str], operator.add]
    pending: list[PendingCall]
    pictures: list[AnyMessage]  # what tools drew, until all calls of a reply have their results
    handovers: int  # steps in a row that the rule planner took over
    closing: str  # the planner's words when it concluded; only where it is a model
    looks: list[Look]  # one per photo
    asked: Inquiry  # of this turn
    pictures_asked: list[str]  # the photos by their hashes and edits
    heard: bool  # this turn's statements are among `found`
    turn: int  # from 1
    since: int  # the turn in which the evidence last changed: what depends on the belief stands from then on
    queue: list[int]  # photos that are to be looked at after this one
    photo: int  # the one that is looked at
    looking: bool  # False: nothing is to be looked at this turn, for only words came


def look(state: AgentState) -> Look:
    """What was seen in the photo that is looked at."""
    looks, photo = state.get("looks") or [], state.get("photo") or 0
    return looks[photo] if photo < len(looks) else Look()


def with_look(state: AgentState, new: Look) -> list[Look]:
    """All looks, with a new one for the photo that is looked at."""
    looks, photo = list(state.get("looks") or []), state.get("photo") or 0
    looks += [Look()] * (photo + 1 - len(looks))
    looks[photo] = new
    return looks


def standing(state: AgentState) -> list[TraceStep]:
    """The steps about the photo that is looked at which need not be made again; failures of earlier turns may."""
    photo, turn, since = state.get("photo") or 0, state.get("turn") or 1, state.get("since") or 1
    return [
        step
        for step in state.get("trace") or ()
        if step.photo == photo
        and (step.turn == turn or (step.ok and (step.turn >= since or step.tool not in DEPENDENT)))
    ]


def this_visit(state: AgentState) -> list[TraceStep]:
    """The steps of this turn about the photo that is looked at: limits are about these."""
    photo, turn = state.get("photo") or 0, state.get("turn") or 1
    return [step for step in state.get("trace") or () if step.photo == photo and step.turn == turn]
