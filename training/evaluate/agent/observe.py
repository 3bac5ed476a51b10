"""Run the agent on labelled photos, and keep of each what a fusion needs: the evidence that counted.

    seen = observe(photos, Settings(), Path("out/notes"), root=Path("photos"))
    rows = score(seen)                                             # see score.py
    rows = score(with_prior(seen, RecordedPredictions.read("predictions.csv", "gpt-4o")))    # see with_prior.py

Each photo is kept when it is done, so that a run that was killed goes on; what tools found is kept by itself
(tool_notes.py), so that a run with other settings repeats only what these change.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from geosleuth.agent.agent import Agent
from geosleuth.agent.batch.crew import default_workers
from geosleuth.agent.batch.fingerprint import fingerprint
from geosleuth.agent.batch.listing import content_sha256
from geosleuth.agent.localization import ToolFailure
from geosleuth.agent.references import References, open_references
from geosleuth.agent.settings import Settings
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.regions import countries_at
from geosleuth.training.evaluate.agent.excluded import without_photos
from geosleuth.training.evaluate.agent.kept import keep, notes_folder, place, read_kept
from geosleuth.training.evaluate.agent.scored import Observed, Truth
from geosleuth.training.evaluate.agent.source_version import source_version
from geosleuth.training.evaluate.agent.tool_notes import ToolNotes
from geosleuth.training.evaluate.labelled import LabelledPhoto

logger = logging.getLogger(__name__)

OnPhoto = Callable[[int, int], None]  # photos done, and photos in all
UNREADABLE = "photo"  # begins the failure of a photo that no tool could look at, where a tool's name stands else
_OBSERVED = "observed"  # folder of the photos that are done


def truths(photos: Sequence[LabelledPhoto], root: Path) -> list[Truth]:
    """Say of each photo what its data set says, and hash its file; the hash of a file that cannot be read is empty.

    Where the set names no country, it is the one that holds the position.
    """
    at = countries_at([p.position.lat for p in photos], [p.position.lon for p in photos]) if photos else ()
    return [
        Truth(
            file=_printable(photo.file or _inside(photo.path, root)),
            sha256=_sha256(photo.path),
            lat=photo.position.lat,
            lon=photo.position.lon,
            country=photo.country or country,
            city=photo.city,
        )
        for photo, country in zip(photos, at, strict=True)
    ]


def observe(
    photos: Sequence[LabelledPhoto],
    agent_settings: Settings,
    notes: Path,
    *,
    root: Path,
    progress: OnPhoto | None = None,
    without: frozenset[str] = frozenset(),
    references: References | None = None,
    processes: int | None = None,
) -> list[Observed]:
    """Have the agent look at each photo, and stop before it answers.

    A photo that cannot be read is an `Observed` without evidence; a tool that fails is named in `failures`, and such a
    photo is looked at again by the next run.

    Args:
        photos: With their labels, which no tool sees.
        agent_settings: Of the agent. From the index that they name these photos are taken out, by hash and by 25 m.
        notes: Folder that is kept between runs; runs with other settings may share it.
        root: Of the data set: names are relative to it.
        progress: Told after each photo.
        without: Tools left out.
        references: A gallery instead of the settings' index, searched as it is. What is found in it is not kept.
        processes: Photos looked at at once, in threads; None: one a core, and one where a model of weights runs here.

    Returns:
        In the order of the photos.

    Raises:
        InputError: Settings that cannot be used, a tool in `without` that there is not, or notes that cannot be kept.
    """
    labels = truths(photos, root)
    given = references
    if given is None and (opened := open_references(agent_settings)) is not None:
        references = without_photos(opened, labels)
    tools = ToolNotes(notes_folder(notes))
    agent = _agent(agent_settings, references, without, tools)
    looker = _Looker(agent, tools, None if given is not None else _facts(agent, labels))
    jobs = [functools.partial(looker.observed, photo.path, truth) for photo, truth in zip(photos, labels, strict=True)]
    out = []
    for seen in _run(jobs, processes or default_workers(agent_settings)):
        out.append(seen)
        if progress is not None:
            progress(len(out), len(photos))
    return out


def _agent(settings: Settings, references: References | None, without: frozenset[str], tools: ToolNotes) -> Agent:
    """Make the agent of these settings, with tools that keep notes."""
    built_in = Agent(settings, references=references).tools
    unknown = sorted(without - set(built_in))
    if unknown:
        raise InputError("tools to leave out", f"no tool {unknown[0]!r}", f"Tools here: {', '.join(built_in)}.")
    functions = {name: tool.function for name, tool in built_in.items() if name not in without}
    agent = Agent(settings, tools=tools.wrapped(functions), references=references)
    _ = agent.references  # an index that cannot be opened is heard of before the first photo
    return agent


def _facts(agent: Agent, labels: Sequence[Truth]) -> dict[str, str]:
    """All that an observation depends on beside its photo."""
    from geosleuth.tools.recognition import recogniser_version

    # Of the labels only what was taken out of the index counts.
    taken_out = [(one.sha256, one.lat, one.lon) for one in labels] if agent.references is not None else []
    return {
        "by": source_version("geosleuth.agent.agent"),
        "recogniser": recogniser_version(),
        "agent": fingerprint(agent),
        "taken_out": hashlib.sha256(json.dumps(sorted(taken_out)).encode()).hexdigest(),
    }


def _run(jobs: Sequence[Callable[[], Observed]], processes: int) -> Iterator[Observed]:
    """Do all, several at once, and yield their results in order; what has not begun at an error does not begin."""
    if processes == 1:
        for job in jobs:
            yield job()
        return
    pool = ThreadPoolExecutor(processes, thread_name_prefix="observe")
    try:
        for future in [pool.submit(job) for job in jobs]:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class _Looker:
    agent: Agent
    tools: ToolNotes
    facts: dict[str, str] | None  # None: observations are not kept

    def observed(self, path: Path, truth: Truth) -> Observed:
        """Look at a photo, or look it up."""
        if not truth.sha256 or self.facts is None:
            return self._looked(path, truth)
        named = {**self.facts, "name": path.name}  # recorded predictions go by it
        note = place(self.tools.folder / _OBSERVED, truth.sha256, named)
        kept = read_kept(note, Observed)
        if kept is not None:
            return kept.model_copy(update={"truth": truth})  # labels may have been mended since
        seen = self._looked(path, truth)
        if not seen.failures:
            keep(note, seen)
        return seen

    def _looked(self, path: Path, truth: Truth) -> Observed:
        try:
            photo = load_photo(path)
        except InputError as error:
            return _unreadable(truth, str(error))
        if photo.sha256 != truth.sha256:
            return _unreadable(truth, "the file changed while it was read")
        started = time.perf_counter()
        try:
            photo = self.agent.upright(photo)
            evidence, trace = self.agent.session(photo).gather()
        except InputError:
            raise  # settings: no other photo would fare better
        except Exception as error:  # one photo of thousands must not end the run
            # The report has the file and the error's words; a log is kept, and sent to others.
            logger.error("A fault of geosleuth over a photo: %s", type(error).__name__)
            if self.agent.settings.precision_cap_km is None:  # which holds for all logs
                logger.info("Its trace", exc_info=True)
            return _unreadable(truth, f"a fault of geosleuth, {type(error).__name__}: {error}")
        seconds, limit_s = time.perf_counter() - started, self.agent.settings.max_seconds
        failures = [_failure(step.tool, step.failure) for step in trace if step.failure is not None]
        if seconds >= limit_s:  # the planner stops at it without a word in the trace
            failures.append(f"max_seconds: tools may be missing, for the limit of {limit_s:g} s was reached")
        return Observed(
            truth=truth,
            evidence=evidence,
            seconds=max(seconds + self.tools.spared_s(photo), 0.0),
            calls=dict(Counter(step.tool for step in trace if step.failure is None or step.failure.kind == "raised")),
            failures=tuple(filter(None, failures)),
        )


def _unreadable(truth: Truth, why: str) -> Observed:
    return Observed(truth=truth, evidence=(), seconds=0.0, calls={}, failures=(f"{UNREADABLE}: {why}",))


def _failure(tool: str, failure: ToolFailure) -> str | None:
    """Say what was not looked at that should have been; a planner's slip is not such."""
    lost = failure.kind in ("raised", "limit")
    return f"{tool}: {failure.error or failure.kind}: {failure.reason}" if lost else None


def _inside(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _printable(name: str) -> str:
    """A file's name may be no text."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _sha256(path: Path) -> str:
    try:
        return content_sha256(path)
    except InputError:  # it is heard of again when the photo is loaded
        return ""
