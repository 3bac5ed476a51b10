"""`Agent`: one photo in, an answer with its evidence out.

from geosleuth.agent.agent import Agent
answer = Agent().localize("photo.jpg", hints=["not Spain"])
answer.country, answer.point, [(e.claim, e.contribution_bits) for e in answer.evidence]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.agent.calibration import load_calibration
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.agent.model_tools import MODEL_TOOLS
from geosleuth.agent.models import Models
from geosleuth.agent.planners import Planners, sees
from geosleuth.agent.references import References, check_index, open_references
from geosleuth.agent.settings import Settings, load_settings
from geosleuth.agent.stated import inquiry_of, with_sun
from geosleuth.agent.steps import Step
from geosleuth.agent.toolbox import Tool, ToolFunction, toolbox
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.compiled import CACHE_VARIABLE
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from geosleuth.agent.batch.listing import Paths
    from geosleuth.agent.batch.many import Batch, Hints
    from geosleuth.agent.belief import Belief
    from geosleuth.agent.investigation import Investigation, PhotoView
    from geosleuth.agent.session import Session
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.prior import RecordedPredictions
    from geosleuth.tools.vlm.model import VisionLanguageModel


class Agent:
    """Holds what photos share: settings, tools, planner, the compiled loop. Models load when a tool first needs them.

    Args:
        settings: None reads geosleuth.toml and the environment.
        planner: A LangChain chat model that can call tools, in place of the settings' planner.
        tools: Instead of the built-in table, or None; each a function as in agent/embedded_tools.py.
        start: Makes the belief before any evidence; None is `Belief.start` with the settings' calibration.
        references: An opened gallery with its encoder, instead of the settings' index.

    Raises:
        InputError: For settings that cannot be, recorded predictions or a calibration that cannot be read, an index
            that is not there, or a planner without tools.
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
        self._calibration = load_calibration(self.settings.calibration)
        self._planners = Planners(self.tools, self._models, planner)

    def localize(
        self,
        image: Any,
        hints: str | Sequence[str] | None = None,
        *,
        observations: Mapping[str, str] | None = None,
        taken: datetime | None = None,
        sun: tuple[float | None, float | None] | None = None,
    ) -> Localization:
        """Say where a photo was taken, or several photos of one scene.

        Args:
            image: A path, bytes, a PIL image, an array (h, w, 3), or a `Photo` that is loaded; or a list of these. The
                path of a video stands for its sharpest frames.
            hints: The investigator's words ("in Portugal", "not Lisbon"), see tools/hints.py.
            observations: What the investigator sees, as {question: option}, see tools/observations.py.
            taken: When the photo was taken; without a time zone it is the clock at the place. None: the file's time.
            sun: Azimuth (clockwise from north) and elevation of the sun in degrees, either of them None.

        Raises:
            InputError: For a photo that cannot be read, a hint that nobody understands, or a damaged index.
        """
        steps = self.stream(image, hints, observations=observations, taken=taken, sun=sun)
        return next(step.localization for step in list(steps) if step.localization is not None)

    def stream(
        self,
        image: Any,
        hints: str | Sequence[str] | None = None,
        *,
        observations: Mapping[str, str] | None = None,
        taken: datetime | None = None,
        sun: tuple[float | None, float | None] | None = None,
    ) -> Iterator[Step]:
        """Yield each step as soon as it is done; the last one holds the answer. A cap on precision holds for all."""
        from geosleuth.agent.session import Session

        inquiry = inquiry_of(hints, observations)  # what nobody understands is heard of before a photo is read
        photos = self.load(image)
        inquiry = with_sun(inquiry, taken, sun, photos)
        yield from Session(self, photos, thread_id="photo", checkpointer=None).ask(inquiry)

    def localize_many(
        self,
        paths: Paths,
        *,
        hints: Hints = None,
        workers: int | None = None,
        out: str | Path | None = None,
        resume: bool = True,
    ) -> Batch:
        """Locate many photos in worker processes: an iterator of `Row`s as they are done, see agent/batch/many.py.

        Args:
            paths: Files, folders, or an iterable of them.
            hints: For all photos, or by path for some.
            workers: Processes; None: one per core, and one where a model of weights runs on this machine.
            out: A table to write at the end: .parquet, .csv or .geojson. `OUT.journal` beside it keeps what is done.
            resume: Whether what an earlier run did is taken from the journal.

        Raises:
            InputError: A hint that nobody understands, or an output that cannot be.
        """
        from geosleuth.agent.batch.many import Batch

        return Batch(self, paths, hints=hints, workers=workers, out=out, resume=resume)

    def session(self, images: Any, *, thread_id: str = "photo", checkpointer: Any = None) -> Session:
        """Open a scene to be asked about repeatedly.

        Args:
            images: As `localize` takes them.
            thread_id: Under which the checkpointer keeps the state.
            checkpointer: LangGraph's; None keeps the state in memory.
        """
        from langgraph.checkpoint.memory import InMemorySaver

        from geosleuth.agent.cases.checkpoints import StateSerializer
        from geosleuth.agent.session import Session

        saver = checkpointer if checkpointer is not None else InMemorySaver(serde=StateSerializer())
        return Session(self, self.load(images), thread_id=thread_id, checkpointer=saver)

    def load(self, images: Any) -> list[Photo]:
        """Load one photo or several; of a video its sharpest frames. A `Photo` stays as it is; others are `upright`.

        Raises:
            InputError: One of them is no photo, or there is none.
        """
        from geosleuth.indexes.photo import Photo, load_photo
        from geosleuth.indexes.video import frames, is_video

        given = list(images) if isinstance(images, list | tuple) else [images]
        if not given:
            raise InputError("a photo", "an empty list", "Give at least one.")
        photos: list[Photo] = []
        for one in given:
            if isinstance(one, str | Path) and is_video(str(one)):
                photos += map(self.upright, frames(one))
            else:
                photos.append(one if isinstance(one, Photo) else self.upright(load_photo(one)))
        return photos

    def upright(self, photo: Photo) -> Photo:
        """Turn a photo that seems to lie on its side or head, unless the settings say to leave it so."""
        if not self.settings.turn_photos:
            return photo
        from geosleuth.tools.upright import turned_upright

        return turned_upright(photo)

    def graph(self, checkpointer: Any = None) -> Any:
        """The compiled loop, with its state in a checkpointer or nowhere."""
        if checkpointer is None:
            return self._graph
        from geosleuth.agent.graph import build_graph

        return build_graph(checkpointer)

    def investigation(self, photos: Sequence[Photo], inquiry: Inquiry) -> Investigation:
        """What a run works with; the photos are loaded before a model is, which may take minutes.

        Raises:
            InputError: A statement that nobody understands, or an index or a model that cannot be opened.
        """
        from geosleuth.agent.investigation import Investigation
        from geosleuth.agent.stated import stated_evidence

        stated = [item for one in inquiry.statements for item in stated_evidence(one)]
        return Investigation(
            views=[self._view(photo) for photo in photos],
            settings=self.settings,
            tools=self.tools,
            planner_name=self.planner_name,
            rules=self._planners.rules,
            start=lambda: self._start,
            inquiry=inquiry,
            stated=stated,
            recorded=self._recorded,
            references=self.references,
        )

    def _view(self, photo: Photo) -> PhotoView:
        from geosleuth.agent.investigation import PhotoView

        models = self._models.for_photo()
        planner = self._planners.for_photo(models)
        return PhotoView(photo=photo, planner=planner, models=models, sees=sees(planner))

    def planner_model(self) -> VisionLanguageModel | None:
        """Return the planner's model, for words that are about no photo; None where the rules plan.

        Raises:
            InputError: It cannot be loaded.
        """
        return None if self._models.spec("planner") is None else self._models.for_photo().vlm("planner")

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
        return self._planners.name

    @cached_property
    def _graph(self) -> Any:
        from geosleuth.agent.graph import build_graph

        return build_graph()

    @cached_property
    def _start(self) -> Belief:
        if self._given_start is not None:
            return self._given_start()
        from geosleuth.agent.belief import Belief

        return Belief.start(self._calibration)


def _recorded(spec: str) -> RecordedPredictions | None:
    """Read the recorded predictions at once, so that a wrong path is heard of before the photo is looked at."""
    backend = parse_backend(spec, role="prior")
    if backend.base != "file":
        return None
    from geosleuth.tools.prior import RecordedPredictions

    return RecordedPredictions.read(backend.name, backend.detail)
