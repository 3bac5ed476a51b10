"""The gate of reranking: it stays off where it harmed on a labelled sample, and where nobody has measured it.

A weak reranker harms: on one data set the same prompt lifted R@1 from 27.5 to 30.2 with one model and cut it to 23.5
with its smaller sister. `python -m geosleuth.training.evaluate rerank` measures it and writes the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.comparison_prompts import Strategy

GateVerdict = Literal["helps", "harms", "unclear"]

# Photos whose right reference was among the candidates: only these can be won or lost. Where none of n is lost, up to
# 3 / n of all may still be (the rule of three, 95 %): with 30, no more than 1 in 10.
FEWEST = 30
_SIGNIFICANT = 0.05  # two-sided

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class GateFile(BaseModel):
    """What a strategy did to the order of retrieval on labelled photos."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1
    strategy: Strategy
    weights: str
    """Which model, and which hash: another one has to be measured itself."""
    sample: str
    """Which labelled photos, over which index."""
    date: str
    """ISO 8601."""
    queries: Count
    """Photos in all."""
    found: Count
    """Photos with a right reference among the candidates."""
    among: Annotated[int, Field(ge=1)]
    """Candidates per photo."""
    first_before: Count
    """Photos whose first candidate was right before."""
    first_after: Count
    gained: Count
    """Photos whose first candidate became right."""
    lost: Count
    """Photos whose first candidate became wrong."""
    p_first: Share
    """That chance alone parts gained and lost so: exact McNemar test, two-sided."""
    reciprocal_before: Share
    """Mean of 1 / rank of the right one, 0 where there is none among the candidates."""
    reciprocal_after: Share
    better: Count
    """Photos whose right reference rose."""
    worse: Count
    p_rank: Share
    """That chance alone parts better and worse so: sign test, two-sided."""
    failures: Count = 0
    """Comparisons, or candidates, without an answer."""

    @model_validator(mode="after")
    def _adds_up(self) -> GateFile:
        if self.first_after != self.first_before + self.gained - self.lost or self.found > self.queries:
            raise ValueError("the counts do not add up")
        return self

    @property
    def verdict(self) -> GateVerdict:
        """What follows: harm is presumed early, help is not.

        Leaving the order of retrieval costs nothing, so a doubt counts against reranking: any fall of R@1 is harm,
        however small, and so is a significant fall of the right ones at an equal R@1. Help has to be significant.
        """
        if self.lost > self.gained or (self.worse > self.better and self.p_rank <= _SIGNIFICANT):
            return "harms"
        if self.gained > self.lost and self.p_first <= _SIGNIFICANT:
            return "helps"
        return "unclear"


@dataclass(frozen=True)
class GateDecision:
    """Whether a strategy may rerank, and why."""

    allowed: bool
    reason: str


def measured_gate(
    before: Sequence[int | None],
    after: Sequence[int | None],
    *,
    strategy: Strategy,
    weights: str,
    sample: str,
    date: str,
    among: int,
    failures: int = 0,
) -> GateFile:
    """Compare the ranks of the right references before and after.

    Args:
        before: Rank of the first right candidate of each photo, from 1; None where none is right.
        after: The same, of the same photos, after reranking.
        strategy: How the model was asked.
        weights: Which model.
        sample: Which photos, in words.
        date: ISO 8601.
        among: Candidates per photo.
        failures: Comparisons, or candidates, without an answer.
    """
    pairs = list(zip(before, after, strict=True))
    gained, lost = (sum((a == 1) > (b == 1) for b, a in pairs), sum((a == 1) < (b == 1) for b, a in pairs))
    values = [(_reciprocal(b), _reciprocal(a)) for b, a in pairs]
    better, worse = (sum(a > b for b, a in values), sum(a < b for b, a in values))
    return GateFile(
        strategy=strategy,
        weights=weights,
        sample=sample,
        date=date,
        queries=len(pairs),
        found=sum(rank is not None for rank in before),
        among=among,
        first_before=sum(rank == 1 for rank in before),
        first_after=sum(rank == 1 for rank in after),
        gained=gained,
        lost=lost,
        p_first=sign_test(gained, lost),
        reciprocal_before=sum(b for b, _ in values) / max(len(values), 1),
        reciprocal_after=sum(a for _, a in values) / max(len(values), 1),
        better=better,
        worse=worse,
        p_rank=sign_test(better, worse),
        failures=failures,
    )


def sign_test(plus: int, minus: int) -> float:
    """Two-sided probability of so uneven a split of plus + minus fair coins; on discordant pairs it is McNemar's."""
    flips = plus + minus
    tail: int = sum(comb(flips, heads) for heads in range(min(plus, minus) + 1))
    return min(1.0, float(2 * tail / 2**flips))  # whole numbers: these outgrow floats


def gate_allows(path: str | Path, strategy: Strategy, weights: str) -> GateDecision:
    """Decide by a gate file; one of another strategy or another model says nothing, and leaves reranking off.

    Raises:
        InputError: The file is missing, or no gate file.
    """
    gate = read_gate(path)
    if (gate.strategy, gate.weights) != (strategy, weights):
        reason = f"{path} was measured for {gate.strategy} by {gate.weights}, not for {strategy} by {weights}"
        return GateDecision(False, f"{reason}: measure it by `python -m geosleuth.training.evaluate rerank`")
    figures = (
        f"R@1 {gate.first_before} -> {gate.first_after} of {gate.queries} photos "
        f"({gate.gained} gained, {gate.lost} lost, p = {gate.p_first:.2g})"
    )
    if gate.found < FEWEST:
        few = f"only {gate.found} photos of {path} had a right reference to find, {FEWEST} are needed"
        return GateDecision(False, f"{few}: {figures}")
    words = {"helps": "it helps", "harms": "it harms", "unclear": "no harm is seen, and no help proven"}
    return GateDecision(gate.verdict != "harms", f"{words[gate.verdict]}: {figures}")


def read_gate(path: str | Path) -> GateFile:
    """Read a gate file.

    Raises:
        InputError: It is missing, or no gate file.
    """
    remedy = "Write one by `python -m geosleuth.training.evaluate rerank ... --out FILE`, or leave rerank_gate out."
    return read_json(path, GateFile, "a gate file", remedy)


def write_gate(gate: GateFile, path: str | Path) -> None:
    """Write a gate file; whole or not at all."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with appearing(Path(path)) as scratch:
        scratch.write_text(gate.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _reciprocal(rank: int | None) -> float:
    return 0.0 if rank is None else 1.0 / rank
