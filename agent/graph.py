"""The loop as a LangGraph: perceive -> plan <-> act -> conclude."""

from __future__ import annotations

import logging
import time
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from geosleuth.agent.conclude import conclude as draw_conclusion
from geosleuth.agent.knowledge import known
from geosleuth.agent.localization import ToolFailure, TraceStep
from geosleuth.agent.prompts import opening, returned, situation
from geosleuth.agent.state import PERCEIVE, AgentState, Found, Investigation, PendingCall
from geosleuth.agent.toolbox import Finding, Scene, Tool

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
    """LangGraph's own limit: a plan and an act per step, a second try each, and the ends."""
    return 4 * max_steps + 10


def perceive(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Load the photo, read what its file states, and take the investigator's words as evidence."""
    run = runtime.context
    photo = run.loaded_photo()
    trace: list[TraceStep] = []
    found: list[Found] = []
    if _METADATA in run.tools:
        step, finding = _run_tool(run, state, run.tools[_METADATA], PendingCall(name=_METADATA), 1, PERCEIVE)
        trace.append(step)
        found += [Found(step=1, evidence=item) for item in finding.evidence]
    if run.hints:
        number = len(trace) + 1
        words = f"{len(run.hints)} hint{'s' if len(run.hints) > 1 else ''} taken as evidence"
        trace.append(TraceStep(step=number, tool="hint", result=words, seconds=0.0, by=PERCEIVE))
        found += [Found(step=number, evidence=item) for item in run.hints]
    update = AgentState(messages=list(opening(photo.size)), trace=trace, found=found)  # type: ignore[arg-type]
    update["calls_made"] = [run.tools[_METADATA].same_call({})] if _METADATA in run.tools else []
    update["notes"] = [*photo.notes, *_failures(trace)]
    return update


def plan(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Ask the planner for the next calls: twice at most, then the rule planner takes the step."""
    run = runtime.context
    if limit := _limit(state, run):
        return AgentState(pending=[], notes=[limit])
    asked = situation(known(state, run))
    said: list[AnyMessage] = []
    trace: list[TraceStep] = []
    problem = ""
    for _ in range(2):
        started = time.perf_counter()
        reply, problem = _ask(run, [*state["messages"], *said, asked])
        if not problem:
            return AgentState(messages=[*said, reply], trace=trace, pending=_pending(reply, run.planner_name, None))
        trace.append(_malformed(len(state["trace"]) + len(trace) + 1, run, reply, problem, started))
        said += [reply, *_answers(reply, returned(problem, tuple(run.tools)))]
    note = f"The rule planner took this step, because {run.planner_name} twice made a call that cannot be made."
    reply = run.rules.invoke([asked])
    pending = _pending(reply, "RulePlanner", note)
    notes = [] if pending else [f"{note} It concluded."]
    return AgentState(messages=[*said, reply], trace=trace, pending=pending, notes=notes)


def act(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Run the first pending call. One call per visit, so that each step is streamed when it is done."""
    run = runtime.context
    call, *rest = state["pending"]
    number = len(state["trace"]) + 1
    tool = run.tools[call.name]
    same = tool.same_call(call.args)
    limit = _limit(state, run)
    if limit or state["calls_made"].count(same) >= run.settings.max_repeats:
        reason = limit or "this very call was already made, and its result stands above"
        refusal = ToolFailure(kind="limit" if limit else "refused", reason=reason)
        step = _step(call, number, call.by, f"refused: {reason}", 0.0, refusal)
        return AgentState(messages=[_message(call, step.result)], trace=[step], pending=rest, calls_made=[])
    step, finding = _run_tool(run, state, tool, call, number, call.by)
    update = AgentState(trace=[step], pending=rest, calls_made=[same], notes=_failures([step]))
    update["messages"] = [_message(call, finding.for_planner() if step.ok else step.result)]
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


def _limit(state: AgentState, run: Investigation) -> str | None:
    """Say which limit is reached, if any. What `perceive` does is not counted."""
    steps = sum(step.by != PERCEIVE for step in state["trace"])
    if steps >= run.settings.max_steps:
        return f"the limit of {run.settings.max_steps} steps (max_steps) was reached"
    if run.seconds >= run.settings.max_seconds:
        return f"the limit of {run.settings.max_seconds:g} s (max_seconds) was reached after {run.seconds:.1f} s"
    return None


def _ask(run: Investigation, messages: list[AnyMessage]) -> tuple[AIMessage, str]:
    """Return the planner's reply and what is wrong with it ("" if nothing is)."""
    try:
        reply = run.planner.invoke(messages)
    except Exception as error:  # noqa: BLE001  a planner is foreign code on a network: its failure must not end the run
        logger.warning("%s failed: %s", run.planner_name, error)
        return AIMessage(""), f"the planner failed with {type(error).__name__}: {error}"
    if not isinstance(reply, AIMessage):
        return AIMessage(""), f"the planner replied with {type(reply).__name__}, not an AIMessage"
    if reply.invalid_tool_calls:
        first = reply.invalid_tool_calls[0]
        return (
            reply,
            f"{first.get('name') or 'a tool'}: the arguments are not JSON ({first.get('error') or 'malformed'})",
        )
    for call in reply.tool_calls:
        if call["name"] not in run.tools:
            return reply, f"there is no tool {call['name']!r}"
        if complaint := run.tools[call["name"]].complaint(call["args"]):
            return reply, complaint
    return reply, ""


def _answers(reply: AIMessage, text: str) -> list[AnyMessage]:
    """Answer every call of a refused reply: chat models insist that each call has its result."""
    ids = [call.get("id") for call in [*reply.tool_calls, *reply.invalid_tool_calls]]
    answers: list[AnyMessage] = [ToolMessage(text, tool_call_id=str(i), status="error") for i in ids if i]
    return answers or [HumanMessage(text)]


def _pending(reply: AIMessage, by: str, note: str | None) -> list[PendingCall]:
    return [
        PendingCall(name=call["name"], args=call["args"], id=call.get("id") or f"call-{i}", by=by, note=note)
        for i, call in enumerate(reply.tool_calls)
    ]


def _malformed(number: int, run: Investigation, reply: AIMessage, problem: str, started: float) -> TraceStep:
    calls = [*reply.tool_calls, *reply.invalid_tool_calls]
    return TraceStep(
        step=number,
        tool=str(calls[0].get("name") or "?") if calls else "?",
        result=f"not called: {problem}",
        seconds=time.perf_counter() - started,
        by=run.planner_name,
        ok=False,
        failure=ToolFailure(kind="malformed", reason=problem),
        note="returned to the planner with the reason",
    )


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
    )


def _message(call: PendingCall, text: str) -> ToolMessage:
    return ToolMessage(text, tool_call_id=call.id, name=call.name)


def _failures(trace: list[TraceStep]) -> list[str]:
    """Notes for people about the tools that failed."""
    return [
        f"The tool {step.tool} did not take part: {step.failure.error}: {step.failure.reason}"
        for step in trace
        if step.failure is not None and step.failure.kind == "raised"
    ]
