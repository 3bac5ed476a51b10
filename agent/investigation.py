"""What a run of the loop works with beside its state, and what no checkpoint holds: photos, models, settings."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage

from geosleuth.agent.finding_ids import INVESTIGATOR_SAYS, finding_id, machine_key
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.agent.settings import Settings
from geosleuth.agent.state import PERCEIVE, AgentState, Found, standing, this_visit
from geosleuth.agent.toolbox import Tool
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, Nothing

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from geosleuth.agent.belief import Belief
    from geosleuth.agent.models import PhotoModels
    from geosleuth.agent.references import References
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.prior import RecordedPredictions

logger = logging.getLogger(__name__)


@dataclass
class PhotoView:
    """One photo of the scene, with the models' own view of it and the planner that is bound to that."""

    photo: Photo
    planner: Runnable[Any, Any]  # bound to the tools
    models: PhotoModels | None = None  # behind the roles that one plays
    sees: bool = False  # the planner is shown the photo and what tools draw as images
    _part: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """As `photo_key`."""
        return photo_key(self.photo)

    def conversation(self, messages: Sequence[BaseMessage], max_pixels: int) -> Sequence[BaseMessage]:
        """Return the messages as the planner gets them: with the photo, which the state does not hold, if it sees."""
        if not self.sees:
            return messages
        from geosleuth.agent.prompts import with_photo
        from geosleuth.agent.tool_images import photo_message_part

        if self._part is None:
            try:
                self._part = photo_message_part(self.photo, max_pixels)
            except InputError:  # its pixels are damaged; what the file states can still be read
                logger.warning("The planner does not see the photo: its pixels cannot be read")
                self._part = {"type": "text", "text": "The photo itself cannot be shown."}
        return with_photo(messages, self._part)


@dataclass
class Investigation:
    """One turn about one scene: the context that LangGraph hands to every node beside the state."""

    views: Sequence[PhotoView]  # one per photo, in the order in which they are looked at
    settings: Settings
    tools: Mapping[str, Tool]
    planner_name: str
    rules: Runnable[Any, Any]  # the rule planner, bound to the tools
    start: Callable[[], Belief]
    inquiry: Inquiry = field(default_factory=Inquiry)
    stated: Sequence[Evidence] = ()  # what the inquiry's statements say
    recorded: RecordedPredictions | None = None
    references: References | None = None
    answer: Localization | None = None
    started: float = field(default_factory=time.perf_counter)
    visit_started: float = field(default_factory=time.perf_counter)
    _beliefs: dict[tuple[int, ...], Belief] = field(default_factory=dict)  # by the identities of the evidence
    _countries: dict[tuple[int, ...], dict[str, float]] = field(default_factory=dict)  # the same
    _kept: list[list[Found]] = field(default_factory=list)  # keeps identities in use: no other object takes one

    def view(self, state: AgentState) -> PhotoView:
        """The photo that is looked at."""
        return self.views[state.get("photo") or 0]

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.perf_counter() - self.started

    @property
    def visit_seconds(self) -> float:
        """How long this photo has taken so far."""
        return time.perf_counter() - self.visit_started

    @property
    def by_model(self) -> bool:
        """Whether the planner is a model, so that what it says are a model's words, and not the rules' reasons."""
        from geosleuth.agent.planner_rules import RulePlanner

        return not isinstance(self.views[0].planner, RulePlanner)

    @property
    def must_conclude(self) -> bool:
        """Whether the planner ends by calling `conclude`, as ours does; others end by calling nothing."""
        from geosleuth.agent.planner_vlm import VlmPlanner

        return isinstance(self.views[0].planner, VlmPlanner)

    def found(
        self, step: int, evidence: Sequence[Evidence], photo: int | None, known: Sequence[Found] = ()
    ) -> list[Found]:
        """What a step found, or with `photo` None the investigator stated; what speaks and is known already is left."""
        about = INVESTIGATOR_SAYS if photo is None else self.views[photo].key
        key = machine_key()
        ids = {item.id for item in known if item.photo == photo}
        new = []
        for one in evidence:
            name = finding_id(about, one, key)
            if name not in ids or isinstance(one.likelihood, Nothing):  # of what was in vain, each time is told
                ids.add(name)
                new.append(Found(step=step, evidence=one, photo=photo, id=name))
        return new

    def limit(self, state: AgentState) -> str | None:
        """Say which limit is reached, if any: each photo of each turn has its own. `perceive` is not counted."""
        if sum(step.by != PERCEIVE for step in this_visit(state)) >= self.settings.max_steps:
            return f"the limit of {self.settings.max_steps} steps (max_steps) was reached"
        if self.visit_seconds >= self.settings.max_seconds:
            seconds = f"{self.settings.max_seconds:g} s (max_seconds)"
            return f"the limit of {seconds} was reached after {self.visit_seconds:.1f} s"
        return None

    def repeated(self, state: AgentState, same: str) -> bool:
        """Whether a call (`Tool.same_call`) was made as often as it may be, and its result stands."""
        made = [
            self.tools[step.tool].same_call(step.args)
            for step in standing(state)
            if step.tool in self.tools and (step.failure is None or step.failure.kind == "raised")
        ]
        return made.count(same) >= self.settings.max_repeats

    def counted(self, found: Sequence[Found]) -> list[Found]:
        """Leave out what the investigator wants left out."""
        return [item for item in found if item.id not in self.inquiry.left_out]

    def belief(self, found: Sequence[Found]) -> Belief:
        """Return the belief given the evidence; as evidence is never changed, its identity is the cache's key."""
        items = self.counted(found)
        key = tuple(id(item.evidence) for item in items)
        if key not in self._beliefs:
            self._kept.append(items)
            self._beliefs[key] = self.start().update(_pooled(items) if len(self.views) > 1 else _evidence(items))
        return self._beliefs[key]

    def countries(self, found: Sequence[Found]) -> dict[str, float]:
        """Return the belief's countries, the likeliest first; no belief is made anew for evidence that says nothing."""
        items = self.counted(found)
        speaking = any(not isinstance(item.evidence.likelihood, Nothing) for item in items)
        key = tuple(id(item.evidence) for item in items) if speaking else ()
        if key not in self._countries:
            self._kept.append(items)
            self._countries[key] = (self.belief(found) if speaking else self.start()).country_probabilities()
        return self._countries[key]


def _evidence(items: Sequence[Found]) -> list[Evidence]:
    return [item.evidence for item in items]


def _pooled(items: Sequence[Found]) -> list[Evidence]:
    """Evidence from several photos of one scene: two photos that show the same are not two witnesses.

    What reading finds has a group that names its source, the same in every photo. What has none gets one by its type,
    so that of ten frames of a video the first counts, and the other nine for little.
    """
    return [item.evidence.model_copy(update={"group": pooled_group(item)}) for item in items]


def pooled_group(item: Found) -> str | None:
    """The group of a finding where the scene has several photos."""
    alone = item.photo is None or item.evidence.group is not None
    return item.evidence.group if alone else f"scene:{item.evidence.type}"


def photo_key(photo: Photo) -> str:
    """Name a picture as the tools see it: the file, and what was done to it."""
    return "; ".join([photo.sha256, *photo.edits])
