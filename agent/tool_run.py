"""One tool call: what the tool may look at, what came of it, and its entry in the trace."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial

from geosleuth.agent.investigation import Investigation
from geosleuth.agent.localization import ToolFailure, TraceStep
from geosleuth.agent.patience import HangingToolError, patience_s, within
from geosleuth.agent.state import AgentState, Found, Look, PendingCall, look, with_look
from geosleuth.agent.toolbox import Finding, Scene, Tool

logger = logging.getLogger(__name__)

_SUM_UP = {
    "retrieve",
    "verify",
    "gleam_x",
}  # tools whose evidence is about all candidates, whatever they had said before


def run_tool(
    run: Investigation, state: AgentState, tool: Tool, call: PendingCall, number: int
) -> tuple[TraceStep, Finding]:
    """Run one tool; whatever it raises becomes a typed failure, and so does its hanging: the run goes on without it."""
    started = time.perf_counter()
    try:
        _check_answers(state, tool)
        work = partial(tool.run, _scene(run, state), call.args)
        finding = within(patience_s(run.settings.max_seconds), work, f"tool-{tool.name}")
    except Exception as error:
        if isinstance(error, HangingToolError):  # the photo's other tools have their time all the same
            run.visit_started += time.perf_counter() - started
        # The error may quote a photo's name, a sign or a place: the answer's trace has it, and by default no log.
        logger.warning("The tool %s failed: %s", tool.name, type(error).__name__)
        if run.settings.precision_cap_km is None:  # which holds for all logs
            logger.debug("Trace of %s", tool.name, exc_info=True)
        failure = ToolFailure(kind="raised", error=type(error).__name__, reason=str(error) or type(error).__name__)
        result = f"failed: {failure.error}: {failure.reason}"
        return trace_step(state, call, number, result, time.perf_counter() - started, failure), Finding(result)
    return trace_step(state, call, number, finding.summary, time.perf_counter() - started, None), finding


def _check_answers(state: AgentState, tool: Tool) -> None:
    """Wait no second time, in one turn, for a tool that may still hang; the next turn tries again.

    Raises:
        HangingToolError: It hung in this turn.
    """
    for step in state.get("trace") or ():
        hung = step.failure is not None and step.failure.error == HangingToolError.__name__
        if hung and step.tool == tool.name and step.turn == (state.get("turn") or 1):
            found = f"that it hung over photo {step.photo + 1} of this scene"
            raise HangingToolError("a tool that answers", found, "Ask again to have it tried once more.")


def _scene(run: Investigation, state: AgentState) -> Scene:
    found, view, seen = state.get("found") or [], run.view(state), look(state)
    return Scene(
        view.photo,
        seen.lines or (),
        belief=lambda: run.countries(found),  # lazy: `metadata` and `read_text` run before anything has needed one
        recorded=run.recorded,
        references=run.references,
        candidates=seen.candidates,
        log_density=lambda lats, lons: run.belief(found).log_density(lats, lons),
        point=lambda: run.belief(found).point(),
        planner_sees=view.sees,
        explains_in=run.inquiry.language or ("zh" if run.settings.language == "zh" else "en"),
        models=view.models,
    )


def trace_step(
    state: AgentState, call: PendingCall, number: int, result: str, seconds: float, failure: ToolFailure | None
) -> TraceStep:
    """Write a call's entry in the trace."""
    note = call.note
    if failure is not None and failure.kind == "raised":
        note = "; ".join(filter(None, [note, "did not take part"]))
    return TraceStep(
        step=number,
        tool=call.name,
        args=call.args,
        result=result,
        seconds=seconds,
        by=call.by,
        ok=failure is None,
        failure=failure,
        note=note,
        thought=call.thought,
        photo=state.get("photo") or 0,
        turn=state.get("turn") or 1,
    )


def failure_notes(trace: Sequence[TraceStep]) -> list[str]:
    """Notes for people about the tools that failed."""
    return [
        f"The tool {step.tool} did not take part: {step.failure.error}: {step.failure.reason}"
        for step in trace
        if step.failure is not None and step.failure.kind == "raised"
    ]


def with_findings(state: AgentState, run: Investigation, step: TraceStep, finding: Finding) -> list[Found]:
    """All evidence with the new; what sums up the same candidates as before takes the place of what did then."""
    found = state.get("found") or []
    tools = {one.tool for one in finding.evidence} if step.tool in _SUM_UP else set()
    kept = [item for item in found if item.photo != step.photo or item.evidence.tool not in tools]
    return kept + run.found(step.step, finding.evidence, step.photo, kept)


def looked(state: AgentState, finding: Finding) -> list[Look]:
    """What was seen in each photo, with what a call has found in the one that is looked at."""
    seen = {name: getattr(finding, name) for name in Look.model_fields}
    new = look(state).model_copy(update={name: what for name, what in seen.items() if what is not None})
    return with_look(state, new)
