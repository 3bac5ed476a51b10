"""What a build has done so far, on disk: killed at any moment, it goes on from there.

OUT/.building holds
    lock                     held by the builder at work
    listing.parquet, listing-skipped.jsonl
    plan.json                what is being built; written after the listing, so that it says that this is complete,
                             and again when everything is encoded, with what has come of it
    chunk-000123.npy, .jsonl, .parquet   vectors, problems, references; the last of a chunk to appear is its Parquet
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.journal_files import LOCK, read_problems, readable, write_problems
from geosleuth.indexes.gallery.listing import Listing
from geosleuth.indexes.gallery.manifest import EncoderFacts, Problem
from geosleuth.indexes.gallery.progress import BuildReport
from geosleuth.indexes.gallery.reference import Reference, View
from geosleuth.indexes.whole_file import SCRATCH, appearing

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder import Vectors

FOLDER = ".building"
_PLAN = "plan.json"
_OWN = re.compile(rf"listing\.parquet|listing-skipped\.jsonl|chunk-\d+\.(npy|jsonl|parquet)|\..*{re.escape(SCRATCH)}")


class Plan(BaseModel):
    """All that a chunk's content depends on; a journal of another plan cannot be continued."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["build", "add"]
    source: str  # as it describes itself
    view: View | None
    encoder: EncoderFacts
    chunk_size: int
    generation: int  # of the index before; 0 for a build


class _State(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Plan
    report: BuildReport | None = None  # set when all is encoded, and only the index is to be written


@dataclass(frozen=True)
class Encoded:
    """A chunk's references and vectors, row by row, and what was wrong with the rest of it."""

    number: int
    references: list[Reference]
    vectors: Vectors
    problems: list[Problem]


class Journal:
    """The folder OUT/.building; the caller holds its lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plan(self) -> Plan | None:
        """What is being built; None before the listing is complete."""
        state = self._state()
        return state.plan if state else None

    def report(self) -> BuildReport | None:
        """What the task will have done; None before everything is encoded."""
        state = self._state()
        return state.report if state else None

    def _state(self) -> _State | None:
        path = self.folder / _PLAN
        with readable(path):
            return _State.model_validate_json(path.read_bytes()) if path.exists() else None

    def check(self, wanted: Plan) -> None:
        """Refuse to go on with something else.

        Raises:
            InputError: The journal is of another encoder, source or task.
        """
        found = self.plan()
        if found is None or found == wanted:
            return
        differing = [name for name in Plan.model_fields if getattr(found, name) != getattr(wanted, name)]
        name = differing[0].replace("_", " ")
        raise InputError(
            f"the unfinished {found.task} in {self.folder.parent} to go on with the same {name}",
            f"{_words(getattr(found, differing[0]))} before and {_words(getattr(wanted, differing[0]))} now",
            f"Repeat the command as it was, or start over by deleting {self.folder}.",
        )

    def note(self, plan: Plan, report: BuildReport | None = None) -> None:
        """Seal the listing, and later the encoding."""
        with appearing(self.folder / _PLAN) as scratch:
            scratch.write_text(_State(plan=plan, report=report).model_dump_json(), encoding="utf-8")

    def listing(self) -> Listing:
        """Open the stored listing."""
        return Listing(self.folder)

    def is_staged(self, number: int) -> bool:
        """Whether a chunk is done."""
        return self.rows_path(number).exists()

    def stage(self, chunk: Encoded) -> None:
        """Store a chunk for good."""
        from geosleuth.indexes.gallery.table import save_rows

        with appearing(self.vectors_path(chunk.number)) as scratch, scratch.open("wb") as file:
            np.save(file, chunk.vectors)
        self._problems_path(chunk.number).unlink(missing_ok=True)  # of an attempt that was killed
        if chunk.problems:
            write_problems(self._problems_path(chunk.number), chunk.problems)
        with appearing(self.rows_path(chunk.number)) as scratch:
            save_rows(scratch, chunk.references)

    def problems(self, number: int) -> list[Problem]:
        """What was wrong in a staged chunk."""
        return read_problems(self._problems_path(number))

    def rows_path(self, number: int) -> Path:
        """Where a chunk's references lie."""
        return self.folder / f"chunk-{number:06d}.parquet"

    def vectors_path(self, number: int) -> Path:
        """Where its vectors lie."""
        return self.folder / f"chunk-{number:06d}.npy"

    def _problems_path(self, number: int) -> Path:
        return self.folder / f"chunk-{number:06d}.jsonl"

    def clear(self) -> None:
        """Remove what a journal is made of, the plan last: as long as it is there, a kill in between is understood."""
        for path in sorted(self.folder.iterdir()):
            if _OWN.fullmatch(path.name):
                path.unlink()
        (self.folder / _PLAN).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # Windows keeps the open lock: the next build takes it over
            (self.folder / LOCK).unlink()
        with contextlib.suppress(OSError):  # somebody's own file in it stays
            self.folder.rmdir()


def _words(value: object) -> str:
    return json.dumps(value.model_dump()) if isinstance(value, BaseModel) else str(value)
