"""The loop as a LangGraph: perceive -> plan <-> act -> conclude."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from geosleuth.agent.conclude import conclude as draw_conclusion
from geosleuth.agent.localization import ToolFailure, TraceStep
from geosleuth.agent.planner_reply import MOST_CALLS
from geosleuth.agent.planning import plan
from geosleuth.agent.prompts import REPEATED, opening
from geosleuth.agent.state import PERCEIVE, AgentState, Found, Investigation, PendingCall
from geosleuth.agent.toolbox import DATA_PREFIX, Finding, Scene, Tool, as_data

logger = logging.getLogger(__name__)

_METADATA = "metadata"  # always looked at first: it costs a millisecond and no planner may skip it


def build_graph(checkpointer: Any = None) -> CompiledStateGraph[AgentState, Investigation, AgentState, AgentState]:
    """Compile the loop; one graph serves all photos, since each run brings its `Investigation`."""
    graph = StateGraph(AgentState, Investigation)
    graph.add_node("perceive", perceive)
    graph.add_node("plan", plan)
    graph.add_node("act", act)
    graph.add_node("conclude", conclude)
    graph.add_edge(START, "perceive")
    graph.add_edge("perceive", "plan")
    graph.add_conditional_edges("plan", _next, {"act": "act", "conclude": "conclude"})
    graph.add_conditional_edges("act", _after_act, {"act": "act", "plan": "plan"})
    graph.add_edge("conclude", END)
    return graph.compile(checkpointer=checkpointer)


def recursion_limit(max_steps: int) -> int:
    """LangGraph's own limit: the nodes that a run may visit.

    Each planning but the last brings at least one entry of the trace, and each act just one, so that there are at most
    `max_steps` + 1 plannings and, as the last reply may hold `MOST_CALLS` calls that are refused one by one,
    `max_steps` - 1 + `MOST_CALLS` acts; then there are the two ends, and the look of LangGraph that finds nothing left.
    """
    return 2 * max_steps + MOST_CALLS + 3


def perceive(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Load the photo, read what its file states, and take the investigator's words as evidence."""
    run = runtime.context
    photo = run.loaded_photo()
    trace: list[TraceStep] = []
    found: list[Found] = []
    messages: list[AnyMessage] = list(opening(photo.size, of_model=run.must_conclude))
    if _METADATA in run.tools:
        step, finding = _run_tool(run, state, run.tools[_METADATA], PendingCall(name=_METADATA), 1, PERCEIVE)
        trace.append(step)
        found += [Found(step=1, evidence=item) for item in finding.evidence]
        called = replace(finding, figures={"tool_called_already": _METADATA, **finding.figures})
        messages.append(HumanMessage(called.for_planner()))
    if run.hints:
        number = len(trace) + 1
        words = f"{len(run.hints)} hint{'s' if len(run.hints) > 1 else ''} taken as evidence"
        trace.append(TraceStep(step=number, tool="hint", result=words, seconds=0.0, by=PERCEIVE))
        found += [Found(step=number, evidence=item) for item in run.hints]
        said = {"the_investigator_says": [item.claim for item in run.hints]}
        messages.append(HumanMessage(DATA_PREFIX + as_data(said)))
    update = AgentState(messages=messages, trace=trace, found=found)
    update["calls_made"] = [run.tools[_METADATA].same_call({})] if _METADATA in run.tools else []
    update["notes"] = [*photo.notes, *_failures(trace)]
    return update


def act(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Run the first pending call. One call per visit, so that each step is streamed when it is done."""
    run = runtime.context
    call, *rest = state["pending"]
    number = len(state["trace"]) + 1
    tool = run.tools[call.name]
    same = tool.same_call(call.args)
    limit = run.limit(state["trace"])
    if limit or state["calls_made"].count(same) >= run.settings.max_repeats:
        reason = limit or REPEATED
        refusal = ToolFailure(kind="limit" if limit else "refused", reason=reason)
        step = _step(call, number, call.by, f"refused: {reason}", 0.0, refusal)
        return _told(AgentState(trace=[step], pending=rest, calls_made=[]), state, call, step.result)
    step, finding = _run_tool(run, state, tool, call, number, call.by)
    update = AgentState(trace=[step], pending=rest, calls_made=[same], notes=_failures([step]))
    pictures = _pictures(finding) if run.planner_sees else []
    # A failure may quote a file's name or a sign, as a result may.
    text = finding.for_planner() if step.ok else DATA_PREFIX + as_data({"summary": step.result})
    _told(update, state, call, text, pictures)
    update["found"] = [Found(step=number, evidence=item) for item in finding.evidence]
    if finding.lines is not None:
        update["lines"] = list(finding.lines)
    if finding.locatability is not None:
        update["locatability"] = finding.locatability
    if finding.candidates is not None:
        update["candidates"] = list(finding.candidates)
    if finding.search is not None:
        update["search"] = finding.search
    return update


def conclude(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Draw the answer from the belief. It stays outside the state: its outlines would bloat every checkpoint."""
    runtime.context.answer = draw_conclusion(state, runtime.context)
    return AgentState(notes=[])


def _next(state: AgentState) -> str:
    return "act" if state["pending"] else "conclude"


def _after_act(state: AgentState) -> str:
    return "act" if state["pending"] else "plan"


def _run_tool(
    run: Investigation, state: AgentState, tool: Tool, call: PendingCall, number: int, by: str
) -> tuple[TraceStep, Finding]:
    """Run one tool; whatever it raises becomes a typed failure, and the run goes on without it."""
    started = time.perf_counter()
    try:
        finding = tool.run(_scene(run, state), call.args)
    except Exception as error:
        if run.settings.precision_cap_km is not None:  # the error may quote a file or a place that the answer withholds
            logger.warning("The tool %s failed: %s", tool.name, type(error).__name__)
        else:
            logger.warning("The tool %s failed: %s: %s", tool.name, type(error).__name__, error)
            logger.debug("Trace of %s", tool.name, exc_info=True)
        failure = ToolFailure(kind="raised", error=type(error).__name__, reason=str(error) or type(error).__name__)
        result = f"failed: {failure.error}: {failure.reason}"
        return _step(call, number, by, result, time.perf_counter() - started, failure), Finding(result)
    return _step(call, number, by, finding.summary, time.perf_counter() - started, None), finding


def _scene(run: Investigation, state: AgentState) -> Scene:
    found = state.get("found") or []
    lines = tuple(state.get("lines") or ())
    return Scene(
        run.loaded_photo(),
        lines,
        belief=lambda: run.countries(found),  # lazy: `metadata` and `read_text` run before anything has needed one
        recorded=run.recorded,
        references=run.references,
        candidates=tuple(state.get("candidates") or ()),
        log_density=lambda lats, lons: run.belief(found).log_density(lats, lons),
        point=lambda: run.belief(found).point(),
        planner_sees=run.planner_sees,
        models=run.models,
    )


def _step(
    call: PendingCall, number: int, by: str, result: str, seconds: float, failure: ToolFailure | None
) -> TraceStep:
    note = call.note
    if failure is not None and failure.kind == "raised":
        note = "; ".join(filter(None, [note, "did not take part"]))
    return TraceStep(
        step=number,
        tool=call.name,
        args=call.args,
        result=result,
        seconds=seconds,
        by=by,
        ok=failure is None,
        failure=failure,
        note=note,
        thought=call.thought,
    )


def _told(
    update: AgentState, state: AgentState, call: PendingCall, text: str, pictures: Sequence[AnyMessage] = ()
) -> AgentState:
    """Add to the update what the planner is told. Pictures wait: no message may part a reply's calls from results."""
    shown = [*(state.get("pictures") or ()), *pictures]
    waiting = bool(update["pending"])
    update["messages"] = [ToolMessage(text, tool_call_id=call.id, name=call.name), *([] if waiting else shown)]
    update["pictures"] = shown if waiting else []
    return update


def _pictures(finding: Finding) -> list[AnyMessage]:
    if not finding.images:
        return []
    from geosleuth.agent.tool_images import image_message

    try:
        return [image_message(finding.images)]
    except Exception:
        logger.warning("A picture for the planner could not be made", exc_info=logger.isEnabledFor(logging.DEBUG))
        return []


def _failures(trace: list[TraceStep]) -> list[str]:
    """Notes for people about the tools that failed."""
    return [
        f"The tool {step.tool} did not take part: {step.failure.error}: {step.failure.reason}"
        for step in trace
        if step.failure is not None and step.failure.kind == "raised"
    ]
