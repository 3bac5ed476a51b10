"""report.json of an evaluation of a vision-language model: figures, and a row per item, so that runs compare."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.json_file import read_json
from geosleuth.training.evaluate.vlm.explanations import ExplanationRow, explanation_statistics
from geosleuth.training.evaluate.vlm.grounding import GroundingRow, grounding_statistics
from geosleuth.training.evaluate.vlm.intervals import Figure, changes
from geosleuth.training.evaluate.vlm.prior_measures import prior_statistics
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow
from geosleuth.training.evaluate.vlm.reliability import Bin
from geosleuth.training.evaluate.vlm.same_items import refuse_unless
from geosleuth.training.evaluate.vlm.verifier_rows import PairRow, once_each, verdict_statistics

REPORT_FILE = "report.json"
Task = Literal["prior", "verifier"]
Table = dict[str, Figure]
Written = TypeVar("Written", ExplanationRow, GroundingRow)
_REMEDY = "Name the report.json that `geosleuth evaluate vlm --out FOLDER` wrote."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _ours() -> str:
    return version("geosleuth")


class Section(BaseModel):
    """A table: a column of figures for each group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    columns: dict[str, Table]
    """By the group's name; a column may lack figures that others have."""
    counts: dict[str, int]
    """How many rows each column is of."""


class VlmRecord(BaseModel):
    """The content of report.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    task: Task
    model: str
    """Its spec."""
    weights: str
    data: str
    """Name of the data."""
    sections: tuple[Section, ...]
    notes: tuple[str, ...]
    """What a reader must know beside the figures."""
    reliability: dict[str, list[Bin]]
    """Bins by name of the curve; empty where there are no probabilities."""
    roc: tuple[tuple[float, float], ...] = ()
    """False and true positive rates, from (0, 0) to (1, 1)."""
    similarity: dict[str, str] = {}
    """What judged the explanations of each language."""
    missing: tuple[tuple[str, str], ...] = ()
    """What could not be asked, and why."""
    prior_rows: tuple[PriorRow, ...] = ()
    pair_rows: tuple[PairRow, ...] = ()
    explanation_rows: tuple[ExplanationRow, ...] = ()
    grounding_rows: tuple[GroundingRow, ...] = ()
    made_at: str = Field(default_factory=_now)
    version: str = Field(default_factory=_ours)

    @property
    def items_sha256(self) -> str:
        """Of what was asked and its true answers: only runs over the same can be compared."""
        prior = [f"{row.photo}\t{row.truth}\t{row.true_city}" for row in self.prior_rows]
        pairs = [f"{row.item}\t{row.lang}\t{row.query}\t{row.tile}\t{row.match}" for row in self.pair_rows]
        return hashlib.sha256("\n".join([*prior, "", *pairs]).encode(errors="surrogatepass")).hexdigest()


def read_record(path: Path) -> VlmRecord:
    """Read report.json, or that of a report's folder.

    Raises:
        InputError: It is missing or something else.
    """
    path = path / REPORT_FILE if path.is_dir() else path
    return read_json(path, VlmRecord, "the report of another run to compare with", _REMEDY)


def compared(this: VlmRecord, other: VlmRecord) -> Section:
    """This run less another one over the same items, each figure with its paired interval.

    Raises:
        InputError: It is a run over other items, or of the other task.
    """
    same = this.task == other.task and this.items_sha256 == other.items_sha256
    refuse_unless(same, this.task, len(this.prior_rows) or len(this.pair_rows), other)
    title = f"This run less the other ({other.model}, {other.made_at})"
    if this.task == "prior":
        # Held-out countries are judged by no accuracy; which they are is for this run to say.
        known = [pair for pair in zip(this.prior_rows, other.prior_rows, strict=True) if not pair[0].held_out]
        places = [row.place for row, _ in known]
        both = changes(prior_statistics([a for a, _ in known]), prior_statistics([b for _, b in known]), places)
        return Section(title=title, columns={"difference": both}, counts={"difference": len(places)})
    mine, theirs = once_each(this.pair_rows), once_each(other.pair_rows)
    queries = [row.query for row in mine]
    both = changes(verdict_statistics(mine), verdict_statistics(theirs), queries)
    columns, counts = {"verdicts": both}, {"verdicts": len(mine)}
    explained = _of_both(this.explanation_rows, other.explanation_rows)
    if explained:
        ours, others = explained
        drawn_by = [row.query for row in ours]
        columns["explanations"] = changes(explanation_statistics(ours), explanation_statistics(others), drawn_by)
        counts["explanations"] = len(ours)
    checked = _of_both(this.grounding_rows, other.grounding_rows)
    if checked:
        mine_too, theirs_too = checked
        drawn_by = [row.query for row in mine_too]
        columns["on the pictures"] = changes(grounding_statistics(mine_too), grounding_statistics(theirs_too), drawn_by)
        counts["on the pictures"] = len(mine_too)
    return Section(title=title, columns=columns, counts=counts)


def _of_both(this: Sequence[Written], other: Sequence[Written]) -> tuple[list[Written], list[Written]] | None:
    """The explanations that both runs have, in one order."""
    theirs: Mapping[tuple[str, str], Written] = {(row.item, row.lang): row for row in other}
    mine = [row for row in this if (row.item, row.lang) in theirs]
    return (mine, [theirs[row.item, row.lang] for row in mine]) if mine else None
