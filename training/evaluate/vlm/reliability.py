"""Whether probabilities mean what they say: expected calibration error, a diagram's bins, and Platt scaling beside.

ECE is that of Guo et al. 2017 (arXiv 1706.04599): ten bins of equal width over the probability, and the gap between the
mean probability and the share that came true, weighted by how many fell into each.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.tools.match_calibration import LARGEST_LOGIT, MatchCalibration, fit_calibration
from geosleuth.training.evaluate.vlm.intervals import Floats, Statistic, ratio

logger = logging.getLogger(__name__)

BINS = 10
_FOLDS = 5  # each calibration is fitted on four fifths of the queries, and judged on the rest


class Bin(BaseModel):
    """What fell into one bin of the probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    count: int
    probability: float | None
    """The mean; None where the bin is empty."""
    came_true: float | None


def bins_of(probabilities: ArrayLike, came_true: ArrayLike) -> list[Bin]:
    """Sort rows into ten bins, [0, 0.1) to [0.9, 1]; NaN are left out."""
    p, true = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=np.float64)
    number = _number(p)
    found = []
    for i in range(BINS):
        rows = number == i
        mean = float(p[rows].mean()) if rows.any() else None
        frequency = float(true[rows].mean()) if rows.any() else None
        found.append(
            Bin(low=i / BINS, high=(i + 1) / BINS, count=int(rows.sum()), probability=mean, came_true=frequency)
        )
    return found


def ece(probabilities: ArrayLike, came_true: ArrayLike) -> Statistic:
    """Expected calibration error: sum over the bins of |mean probability - share come true| x share of the rows."""
    p, true = np.asarray(probabilities, dtype=np.float64), np.asarray(came_true, dtype=np.float64)
    known = ~np.isnan(p)
    member = np.eye(BINS + 1)[_number(p)][:, :BINS]  # (n, bins); NaN falls into none
    gap = np.where(known, np.nan_to_num(p) - true, 0.0)[:, None] * member

    def value(weights: Floats) -> Floats:
        total = weights @ known.astype(np.float64)
        missed = np.abs(weights @ gap).sum(axis=1)
        return ratio(missed, total)

    return value


def _number(p: Floats) -> NDArray[np.intp]:
    """Of each row's bin; `BINS` for NaN."""
    inside = np.minimum(np.floor(np.nan_to_num(p) * BINS), BINS - 1).astype(np.intp)
    return np.asarray(np.where(np.isnan(p), BINS, inside))


def yes_probability(logits: ArrayLike) -> Floats:
    """A model's own P(yes), from ln P(yes) / P(no); NaN stays."""
    clipped = np.clip(np.asarray(logits, dtype=np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)
    return np.asarray(1.0 / (1.0 + np.exp(-clipped)))


def cross_fitted(
    logits: Sequence[float], labels: Sequence[bool], groups: Sequence[Hashable], seed: int = 0
) -> Floats | None:
    """P(match) of each pair by a calibration that was fitted on the pairs of other queries.

    Args:
        logits: Ln P(yes) / P(no); NaN where the model gave no answer, which stays NaN.
        labels: Whether the pair shows one place.
        groups: The query of each pair: pairs of one query are in one fold.
        seed: Of the folds.

    Returns:
        Shape (n,), or None where a fold cannot be fitted: too few queries, one label alone, or a model that says yes
        no sooner to matches.
    """
    x, true = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=bool)
    numbers: dict[Hashable, int] = {}
    group = np.array([numbers.setdefault(one, len(numbers)) for one in groups], dtype=np.intp)
    if len(numbers) < _FOLDS:
        return None
    fold = (np.random.default_rng(seed).permutation(len(numbers)) % _FOLDS)[group]
    found, known = np.full(len(x), np.nan), ~np.isnan(x)
    for number in range(_FOLDS):
        fitted = _fitted(x[known & (fold != number)], true[known & (fold != number)])
        if fitted is None:
            return None
        for row in np.flatnonzero(known & (fold == number)):
            found[row] = fitted.probability(float(x[row]))
    return found


def _fitted(logits: Floats, labels: NDArray[np.bool_]) -> MatchCalibration | None:
    try:
        return fit_calibration(logits.tolist(), labels.tolist(), weights="", sample="", date="")
    except InputError as error:
        logger.info("No calibration: %s", error)
        return None
