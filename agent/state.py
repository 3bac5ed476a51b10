"""What the loop remembers (`AgentState`, checkpointed) and what it works with (`Investigation`, not checkpointed)."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict

from geosleuth.agent.localization import Localization, LocatabilityScore, TraceStep
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Search, Tool
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.tools.textline import TextLine

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from geosleuth.agent.belief import Belief
    from geosleuth.agent.references import References
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.prior import RecordedPredictions

PERCEIVE = "perceive"  # stands in TraceStep.by for what is looked at before any planner is asked


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Found(_Frozen):
    """Evidence, and the step of the trace that found it."""

    step: int
    evidence: Evidence


class PendingCall(_Frozen):
    """A tool call that a planner made, checked, and nobody has run yet."""

    name: str
    args: dict[str, Any] = {}
    id: str = ""
    by: str = PERCEIVE
    note: str | None = None


class AgentState(TypedDict, total=False):
    """Small and serialisable: the photo's pixels and the belief are made again from it, never stored in it."""

    messages: Annotated[list[AnyMessage], add_messages]
    found: Annotated[list[Found], operator.add]
    trace: Annotated[list[TraceStep], operator.add]
    notes: Annotated[list[str], operator.add]
    pending: list[PendingCall]
    calls_made: Annotated[list[str], operator.add]  # Tool.same_call of each call that ran
    lines: list[TextLine] | None
    locatability: LocatabilityScore | None
    candidates: list[Candidate]  # of the last search
    search: Search


@dataclass
class Investigation:
    """One photo's run: the context that LangGraph hands to every node beside the state."""

    image: Any
    settings: Settings
    tools: Mapping[str, Tool]
    planner: Runnable[Any, Any]  # bound to the tools
    planner_name: str
    rules: Runnable[Any, Any]  # the rule planner, bound to the tools
    start: Callable[[], Belief]
    hints: Sequence[Evidence] = ()
    recorded: RecordedPredictions | None = None
    references: References | None = None
    photo: Photo | None = None
    answer: Localization | None = None
    started: float = field(default_factory=time.perf_counter)
    _beliefs: dict[int, Belief] = field(default_factory=dict)  # by number of evidence
    _countries: dict[int, dict[str, float]] = field(default_factory=dict)  # the same

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.perf_counter() - self.started

    def loaded_photo(self) -> Photo:
        """Load the photo on first use; a run that is resumed from a checkpoint loads it again."""
        if self.photo is None:
            from geosleuth.indexes.photo import Photo, load_photo

            self.photo = self.image if isinstance(self.image, Photo) else load_photo(self.image)
        return self.photo

    def belief(self, found: Sequence[Found]) -> Belief:
        """Return the belief given all evidence so far; evidence only ever grows, so its number is the cache's key."""
        if len(found) not in self._beliefs:
            self._beliefs[len(found)] = self.start().update([item.evidence for item in found])
        return self._beliefs[len(found)]

    def countries(self, found: Sequence[Found]) -> dict[str, float]:
        """Return the belief's countries, the likeliest first; no belief is made anew for evidence that says nothing."""
        speaking = any(not isinstance(item.evidence.likelihood, Nothing) for item in found)
        key = len(found) if speaking else 0
        if key not in self._countries:
            self._countries[key] = (self.belief(found) if speaking else self.start()).country_probabilities()
        return self._countries[key]
