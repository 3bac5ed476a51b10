"""Figures with bootstrap intervals, and the paired difference of two runs.

A statistic is a function of weights: how often each row was drawn. So one bootstrap serves shares, ratios of shares,
medians, areas under curves and calibration errors alike, and two runs over the same rows are drawn together.

Draws that are all alike tell nothing of doubt: 4 photos that are all wrong are wrong in every draw. There a share of 0
or 1 gets Wilson's interval over its independent places, and any other figure none.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]
# Weights (m, n), how often each of n rows counts in each of m samples -> (m,) values, NaN where there is none.
Statistic = Callable[[Floats], Floats]

_RESAMPLES = 2000  # as in scores.py
_AT_ONCE = 1 << 22  # weights in memory, 32 MB
_Z2 = 1.959964**2  # of 95 %


class Figure(BaseModel):
    """A value with its 95 % interval; None where nothing defines it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    low: float | None = None
    high: float | None = None


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


@dataclass(frozen=True, eq=False)
class Share:
    """A statistic: so many of so many."""

    top: Floats  # (n,), of each row, at most its `bottom`
    bottom: Floats

    def __call__(self, weights: Floats) -> Floats:
        """Return (m,) values, as `Statistic` says."""
        return ratio(weights @ self.top, weights @ self.bottom)


def share(top: ArrayLike, bottom: ArrayLike | None = None) -> Statistic:
    """Sum of `top` over the sum of `bottom`, which it is a part of; of the number of rows where there is no bottom."""
    above = np.asarray(top, dtype=np.float64)
    return Share(above, np.ones_like(above) if bottom is None else np.asarray(bottom, dtype=np.float64))


def mean(values: ArrayLike, counted: ArrayLike | None = None) -> Statistic:
    """The mean of values that are no parts of a whole, such as counts and cosines; of the rows that are `counted`."""
    known = np.ones(len(np.asarray(values))) if counted is None else np.asarray(counted, dtype=np.float64)
    parts = Share(np.asarray(values, dtype=np.float64) * known, known)
    return lambda weights: parts(weights)


def harmonic(one: Statistic, other: Statistic) -> Statistic:
    """The harmonic mean of two: F1 of precision and recall."""

    def value(weights: Floats) -> Floats:
        a, b = one(weights), other(weights)
        return ratio(2.0 * a * b, a + b)

    return value


def difference(one: Statistic, other: Statistic) -> Statistic:
    """One less the other."""
    return lambda weights: one(weights) - other(weights)


def median(values: ArrayLike) -> Statistic:
    """The weighted median; NaN among the values counts nowhere. Infinite ones do, and may be the median."""
    data = np.asarray(values, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(data))
    rows = rows[np.argsort(data[rows], kind="stable")]

    def value(weights: Floats) -> Floats:
        if not len(rows):
            return np.full(len(weights), np.nan)
        reached = np.cumsum(weights[:, rows], axis=1)
        total = reached[:, -1:]
        # The middle of the two in the middle where their number is even.
        low = data[rows][np.argmax(reached >= total / 2, axis=1)]
        high = data[rows][np.argmax(reached > total / 2, axis=1)]
        middle = np.where(low == high, low, (low + high) / 2)
        return np.where(total[:, 0] > 0, middle, np.nan)

    return value


def auc(scores: ArrayLike, labels: ArrayLike) -> Statistic:
    """Area under the ROC curve: how often a true row scores above a false one, ties half. NaN scores count nowhere."""
    score, true = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    rows = np.flatnonzero(~np.isnan(score))
    rows = rows[np.argsort(score[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(score[rows], prepend=np.nan) != 0)  # of each run of equal scores

    def value(weights: Floats) -> Floats:
        if not len(rows):
            return np.full(len(weights), np.nan)
        ordered = weights[:, rows]
        positive = np.add.reduceat(ordered * true[rows], starts, axis=1)
        negative = np.add.reduceat(ordered * ~true[rows], starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        return ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))

    return value


def figures(statistics: Mapping[str, Statistic], places: Sequence[Hashable], seed: int = 0) -> dict[str, Figure]:
    """Compute statistics with their intervals (percentile bootstrap, 2,000 resamples; see the module for its limits).

    Args:
        statistics: By name.
        places: One for each row; rows with an equal one are no independent witnesses, and drawn together.
        seed: Of the resampling.
    """
    found = dict.fromkeys(statistics, Figure(value=None))
    if not places:
        return found
    ones = np.ones((1, len(places)))
    drawn: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in _draws(places, seed):
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    for name, statistic in statistics.items():
        value = float(statistic(ones)[0])
        low, high = _interval(np.concatenate(drawn[name]))
        if low is None and isinstance(statistic, Share) and value in (0.0, 1.0):
            low, high = _wilson(value, _witnesses(statistic, places))
        found[name] = Figure(value=value, low=low, high=high) if isfinite(value) else Figure(value=None)
    return found


def changes(
    this: Mapping[str, Statistic], other: Mapping[str, Statistic], places: Sequence[Hashable], seed: int = 0
) -> dict[str, Figure]:
    """The difference of what two runs have in common, over the same rows in the same order; drawn together."""
    both = {name: difference(this[name], other[name]) for name in this if name in other}
    return figures(both, places, seed)


def _draws(places: Sequence[Hashable], seed: int) -> Iterator[Floats]:
    numbers: dict[Hashable, int] = {}
    place = np.array([numbers.setdefault(one, len(numbers)) for one in places])
    rng = np.random.default_rng(seed)
    block = max(1, _AT_ONCE // len(place))
    for start in range(0, _RESAMPLES, block):
        count = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), min(block, _RESAMPLES - start))
        yield count[:, place].astype(np.float64)


def _interval(drawn: Floats) -> tuple[float, float] | tuple[None, None]:
    """Of 95 % of the draws; none where they are all alike."""
    finite = drawn[np.isfinite(drawn)]
    # Sums in another order differ by some ulp.
    if not len(finite) or np.ptp(finite) <= 1e-12 * max(1.0, float(np.abs(finite).max())):
        return None, None
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)


def _witnesses(one: Share, places: Sequence[Hashable]) -> int:
    """Count the places that a share is of: those with a row in its bottom."""
    return len({place for place, bottom in zip(places, one.bottom, strict=True) if bottom})


def _wilson(value: float, n: int) -> tuple[float, float]:
    """Wilson's score interval (1927) of none of n, or of all of n."""
    beyond = _Z2 / (n + _Z2)
    return (0.0, beyond) if value == 0.0 else (1.0 - beyond, 1.0)
