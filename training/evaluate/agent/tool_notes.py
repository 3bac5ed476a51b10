"""What the costly tools found in each photo, kept on disk: a run with another prior or calibration takes seconds.

A note is found again by the photo's hash, the tool, what the tool was given, and the version of its code, tables and
weights; when one of these changes, the tool looks again. Of reading the lines are kept by themselves, since a change of
what follows from lines must not cost the recogniser's two seconds a photo; they go by `recogniser_version`, so that who
changes how lines are found or read removes the folder `lines`. A note holds no images: a planner that sees gets the
tool itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.investigation import photo_key
from geosleuth.agent.localization import LocatabilityScore
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding, Scene, ToolFunction
from geosleuth.indexes.backend import Backend, parse_backend
from geosleuth.indexes.photo import Photo
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.tools.textline import TextLine
from geosleuth.training.evaluate.agent.kept import keep, place, read_kept
from geosleuth.training.evaluate.agent.source_version import source_version

logger = logging.getLogger(__name__)

NOTED = ("metadata", "read_text", "locatability", "prior")  # built-in tools that look at nothing but the photo
_LINES = "lines"  # folder of what the recogniser read


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LinesNote(_Note):
    """What the recogniser read in a photo."""

    lines: tuple[TextLine, ...]
    seconds: float


class FindingNote(_Note):
    """A `Finding`, as far as it goes on disk: without images."""

    summary: str
    evidence: tuple[Evidence, ...]
    lines: tuple[TextLine, ...] | None
    locatability: LocatabilityScore | None
    figures: dict[str, Any]
    seconds: float

    @classmethod
    def of(cls, found: Finding, seconds: float) -> FindingNote:
        """Note what a tool brought back, and how long it took."""
        return cls(
            summary=found.summary,
            evidence=found.evidence,
            lines=found.lines,
            locatability=found.locatability,
            figures=dict(found.figures),
            seconds=seconds,
        )

    def finding(self) -> Finding:
        """What the tool brought back."""
        return Finding(self.summary, self.evidence, self.lines, self.locatability, figures=self.figures)


class ToolNotes:
    """A folder of notes, and the tools that write and read them; several threads may share one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spared: WeakKeyDictionary[Photo, float] = WeakKeyDictionary()

    def wrapped(self, functions: Mapping[str, ToolFunction]) -> dict[str, ToolFunction]:
        """The same tools; the built-in ones of `NOTED` look into the notes first, others are left as they are."""
        return {
            name: self._noting(name, function) if name in NOTED and function is TOOLS[name] else function
            for name, function in functions.items()
        }

    def spared_s(self, photo: Photo) -> float:
        """Seconds that notes have spared this photo so far: with them a run tells what it took to look."""
        return self._spared.get(photo, 0.0)

    def lines(self, photo: Photo) -> tuple[list[TextLine], float]:
        """Read the writing in a photo, or look up what was read; with the seconds that it took, whenever that was.

        Raises:
            InputError: The photo is damaged.
        """
        from geosleuth.tools.recognition import recognise, recogniser_version

        path = place(self.folder / _LINES, photo_key(photo), {"recogniser": recogniser_version()})
        started = time.perf_counter()
        note = read_kept(path, LinesNote)
        if note is None:
            lines = tuple(recognise(photo))
            note = LinesNote(lines=lines, seconds=time.perf_counter() - started)
            keep(path, note)
        else:
            self._spare(photo, note.seconds - (time.perf_counter() - started))
        return list(note.lines), note.seconds

    def _noting(self, name: str, function: ToolFunction) -> ToolFunction:
        @functools.wraps(function)
        def noting(scene: Scene) -> Finding:
            facts = None if scene.planner_sees else _facts(name, scene)
            if facts is None:
                return function(scene)
            path = place(self.folder / name, photo_key(scene.photo), facts)
            started = time.perf_counter()
            note = read_kept(path, FindingNote)
            if note is not None:
                self._spare(scene.photo, note.seconds - (time.perf_counter() - started))
                return note.finding()
            before = self.spared_s(scene.photo)
            found = self._read(scene) if name == "read_text" else function(scene)
            spared = self.spared_s(scene.photo) - before
            keep(path, FindingNote.of(found, time.perf_counter() - started + spared))
            return found

        return noting

    def _read(self, scene: Scene) -> Finding:
        """As the tool `read_text`, from lines that may have been read before."""
        from geosleuth.tools.reading import clues

        lines, seconds = self.lines(scene.photo)
        started = time.perf_counter()
        found = clues(lines, scene.photo.size)
        each = (seconds + time.perf_counter() - started) / len(found)
        evidence = tuple(piece.model_copy(update={"seconds": each}) for piece in found)
        telling = sum(not isinstance(piece.likelihood, Nothing) for piece in evidence)
        words = "none of them tells a place" if not telling else f"{telling} finding{'s' if telling > 1 else ''}"
        return Finding(f"{len(lines)} lines; {words}", evidence, tuple(lines))

    def _spare(self, photo: Photo, seconds: float) -> None:
        self._spared[photo] = self.spared_s(photo) + seconds


def _facts(name: str, scene: Scene) -> dict[str, Any] | None:
    """All that a built-in tool's result depends on beside the photo; None where it looks at the belief."""
    if name == "metadata":
        return {"by": source_version("geosleuth.tools.metadata")}
    if name == "read_text":
        from geosleuth.tools.recognition import recogniser_version

        return {"by": source_version("geosleuth.tools.reading"), "recogniser": recogniser_version()}
    return _locatability_facts(scene) if name == "locatability" else _prior_facts(scene)


def _locatability_facts(scene: Scene) -> dict[str, Any]:
    spec = scene.models.spec("locatability") if scene.models is not None else None
    if scene.models is None or spec is None:
        lines = json.dumps([line.model_dump(mode="json") for line in scene.lines])
        read = hashlib.sha256(lines.encode()).hexdigest()
        return {"by": source_version("geosleuth.tools.locatability", "geosleuth.tools.captions"), "lines": read}
    settings = scene.models.settings
    table = settings.locatability_weights
    return {
        "by": source_version("geosleuth.tools.learned_locatability"),
        "table": None if table is None else hashlib.sha256(table.read_bytes()).hexdigest(),
        **_model_facts(spec, settings),
    }


def _prior_facts(scene: Scene) -> dict[str, Any] | None:
    spec = scene.models.spec("prior") if scene.models is not None else None
    if scene.recorded is not None or scene.models is None or spec is None:
        return None  # a recorded answer is looked up at once, and the embedded prior is the belief so far
    asked = ("geosleuth.tools.geoclip_prior", "geosleuth.tools.zero_shot", "geosleuth.tools.georeasoner")
    settings = scene.models.settings
    return {
        "by": source_version(*asked),
        "samples": settings.prior_samples,
        **_model_facts(spec, settings),
    }


def _model_facts(spec: str, settings: Settings) -> dict[str, Any]:
    """Which model: by its spec, and for folders of this machine by what lies in them, without reading weights."""
    backend = parse_backend(spec)
    parts = (backend, *backend.adapters)
    seen_with = {"max_pixels": settings.vlm_max_pixels, "bits": settings.vlm_bits}
    return {"model": spec, **seen_with, "folders": [_folder_facts(part) for part in parts]}


def _folder_facts(part: Backend) -> list[tuple[str, int, int]]:
    if part.base != "dir":
        return []  # the hub's models go by name and revision; what changes behind a server's name nobody sees
    folder = Path(part.name).expanduser()
    files = sorted(path for path in folder.glob("*") if path.is_file())
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
