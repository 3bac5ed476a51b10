"""The loop as a LangGraph: perceive -> plan <-> act -> conclude."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from geosleuth.agent.conclude import conclude as draw_conclusion
from geosleuth.agent.inquiry import INVESTIGATOR
from geosleuth.agent.investigation import Investigation
from geosleuth.agent.localization import ToolFailure
from geosleuth.agent.perceive import perceive
from geosleuth.agent.planner_reply import MOST_CALLS
from geosleuth.agent.planning import plan
from geosleuth.agent.prompts import REPEATED
from geosleuth.agent.state import AgentState, PendingCall
from geosleuth.agent.tool_run import failure_notes, looked, run_tool, trace_step, with_findings
from geosleuth.agent.toolbox import DATA_PREFIX, Finding, as_data

logger = logging.getLogger(__name__)


def build_graph(checkpointer: Any = None) -> CompiledStateGraph[AgentState, Investigation, AgentState, AgentState]:
    """Compile the loop; one graph serves all scenes, since each run brings its `Investigation`."""
    graph = StateGraph(AgentState, Investigation)
    graph.add_node("perceive", perceive)
    graph.add_node("plan", plan)
    graph.add_node("act", act)
    graph.add_node("conclude", conclude)
    graph.add_edge(START, "perceive")
    ways: dict[Hashable, str] = {"perceive": "perceive", "plan": "plan", "act": "act", "conclude": "conclude"}
    graph.add_conditional_edges("perceive", _after_perceive, ways)
    graph.add_conditional_edges("plan", _after_plan, ways)
    graph.add_conditional_edges("act", _after_act, ways)
    graph.add_edge("conclude", END)
    return graph.compile(checkpointer=checkpointer)


def recursion_limit(max_steps: int, photos: int = 1, requested: int = 0) -> int:
    """LangGraph's own limit: the nodes that a run may visit.

    Each planning but the last brings at least one entry of the trace, and each act just one, so that there are at most
    `max_steps` + 1 plannings and, as the last reply may hold `MOST_CALLS` calls that are refused one by one,
    `max_steps` - 1 + `MOST_CALLS` acts for each photo; then there are the two ends, what the investigator asked for,
    and the look of LangGraph that finds nothing left.
    """
    return (2 * max_steps + MOST_CALLS + 1) * photos + requested + 2


def act(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Run the first pending call. One call per visit, so that each step is streamed when it is done."""
    run = runtime.context
    call, *rest = state["pending"]
    number = len(state["trace"]) + 1
    tool = run.tools[call.name]
    limit = run.limit(state)
    if limit or (call.by != INVESTIGATOR and run.repeated(state, tool.same_call(call.args))):
        reason = limit or REPEATED
        refusal = ToolFailure(kind="limit" if limit else "refused", reason=reason)
        step = trace_step(state, call, number, f"refused: {reason}", 0.0, refusal)
        return _told(AgentState(trace=[step], pending=rest), state, call, step.result)
    step, finding = run_tool(run, state, tool, call, number)
    update = AgentState(trace=[step], pending=rest, notes=failure_notes([step]))
    pictures = _pictures(finding) if run.view(state).sees else []
    # A failure may quote a file's name or a sign, as a result may.
    text = finding.for_planner() if step.ok else DATA_PREFIX + as_data({"summary": step.result})
    _told(update, state, call, text, pictures)
    update["found"] = with_findings(state, run, step, finding)
    update["looks"] = looked(state, finding)
    return update


def conclude(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Draw the answer from the belief. It stays outside the state: its outlines would bloat every checkpoint."""
    runtime.context.answer = draw_conclusion(state, runtime.context)
    return AgentState(notes=[])


def _after_perceive(state: AgentState) -> str:
    if state["pending"]:
        return "act"
    return "plan" if state["looking"] else "conclude"


def _after_plan(state: AgentState) -> str:
    if state["pending"]:
        return "act"
    return "perceive" if state["queue"] else "conclude"


def _after_act(state: AgentState) -> str:
    return "act" if state["pending"] else "plan"


def _told(
    update: AgentState, state: AgentState, call: PendingCall, text: str, pictures: Sequence[AnyMessage] = ()
) -> AgentState:
    """Add to the update what the planner is told. Pictures wait: no message may part a reply's calls from results."""
    shown = [*(state.get("pictures") or ()), *pictures]
    waiting = bool(update["pending"])
    # No planner made the investigator's calls, and a result without its call is an error to many models.
    answers = call.by != INVESTIGATOR
    result = ToolMessage(text, tool_call_id=call.id, name=call.name) if answers else HumanMessage(text)
    update["messages"] = [result, *([] if waiting else shown)]
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
