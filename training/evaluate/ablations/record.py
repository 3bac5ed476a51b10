"""report.json of an ablation: figures with intervals, and what was compared with what."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.training.evaluate.vlm.intervals import Figure


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _ours() -> str:
    return version("geosleuth")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ArmFigures(_Frozen):
    """One arm."""

    name: str
    figures: dict[str, Figure]


class Change(_Frozen):
    """One arm against another over the same queries, by the table's primary figure."""

    arm: str
    against: str
    difference: Figure
    """Of the shares, with its paired 95 % interval."""
    gained: int
    """Queries with the primary in this arm and not in the other."""
    lost: int
    p: float
    """That chance alone parts gained and lost so: exact McNemar test, two-sided; queries count as independent."""


class Distribution(_Frozen):
    """How an arm's scores fall: quantiles at 5, 25, 50, 75 and 95 %."""

    arm: str
    right: int
    """Right candidates that were scored."""
    wrong: int
    right_quantiles: tuple[float, ...]
    wrong_quantiles: tuple[float, ...]


class AblationRecord(_Frozen):
    """One table."""

    format: Literal[1] = 1
    table: str
    title: str
    question: str
    primary: str
    data: str
    facts: dict[str, str]
    """Gallery, encoder, prior, judge, and the radius of a right reference."""
    queries: int
    places: int
    """Witnesses: queries of one place are drawn together."""
    arms: tuple[ArmFigures, ...]
    changes: tuple[Change, ...]
    distributions: tuple[Distribution, ...] = ()
    notes: tuple[str, ...]
    grid: bool = False
    """Arms are named `row: column`."""
    distances: bool = False
    """Tables of words show the shares within some km."""
    made_at: str = Field(default_factory=_now)
    version: str = Field(default_factory=_ours)


class AblationReport(_Frozen):
    """The content of report.json."""

    format: Literal[1] = 1
    tables: tuple[AblationRecord, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Photos that could not be read, and why."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Tables that were not made, and why."""
