"""Where each photo begins: what its file states, what the investigator says, and what stands from earlier turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from langchain_core.messages import AnyMessage, HumanMessage, RemoveMessage
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.runtime import Runtime

from geosleuth.agent.inquiry import INVESTIGATOR
from geosleuth.agent.investigation import Investigation
from geosleuth.agent.localization import TraceStep
from geosleuth.agent.prompts import opening
from geosleuth.agent.state import PERCEIVE, AgentState, Found, PendingCall, standing
from geosleuth.agent.tool_run import failure_notes, run_tool, trace_step
from geosleuth.agent.toolbox import DATA_PREFIX, as_data

_METADATA = "metadata"  # always looked at first: it costs a millisecond and no planner may skip it
_MOST_CLAIMS = 20  # of what is known already; more would only fill the planner's context


def perceive(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Begin to look at the next photo, or look at it again; the investigator's words are taken once per turn."""
    run = runtime.context
    run.visit_started = time.perf_counter()
    queue = state.get("queue", [0])
    state = {**state, "photo": queue[0] if queue else state.get("photo", 0), "trace": list(state.get("trace") or ())}
    found = list(state.get("found") or ())
    begun = len(state["trace"])
    messages: list[AnyMessage] = []
    if state.get("messages"):  # each photo, and each turn, has its own conversation
        messages.append(cast("AnyMessage", RemoveMessage(id=REMOVE_ALL_MESSAGES)))
    notes: list[str] = []
    if queue:
        photo = run.view(state).photo
        messages += opening(photo.size, of_model=run.must_conclude)
        if not (again := standing(state)):
            notes += photo.notes
        messages += _known_before(run, found, again)
        if _METADATA in run.tools and not any(step.tool == _METADATA for step in again):
            messages.append(_read_metadata(state, run, found))
    if not state.get("heard"):
        found = [item for item in found if item.photo is not None]
        messages += _listen(state, run, found)
    trace = state["trace"][begun:]
    return AgentState(
        messages=messages,
        trace=trace,
        found=found,
        notes=[*notes, *failure_notes(trace)],
        pending=_requested(state, run) if queue else [],
        pictures=[],
        handovers=0,
        heard=True,
        looking=bool(queue),
        photo=state["photo"],
        queue=queue[1:],
    )


def _read_metadata(state: AgentState, run: Investigation, found: list[Found]) -> AnyMessage:
    """Read what the file states; adds to the trace of `state` and to `found`."""
    number = len(state["trace"]) + 1
    step, finding = run_tool(run, state, run.tools[_METADATA], PendingCall(name=_METADATA), number)
    state["trace"].append(step)
    found += run.found(step.step, finding.evidence, step.photo, found)
    called = replace(finding, figures={"tool_called_already": _METADATA, **finding.figures})
    return HumanMessage(called.for_planner())


def _listen(state: AgentState, run: Investigation, found: list[Found]) -> list[AnyMessage]:
    """Take what the investigator states as evidence; adds to the trace of `state` and to `found`."""
    if not run.stated:
        return []
    statements = run.inquiry.statements
    kind = "hint" if all(one.kind == "hint" for one in statements) else "statement"
    words = f"{len(run.stated)} {kind}{'s' if len(run.stated) > 1 else ''} taken as evidence"
    call = PendingCall(name="hint", by=PERCEIVE)
    step = trace_step(state, call, len(state["trace"]) + 1, words, 0.0, None)
    state["trace"].append(step)
    found += run.found(step.step, run.stated, None)
    return [HumanMessage(DATA_PREFIX + as_data({"the_investigator_says": [one.claim for one in run.stated]}))]


def _known_before(run: Investigation, found: Sequence[Found], again: Sequence[TraceStep]) -> list[AnyMessage]:
    """Tell the planner what was found before this visit, in this photo and in the others of the scene."""
    claims = [item.evidence.claim for item in run.counted(found) if item.photo is not None]
    if not claims and not again:
        return []
    calls = [f"{step.tool}: {step.result}" for step in again]
    known = {"found_before_in_this_scene": claims[:_MOST_CLAIMS], "calls_that_stand": calls}
    return [HumanMessage(DATA_PREFIX + as_data(known))]


def _requested(state: AgentState, run: Investigation) -> list[PendingCall]:
    """The calls that the investigator asked for, of this photo."""
    return [
        PendingCall(name=call.tool, args=call.args, id=f"{INVESTIGATOR}-{i}", by=INVESTIGATOR)
        for i, call in enumerate(run.inquiry.calls)
        if call.photo == state["photo"]
    ]
