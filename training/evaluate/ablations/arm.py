"""What one arm of an ablation makes of one query: values by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.training.evaluate.rerank import first_right

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look, Setup

KS = (1, 3, 5)
ERROR = "error km"  # of the first candidate, or of the answer
Values = dict[str, float | None]


class ArmResult(BaseModel):
    """Values are 0 or 1 where they are summed up as shares, else numbers; None where the question does not arise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: Values
    scores: tuple[tuple[float, bool], ...] = ()
    """Of the candidates: the arm's score, and whether the candidate is right."""


Results = Mapping[str, ArmResult]


def _fit(_: Setup) -> None:
    """Any gallery will do."""


def _nothing(_: Setup) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Ablation:
    """A table: its question, and how a query answers it."""

    name: str
    title: str
    question: str
    run: Callable[[Look], Results]
    baseline: str | None  # the arm that others are compared with, query by query
    primary: str = "recall@1"  # what is compared; 0 or 1
    pairs: tuple[tuple[str, str], ...] = ()  # more comparisons: an arm, and what it is compared with
    needs_prior: bool = False
    note: str = ""  # what a reader must know beside the figures
    check: Callable[[Setup], None] = _fit  # raises an InputError where no query can be answered in this gallery
    notes_of: Callable[[Setup], Sequence[str]] = _nothing  # what was really done in this gallery
    distances: bool = False  # the shares within some km are worth a column each
    grid: bool = False  # arms are named "row: column", and shown so


def flag(truth: bool) -> float:
    """1 or 0."""
    return 1.0 if truth else 0.0


def recall(look: Look, candidates: Sequence[Candidate]) -> Values:
    """Recall at each k, and how far the first candidate lies from the truth."""
    rank = first_right(candidates, look.right(candidates))
    values: Values = {f"recall@{k}": flag(rank is not None and rank <= k) for k in KS}
    values[ERROR] = error_km(candidates[0], look.query.position) if candidates else None
    return values


def error_km(candidate: Candidate, truth: LatLon) -> float:
    """Geodesic distance of a candidate from the truth."""
    return geodesic_km(LatLon(candidate.lat, candidate.lon), truth)
