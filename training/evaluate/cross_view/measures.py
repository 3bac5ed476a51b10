"""What rankings are worth: recall at k, hit rate, average precision, of all queries and of each modality.

    recall@k       share of queries with fewer than k references strictly more similar than the best true one
    recall@1%      the same with k = N // 100, at least 1, of the N references that are searched (Sample4Geo's rule;
                   the scripts of VIGOR and University-1652 take one more, and these round N / 100)
    hit rate       VIGOR's: recall@1 when semi-positives do not count as errors. As in VIGOR's and Sample4Geo's scripts
                   the true tile must be the first of the others: a semi-positive before a wrong tile is no hit
    AP             University-1652's, by trapezoid (`ranks.trapezoid_precision`)
    chance         what a random order of the references would reach on average

All queries divide: one without a true reference in the gallery, or whose picture cannot be read, is not found.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import CrossViewSet
from geosleuth.training.evaluate.cross_view.chance import chance_curve, interval_over_places
from geosleuth.training.evaluate.cross_view.ranks import Ranks

KS = (1, 3, 5, 10)
CURVE = 100  # recall curves go to this k
ALL = "all"  # the name of the figures over every modality

Mask = NDArray[np.bool_]


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModalityMeasures(_Figures):
    """The figures of some queries, as shares of 1."""

    modality: str
    queries: int
    recall: dict[int, float]
    """By k, of `KS`."""
    recall_1_interval: tuple[float, float]
    """95 %, bootstrap over places."""
    recall_1_percent: float
    one_percent: int
    """The k of recall@1%."""
    hit_rate: float | None
    """None where the data set has no semi-positives."""
    average_precision: float
    chance: dict[int, float]
    """Recall of a random order, by k of `KS`."""
    curve: tuple[float, ...]
    """recall@k for k = 1 to 100."""
    chance_curve: tuple[float, ...]
    tied: int
    """Queries that count as right at 1, though a wrong reference is exactly as similar as the true one."""
    recall_1_ties_wrong: float
    """recall@1 if such a tie counts as an error."""
    without_reference: int
    """Queries whose place is not in the gallery; counted as not found."""
    unreadable: int
    """Queries whose picture cannot be read; the same."""


class Measures(_Figures):
    """The figures of one split."""

    set: str
    split: str
    references: int
    """That are searched."""
    junk: int
    """References that count neither as right nor as wrong, and are not searched."""
    unreadable_references: int
    """Not searched either."""
    overall: ModalityMeasures
    modalities: tuple[ModalityMeasures, ...]

    def to_json(self) -> str:
        """Write on one line."""
        return self.model_dump_json()


def measure(
    data: CrossViewSet,
    ranks: Ranks,
    *,
    readable: Mask | None = None,
    unreadable_references: int = 0,
) -> Measures:
    """Measure rankings.

    Args:
        data: What was ranked.
        ranks: Of its queries.
        readable: (q,) which queries could be read; by default all.
        unreadable_references: How many of the references that were not searched could not be read.

    Raises:
        InputError: There is no query.
    """
    count = len(data.queries)
    if not count:
        raise InputError(
            f"queries in {data.name} {data.split}", "none", "Check the root and the split of the data set."
        )
    readable = np.ones(count, dtype=bool) if readable is None else readable
    used = [i for i in range(len(data.queries.modalities)) if (data.queries.modality == i).any()]
    parts = [_of_some(data, ranks, readable, data.queries.modality == i, i) for i in used]
    if len(parts) == 1:
        overall = parts[0].model_copy(update={"modality": ALL})
    else:
        overall = _of_some(data, ranks, readable, np.ones(count, dtype=bool), None)
    return Measures(
        set=data.name,
        split=data.split,
        references=ranks.searched,
        junk=len(data.references) - ranks.searched - unreadable_references,
        unreadable_references=unreadable_references,
        overall=overall,
        modalities=tuple(parts),
    )


def _of_some(data: CrossViewSet, ranks: Ranks, readable: Mask, some: Mask, modality: int | None) -> ModalityMeasures:
    own, tied, true_count = ranks.ranks[some], ranks.tied[some], ranks.true_count[some]
    first, percent = own < 1, max(1, ranks.searched // 100)
    curve = np.array([np.mean(own < k) for k in range(1, CURVE + 1)])
    by_chance = chance_curve(true_count, ranks.searched, CURVE)
    return ModalityMeasures(
        modality=ALL if modality is None else data.queries.modalities[modality].name,
        queries=len(own),
        recall={k: float(curve[k - 1]) for k in KS},
        recall_1_interval=interval_over_places(first, data.queries.places[some]),
        recall_1_percent=float(np.mean(own < percent)),
        one_percent=percent,
        hit_rate=None if ranks.hit_ranks is None else float(np.mean(ranks.hit_ranks[some] < 1)),
        average_precision=float(ranks.average_precision[some].mean()),
        chance={k: float(by_chance[k - 1]) for k in KS},
        curve=tuple(curve.tolist()),
        chance_curve=tuple(by_chance.tolist()),
        tied=int((first & (tied > 0)).sum()),
        recall_1_ties_wrong=float(np.mean(first & (tied == 0))),
        without_reference=int((readable[some] & (true_count == 0)).sum()),
        unreadable=int((~readable[some]).sum()),
    )
