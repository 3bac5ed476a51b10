"""`Agent`: one photo in, an answer with its evidence out.

from geosleuth.agent.agent import Agent
answer = Agent().localize("photo.jpg", hints=["not Spain"])
answer.country, answer.point, [(e.claim, e.contribution_bits) for e in answer.evidence]
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from geosleuth.agent.audit import append_audit
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.localization import Localization, TraceStep
from geosleuth.agent.model_tools import MODEL_TOOLS
from geosleuth.agent.models import Models, PhotoModels
from geosleuth.agent.references import References, check_index, open_references
from geosleuth.agent.settings import Settings, load_settings
from geosleuth.agent.toolbox import Tool, ToolFunction, toolbox
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.compiled import CACHE_VARIABLE
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from geosleuth.agent.belief import Belief
    from geosleuth.agent.state import Investigation
    from geosleuth.tools.prior import RecordedPredictions


@dataclass(frozen=True)
class Step:
    """One step as it happens. The last one has no trace entry and holds the answer."""

    trace: TraceStep | None
    evidence: tuple[Evidence, ...] = ()  # what the step found
    localization: Localization | None = None


class Agent:
    """Holds what photos share: settings, tools, planner, the compiled loop. Models load when a tool first needs them.

    Args:
        settings: None reads geosleuth.toml and the environment.
        planner: A LangChain chat model that can call tools, in place of the settings' planner.
        tools: Instead of the built-in table, or None; each a function as in agent/embedded_tools.py.
        start: Makes the belief before any evidence; None is `Belief.start`.
        references: An opened gallery with its encoder, instead of the settings' index.

    Raises:
        InputError: For settings that cannot be, recorded predictions that cannot be read, an index that is not there,
            or a planner without tools.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        planner: BaseChatModel | None = None,
        tools: Mapping[str, ToolFunction] | None = None,
        start: Callable[[], Belief] | None = None,
        references: References | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        if self.settings.cache_dir is not None:
            os.environ[CACHE_VARIABLE] = str(self.settings.cache_dir)  # compiled tables and worker processes read it
        if self.settings.index is not None:
            check_index(self.settings.index)
        searches = references is not None or self.settings.index is not None
        built_in = TOOLS | GALLERY_TOOLS if searches else TOOLS
        self._models = Models(self.settings)
        if searches and self._models.spec("gleam_x") is not None:
            built_in = built_in | MODEL_TOOLS
        self.tools: dict[str, Tool] = toolbox(built_in if tools is None else tools)
        self._given_planner = planner
        self._given_start = start
        self._given_references = references
        self._recorded = _recorded(self.settings.backends.prior)
        self._check_planner()

    def localize(self, image: Any, hints: str | Sequence[str] | None = None) -> Localization:
        """Say where a photo was taken.

        Args:
            image: A path, bytes, a PIL image, an array (h, w, 3), or a `Photo` that is loaded.
            hints: The investigator's words ("in Portugal", "not Lisbon"), see tools/hints.py.

        Raises:
            InputError: For a photo that cannot be read, a hint that nobody understands, or a damaged index.
        """
        answers = [step.localization for step in self.stream(image, hints) if step.localization is not None]
        return answers[0]

    def stream(self, image: Any, hints: str | Sequence[str] | None = None) -> Iterator[Step]:
        """Yield each step as soon as it is done; the last one holds the answer. A cap on precision holds for all."""
        from langsmith import tracing_context

        from geosleuth.agent.graph import recursion_limit

        run = self._investigation(image, hints)
        config = {"recursion_limit": recursion_limit(self.settings.max_steps)}
        updates = self._graph.stream({}, config, context=run, stream_mode="updates")
        while True:
            with tracing_context(enabled=False):  # LANGSMITH_TRACING in the environment must not send photos anywhere
                update = next(updates, None)
            if update is None:
                break
            for change in update.values():
                yield from _steps(change or {}, self.settings.precision_cap_km)
        if run.answer is None:  # the graph always concludes; mypy cannot know
            raise RuntimeError("the loop ended without an answer")
        if self.settings.audit_log is not None:
            append_audit(self.settings.audit_log, sha256=run.answer.photo.sha256, status=run.answer.status)
        yield Step(trace=None, localization=run.answer)

    def _investigation(self, image: Any, hints: str | Sequence[str] | None) -> Investigation:
        from geosleuth.agent.state import Investigation
        from geosleuth.indexes.photo import Photo, load_photo
        from geosleuth.tools.hints import hint_evidence

        given = [hints] if isinstance(hints, str) else list(hints or [])
        heard = [item for hint in given for item in hint_evidence(hint)]
        photo = image if isinstance(image, Photo) else load_photo(image)  # before a model, which may take minutes
        models = self._models.for_photo()
        planner = self._planner(models)
        return Investigation(
            image=image,
            photo=photo,
            settings=self.settings,
            tools=self.tools,
            planner=planner,
            planner_name=self.planner_name,
            rules=self._rules,
            models=models,
            planner_sees=_sees(planner),
            start=lambda: self._start,
            hints=heard,
            recorded=self._recorded,
            references=self.references,
        )

    @cached_property
    def references(self) -> References | None:
        """The gallery with its encoder; opened once, at the first photo, for that may take seconds.

        Raises:
            InputError: The index is damaged, or its encoder cannot be loaded.
        """
        return self._given_references or open_references(self.settings)

    @property
    def planner_name(self) -> str:
        """The planner's name in traces."""
        planner = self._given_planner
        if planner is None:
            spec = self._models.spec("planner")
            return "RulePlanner" if spec is None else f"VlmPlanner({parse_backend(spec).short})"
        model = getattr(planner, "model_name", None) or getattr(planner, "model", None)
        return f"{type(planner).__name__}({model})" if isinstance(model, str) else type(planner).__name__

    @cached_property
    def _schemas(self) -> list[dict[str, Any]]:
        return [tool.schema for tool in self.tools.values()]

    @cached_property
    def _rules(self) -> Any:
        from geosleuth.agent.planner_rules import RulePlanner

        return RulePlanner().bind_tools(self._schemas)

    @cached_property
    def _bound_planner(self) -> Any:
        """The planner that was given, bound to the tools."""
        return None if self._given_planner is None else self._given_planner.bind_tools(self._schemas)

    def _planner(self, models: PhotoModels) -> Any:
        """The planner of one photo: a model's has the photo's own view of it."""
        if self._bound_planner is not None:
            return self._bound_planner
        if models.spec("planner") is None:
            return self._rules
        from geosleuth.agent.planner_vlm import PIXELS_OF_A_TOKEN, VlmPlanner

        image_tokens = math.ceil(self.settings.vlm_max_pixels / PIXELS_OF_A_TOKEN)
        return VlmPlanner(model=models.vlm("planner"), image_tokens=image_tokens).bind_tools(self._schemas)

    @cached_property
    def _graph(self) -> Any:
        from geosleuth.agent.graph import build_graph

        return build_graph()

    @cached_property
    def _start(self) -> Belief:
        if self._given_start is not None:
            return self._given_start()
        from geosleuth.agent.belief import Belief

        return Belief.start()

    def _check_planner(self) -> None:
        if self._given_planner is None:
            return
        try:
            _ = self._bound_planner
        except NotImplementedError as error:
            found = f"{type(self._given_planner).__name__}, which has no bind_tools"
            remedy = "Use a chat model that supports tool calls, or leave the planner out."
            raise InputError("a planner that can call tools", found, remedy) from error


def _sees(planner: Any) -> bool:
    """Whether the planner is shown images: ours is; of a given chat model nobody knows whether it takes them."""
    from geosleuth.agent.planner_vlm import VlmPlanner

    return isinstance(planner, VlmPlanner)


def _recorded(spec: str) -> RecordedPredictions | None:
    """Read the recorded predictions at once, so that a wrong path is heard of before the photo is looked at."""
    backend = parse_backend(spec, role="prior")
    if backend.base != "file":
        return None
    from geosleuth.tools.prior import RecordedPredictions

    return RecordedPredictions.read(backend.name, backend.detail)


def _steps(change: Mapping[str, Any], cap_km: float | None) -> Iterator[Step]:
    from geosleuth.agent.precision import coarsen_step

    for entry in change.get("trace") or ():
        evidence = tuple(item.evidence for item in change.get("found") or () if item.step == entry.step)
        if cap_km is not None:
            entry, evidence = coarsen_step(entry, evidence, cap_km)
        yield Step(trace=entry, evidence=evidence)
