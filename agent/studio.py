"""The loop as LangGraph Studio opens it: `langgraph dev` finds `graph` through langgraph.json.

It is `build_graph`, node for node and edge for edge, behind one more node: what a run works with (the photos, the
models) cannot come as JSON, so that `begin` makes it from the paths and hints that were typed in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, Field

from geosleuth.agent.graph import build_graph
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.investigation import Investigation
from geosleuth.agent.state import AgentState
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent

_MOST_RUNS = 8  # that are kept with their photos; an older one that goes on is made again
_runs: dict[str, Investigation] = {}


class StudioInput(BaseModel):
    """What is typed into Studio."""

    image: Annotated[str, Field(description="The path of a photo on this machine.")]
    hints: Annotated[list[str], Field(description="What is known already: 'in Portugal', 'not Lisbon'.")] = []


class StudioOutput(BaseModel):
    """What comes out: docs/localization.schema.json describes it."""

    answer: dict[str, Any]


class StudioState(AgentState, total=False):
    """The loop's state, with what came in and what goes out."""

    image: str
    hints: list[str]
    run: str  # names an `Investigation` of this process
    answer: dict[str, Any]


def graph() -> Any:
    """Compile the loop for Studio, which brings its own checkpointer."""
    loop: Any = build_graph().builder
    studio = StateGraph(StudioState, input_schema=StudioInput, output_schema=StudioOutput)
    studio.add_node("begin", begin)
    studio.add_edge(START, "begin")
    for name, node in loop.nodes.items():
        studio.add_node(name, _with_run(node.runnable.func))
    for start, end in loop.edges:
        studio.add_edge("begin" if start == START else start, end)
    for start, ways in loop.branches.items():
        for way in ways.values():
            studio.add_conditional_edges(start, way.path, way.ends)
    return studio.compile()


def begin(state: StudioState) -> dict[str, Any]:
    """Load the photo and take the hints; asked again on the same thread, only what depends on them runs again.

    Raises:
        InputError: No photo there, a hint that nobody understands, or settings with a cap on precision.
    """
    inquiry = Inquiry(statements=tuple(Hint(text=text) for text in state.get("hints") or ()))
    name = secrets.token_hex(8)
    run = _made(name, state, inquiry)
    pictures = [view.photo.sha256 for view in run.views]
    turn = (state.get("turn") or 0) + 1
    if turn > 1 and state.get("pictures_asked") != pictures:
        raise InputError("the photo of this thread", "another one", "Begin a new thread for it.")
    again = turn == 1 or run.references is not None
    return {
        "run": name,
        "asked": inquiry,
        "heard": False,
        "turn": turn,
        "since": turn,
        "queue": [0] if again else [],
        "pictures_asked": pictures,
        "closing": "",
        "answer": {},
    }


def _with_run(node: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the loop's own node the investigation as its context."""

    def visit(state: StudioState, runtime: Runtime[Any]) -> dict[str, Any]:
        name = state["run"]
        run = _runs.get(name) or _made(name, state, state["asked"])  # after a restart of the server
        update = dict(node(state, runtime.override(context=run)) or {})
        return update if run.answer is None else {**update, "answer": run.answer.model_dump(mode="json")}

    return visit


def _made(name: str, state: StudioState, inquiry: Inquiry) -> Investigation:
    agent = _agent()
    if agent.settings.precision_cap_km is not None:
        found = f"precision_cap_km = {agent.settings.precision_cap_km:g}"
        remedy = "Studio shows every step in full: use `geosleuth localize`, or take the cap out."
        raise InputError("settings without a cap on precision", found, remedy)
    run = agent.investigation(agent.load(Path(state.get("image") or "")), inquiry)
    while len(_runs) >= _MOST_RUNS:
        _runs.pop(next(iter(_runs)), None)
    _runs[name] = run
    return run


@lru_cache(maxsize=1)
def _agent() -> Agent:
    from geosleuth.agent.agent import Agent

    return Agent()
