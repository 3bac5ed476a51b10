"""What the loop remembers (`AgentState`, checkpointed) and what it works with (`Investigation`, not checkpointed)."""

from __future__ import annotations

import logging
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, BaseMessage
from langgraph.graph.message import add_messages
from pydantic import BaseModel, ConfigDict

from geosleuth.agent.localization import Localization, LocatabilityScore, TraceStep
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Search, Tool
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.tools.textline import TextLine

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from geosleuth.agent.belief import Belief
    from geosleuth.agent.models import PhotoModels
    from geosleuth.agent.references import References
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.prior import RecordedPredictions

logger = logging.getLogger(__name__)

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
    thought: str | None = None  # what the planner said with it


class AgentState(TypedDict, total=False):
    """Small and serialisable: the photo's pixels and the belief are made again from it, never stored in it."""

    messages: Annotated[list[AnyMessage], add_messages]
    found: Annotated[list[Found], operator.add]
    trace: Annotated[list[TraceStep], operator.add]
    notes: Annotated[list[str], operator.add]
    pending: list[PendingCall]
    pictures: list[AnyMessage]  # what tools drew, until all calls of a reply have their results
    handovers: int  # steps in a row that the rule planner took over
    closing: str  # the planner's words when it concluded; only where it is a model
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
    models: PhotoModels | None = None  # this photo's views of the models behind the roles
    photo: Photo | None = None
    planner_sees: bool = False  # the photo and what tools draw are shown to it as images
    answer: Localization | None = None
    started: float = field(default_factory=time.perf_counter)
    _photo_part: dict[str, Any] | None = None
    _beliefs: dict[int, Belief] = field(default_factory=dict)  # by number of evidence
    _countries: dict[int, dict[str, float]] = field(default_factory=dict)  # the same

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.perf_counter() - self.started

    @property
    def by_model(self) -> bool:
        """Whether the planner is a model, so that what it says are a model's words, and not the rules' reasons."""
        from geosleuth.agent.planner_rules import RulePlanner

        return not isinstance(self.planner, RulePlanner)

    @property
    def must_conclude(self) -> bool:
        """Whether the planner ends by calling `conclude`, as ours does; others end by calling nothing."""
        from geosleuth.agent.planner_vlm import VlmPlanner

        return isinstance(self.planner, VlmPlanner)

    def limit(self, trace: Sequence[TraceStep]) -> str | None:
        """Say which limit is reached, if any. What `perceive` does is not counted."""
        if sum(step.by != PERCEIVE for step in trace) >= self.settings.max_steps:
            return f"the limit of {self.settings.max_steps} steps (max_steps) was reached"
        if self.seconds >= self.settings.max_seconds:
            return f"the limit of {self.settings.max_seconds:g} s (max_seconds) was reached after {self.seconds:.1f} s"
        return None

    def conversation(self, messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
        """Return the messages as the planner gets them: with the photo, which the state does not hold, if it sees."""
        if not self.planner_sees:
            return messages
        from geosleuth.agent.prompts import with_photo
        from geosleuth.agent.tool_images import photo_message_part

        if self._photo_part is None:
            try:
                self._photo_part = photo_message_part(self.loaded_photo(), self.settings.vlm_max_pixels)
            except InputError:  # its pixels are damaged; what the file states can still be read
                logger.warning("The planner does not see the photo: its pixels cannot be read")
                self._photo_part = {"type": "text", "text": "The photo itself cannot be shown."}
        return with_photo(messages, self._photo_part)

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
