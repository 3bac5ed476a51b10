"""One step of planning: the planner is asked, what it gets wrong is returned once, and then the rules take the step."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from geosleuth.agent.investigation import Investigation
from geosleuth.agent.knowledge import known
from geosleuth.agent.localization import ToolFailure, TraceStep
from geosleuth.agent.planner_reply import PlannerReply, read_reply, shown
from geosleuth.agent.prompts import CONCLUDE, REPEATED, returned, situation
from geosleuth.agent.state import AgentState, PendingCall
from geosleuth.indexes.errors import InputError
from geosleuth.tools.quoting import neutralised

logger = logging.getLogger(__name__)

# Steps in a row that the rules took over; then they plan to the end. A step that is handed over costs three of the 16
# of `max_steps`, so that 10 are left after two, and without a gallery the rules need 5.
MOST_HANDOVERS = 2

_RETURNED = "returned to the planner with the reason"
_TAKEN = "the rule planner takes the step"


@dataclass
class _Attempts:
    """What is said and noted while one step is planned."""

    first: int  # number of the next entry of the trace
    photo: int
    turn: int
    said: list[AnyMessage] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)

    def failed(
        self,
        run: Investigation,
        reply: PlannerReply,
        seconds: float,
        note: str,
        kind: Literal["malformed", "refused"] = "malformed",
    ) -> None:
        """Note that a reply led to no call, and tell the planner why."""
        verb = "refused" if kind == "refused" else "not called"
        self.trace.append(
            TraceStep(
                step=self.first + len(self.trace),
                tool=reply.first_name,
                result=f"{verb}: {reply.problem}",
                seconds=seconds,
                by=run.planner_name,
                ok=False,
                failure=ToolFailure(kind=kind, reason=reply.problem),
                note=note,
                thought=reply.thought,
                photo=self.photo,
                turn=self.turn,
            )
        )
        # A model may have taken the name that it made up from a sign.
        text = returned(neutralised(reply.problem), [*run.tools, *([CONCLUDE] if run.must_conclude else [])])
        answers: list[AnyMessage] = [ToolMessage(text, tool_call_id=one, status="error") for one in reply.ids]
        if answers or reply.message.content:  # an empty turn of the planner's is no turn
            self.said.append(reply.message)
        self.said += answers or [HumanMessage(text)]


def plan(state: AgentState, runtime: Runtime[Investigation]) -> AgentState:
    """Ask the planner for the next calls: twice at most, then the rule planner takes the step."""
    run = runtime.context
    if limit := run.limit(state):
        return AgentState(pending=[], notes=[limit])
    asked = situation(known(state, run))
    attempts = _Attempts(len(state["trace"]) + 1, state.get("photo") or 0, state.get("turn") or 1)
    handovers = state.get("handovers") or 0
    if handovers >= MOST_HANDOVERS:
        return _by_rules(run, asked, attempts, handovers, "")
    view = run.view(state)
    conversation = view.conversation(state["messages"], run.settings.vlm_max_pixels)
    why = f"{run.planner_name} twice made a call that cannot be made"
    for last in (False, True):
        started = time.perf_counter()
        reply, lost = _ask(run, view.planner, [*conversation, *attempts.said, asked])
        seconds = time.perf_counter() - started
        repeats = not reply.problem and _only_repeats(reply, state, run)
        if repeats and (handovers or _was_refused(state["trace"], run)):
            again = PlannerReply(reply.message, f"{REPEATED}, and so it was said before")
            attempts.failed(run, again, seconds, _TAKEN, "refused")
            return _by_rules(run, asked, attempts, handovers + 1, f"{run.planner_name} only repeated calls")
        if not reply.problem:
            return _accepted(run, reply, attempts, handovers if repeats else 0)
        over = last or lost or run.visit_seconds >= run.settings.max_seconds
        attempts.failed(run, reply, seconds, _TAKEN if over else _RETURNED)
        if lost:
            return _by_rules(run, asked, attempts, MOST_HANDOVERS, f"{run.planner_name} could not be asked")
        if over:
            why = why if last else f"{run.planner_name} made a call that cannot be made, and no time was left"
            break
    return _by_rules(run, asked, attempts, handovers + 1, why)


def _ask(run: Investigation, planner: Runnable[Any, Any], messages: Sequence[BaseMessage]) -> tuple[PlannerReply, bool]:
    """Return the planner's reply, checked, and whether there is no use in asking it again."""
    try:
        reply = planner.invoke(list(messages))
        return read_reply(reply, run.tools, must_conclude=run.must_conclude), False
    except Exception as error:  # noqa: BLE001  a planner is foreign code on a network: its failure must not end the run
        # Without its words, which may quote the conversation, and so a sign or a place: the answer's trace has them.
        logger.warning("%s failed: %s", run.planner_name, type(error).__name__)
        problem = shown(f"the planner failed with {type(error).__name__}: {error}", 300)
        # An InputError is final: no server, no weights, or the photo's requests are spent.
        return PlannerReply(AIMessage(""), problem), isinstance(error, InputError)


def _only_repeats(reply: PlannerReply, state: AgentState, run: Investigation) -> bool:
    """Whether all calls of a reply were made as often as they may be."""
    same = [run.tools[call["name"]].same_call(call["args"]) for call in reply.message.tool_calls if not reply.concluded]
    return bool(same) and all(run.repeated(state, one) for one in same)


def _was_refused(trace: Sequence[TraceStep], run: Investigation) -> bool:
    """Whether the planner's last call was a repeated one: then it has been told."""
    last = trace[-1] if trace else None
    return (
        last is not None and last.by == run.planner_name and last.failure is not None and last.failure.kind == "refused"
    )


def _accepted(run: Investigation, reply: PlannerReply, attempts: _Attempts, handovers: int) -> AgentState:
    update = AgentState(messages=[*attempts.said, reply.message], trace=attempts.trace, pending=[], handovers=handovers)
    if reply.concluded:
        update["messages"] += [ToolMessage("The answer is drawn now.", tool_call_id=one) for one in reply.ids]
        if run.by_model:
            update["closing"] = reply.words
        return update
    thought = reply.thought if run.by_model else None
    update["pending"] = _pending(reply.message, run.planner_name, thought, "")
    return update


def _by_rules(run: Investigation, asked: HumanMessage, attempts: _Attempts, handovers: int, why: str) -> AgentState:
    """Let the rule planner take the step; `why` is empty where it has been planning for some time."""
    reply = run.rules.invoke([asked])
    note = f"The rule planner took this step, because {why}." if why else ""
    pending = _pending(reply, "RulePlanner", None, note)
    notes = [] if pending or not note else [f"{note} It concluded."]
    if why and handovers >= MOST_HANDOVERS:
        step = attempts.first + len(attempts.trace)
        notes.append(f"From step {step} on the rule planner planned, because {why}.")
    messages = [*attempts.said, reply]
    return AgentState(messages=messages, trace=attempts.trace, pending=pending, notes=notes, handovers=handovers)


def _pending(reply: AIMessage, by: str, thought: str | None, note: str) -> list[PendingCall]:
    """The calls of a reply, in order; the thought that led to all of them stands at the first."""
    count = len(reply.tool_calls)
    return [
        PendingCall(
            name=call["name"],
            args=call["args"],
            id=call.get("id") or f"call-{i}",
            by=by,
            thought=thought if i == 0 else None,
            note="; ".join(filter(None, [note, f"call {i + 1} of {count} in one reply" if count > 1 else ""])) or None,
        )
        for i, call in enumerate(reply.tool_calls)
    ]
