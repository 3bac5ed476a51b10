"""How far two people agree beyond chance: Cohen's kappa, plain and with quadratic weights.

J. Cohen, "A coefficient of agreement for nominal scales" (1960), and "Weighted kappa" (1968). Libraries that have both
(scikit-learn, statsmodels) are large, and nothing else here needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """Of two reviewers on the items that both decided."""

    count: int  # items
    share: float | None  # of them with the same answer; None without items
    kappa: float | None  # 1: always the same, 0: as chance alone; None where it is not defined
    undefined: str = ""  # why


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Return the agreement on categories that have no order."""
    names = sorted({*first, *second})
    numbers = {name: number for number, name in enumerate(names)}
    weights = 1.0 - np.eye(len(names))
    return _agreement([numbers[one] for one in first], [numbers[one] for one in second], weights)


def weighted_kappa(first: Sequence[int], second: Sequence[int], lowest: int, highest: int) -> Agreement:
    """Return the agreement on a scale of whole numbers: a difference of two counts four times one of one."""
    steps = np.arange(highest - lowest + 1, dtype=np.float64)
    weights = (steps[:, None] - steps[None, :]) ** 2
    return _agreement([one - lowest for one in first], [one - lowest for one in second], weights)


def _agreement(first: Sequence[int], second: Sequence[int], weights: NDArray[np.float64]) -> Agreement:
    """Kappa is 1 less the disagreement that was seen over that which chance would bring.

    Args:
        first: Categories from 0.
        second: Of the same items.
        weights: Shape (k, k): the cost of each confusion, 0 on the diagonal.
    """
    count = len(first)
    if count == 0:
        return Agreement(0, None, None, "no item was decided by both")
    table = np.zeros(weights.shape)
    np.add.at(table, (np.asarray(first), np.asarray(second)), 1.0 / count)
    share = float(np.trace(table))
    by_chance = float((weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
    if by_chance == 0.0:
        return Agreement(count, share, None, "both gave one and the same answer throughout")
    return Agreement(count, share, 1.0 - float((weights * table).sum()) / by_chance)
