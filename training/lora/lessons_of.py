"""The lessons of a stage: its sources opened by their kind, one after the other under one numbering."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import file_digest
from itertools import accumulate
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.training.lora.config import SourceConfig, StageConfig
from geosleuth.training.lora.lesson import Lesson, Lessons


@dataclass(frozen=True, eq=False)
class Source:
    """Lessons, those of them that are used, and how often an epoch has them."""

    lessons: Lessons
    used: NDArray[np.int64]  # numbers of lessons
    weight: float  # relative to the other sources'; the number of lessons where nothing else is said
    sha256: str | None = None  # of the file that they are from
    notes: tuple[str, ...] = ()  # what a user should know of them

    def about(self) -> Mapping[str, Any]:
        """Say what they are, for the run's record."""
        more = {} if self.sha256 is None else {"sha256": self.sha256}
        return {**self.lessons.about(), "used": len(self.used), "weight": self.weight, **more}


class StageLessons:
    """All lessons of a stage."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)

    @cached_property
    def ends(self) -> list[int]:
        """Number after the last lesson of each source."""
        return list(accumulate(len(source.used) for source in self.sources))

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson.

        Raises:
            InputError: A picture cannot be read.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self.ends, index)
        source = self.sources[number]
        return source.lessons[int(source.used[index - (self.ends[number] - len(source.used))])]

    def about(self) -> Mapping[str, Any]:
        """Say what each source is, for the run's record."""
        return {"sources": [source.about() for source in self.sources]}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of them."""
        return tuple(note for source in self.sources for note in source.notes)


def stage_lessons(stage: StageConfig, given: Lessons | Sequence[Lessons] | None = None) -> StageLessons:
    """Open a stage's data; no picture is read.

    Args:
        stage: Its sources, opened where none are given.
        given: Lessons that are there already, in place of those in the settings.

    Raises:
        InputError: A file is missing or malformed, or there is not one lesson.
    """
    if given is not None:
        several: Sequence[Lessons] = given if isinstance(given, list | tuple) else [cast("Lessons", given)]
        sources = [_source(one, None, None, stage.seed) for one in several]
    else:
        sources = [_of_file(data, stage.seed) for data in stage.data]
    found = StageLessons(sources)
    if not len(found):
        remedy = "Name files with lessons in the stage's [[stages.data]]."
        raise InputError(f"lessons for the stage {stage.name}", "none", remedy)
    return found


def _source(lessons: Lessons, limit: int | None, weight: float | None, seed: int) -> Source:
    used = np.arange(len(lessons))
    if limit is not None and limit < len(used):  # drawn: files are often sorted by country
        used = np.sort(np.random.default_rng([seed, limit]).choice(len(used), limit, replace=False))
    return Source(lessons, used, float(len(used)) if weight is None else weight)


def _of_file(data: SourceConfig, seed: int) -> Source:
    notes: list[str] = []
    source = _source(_opened(data, notes), data.limit, data.weight, seed)
    sha256 = None
    if data.path.is_file():
        with data.path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
    return replace(source, sha256=sha256, notes=tuple(notes))


def _opened(data: SourceConfig, notes: list[str]) -> Lessons:
    if data.kind == "verdicts":
        from geosleuth.training.gleam_x.lessons import verifier_lessons
        from geosleuth.training.gleam_x.record_file import read_records

        verdicts: Lessons = verifier_lessons(
            read_records(data.path), data.root or data.path.parent, explanations=data.explanations
        )
        return verdicts
    from geosleuth.training.georeasoner.lessons import location_lessons, reasoning_lessons

    if data.kind == "reasoned":
        from geosleuth.training.georeasoner.reasoned import read_reasoned

        reasoned: Lessons = reasoning_lessons(read_reasoned(data.path, data.root), street_level=data.street_level)
        return reasoned
    from geosleuth.training.georeasoner.street_views import read_street_views

    # A folder of street views, or a table of pictures that lie in `root` or beside it.
    where = (data.path, None) if data.path.is_dir() else (data.root or data.path.parent, data.path)
    views = read_street_views(*where, split=data.split, name_cities=data.name_cities)
    splits = {split: count for split, count in views.splits.items() if split}
    if data.split is None and len(splits) > 1:
        named = ", ".join(f"{split} ({count:,})" for split, count in splits.items())
        notes.append(
            f"{data.path.name}: no split is named, so all are trained with: {named}. Held-out views are none now."
        )
    located: Lessons = location_lessons(views, street_level=data.street_level)
    return located
