"""Whether an answer's confidence tells its errors: the risk-coverage curve and the area under it.

Photos are answered in the order of their confidence. At coverage k / n the risk is the share of wrong among the k
surest; AURC is its mean over k = 1 to n (Geifman, Uziel and El-Yaniv 2019, arXiv 1805.08206). Equally sure photos come
in no order, so each counts with the mean loss of all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.evaluate.vlm.intervals import Floats, Statistic, ratio

_CURVE_POINTS = 400  # as many as a drawing has pixels


def aurc(confidence: Floats, wrong: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Statistic:
    """Area under the risk-coverage curve of the rows that are `counted`; NaN is the least confidence of all."""
    rows, starts, group = _order(confidence, counted)

    def value(weights: Floats) -> Floats:
        if not len(rows):
            return np.full(len(weights), np.nan)
        drawn = weights[:, rows]
        risk = _risks(drawn, wrong[rows].astype(np.float64), starts, group)
        return ratio((drawn * risk).sum(axis=1), drawn.sum(axis=1))

    return value


def risk_coverage(
    confidence: Floats, wrong: NDArray[np.bool_], counted: NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Points (coverage, risk) of the curve, both in [0, 1]; those of a long one are thinned evenly."""
    rows, starts, group = _order(confidence, counted)
    if not len(rows):
        return []
    risk = _risks(np.ones((1, len(rows))), wrong[rows].astype(np.float64), starts, group)[0]
    last = len(rows) - 1
    shown = sorted({round(i * last / (_CURVE_POINTS - 1)) for i in range(_CURVE_POINTS)})
    return [((i + 1) / len(rows), float(risk[i])) for i in shown]


def _order(
    confidence: Floats, counted: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Counted rows by falling confidence, where each run of equals starts, and the run that each row is of."""
    sure = np.where(np.isnan(confidence), -1.0, confidence)
    rows = np.flatnonzero(counted)
    rows = rows[np.argsort(-sure[rows], kind="stable")]
    begins = np.diff(sure[rows], prepend=np.nan) != 0
    return rows, np.flatnonzero(begins), np.cumsum(begins) - 1


def _risks(drawn: Floats, wrong: Floats, starts: NDArray[np.intp], group: NDArray[np.intp]) -> Floats:
    """Risk (m, n) once each row is answered; 0 where nothing was drawn yet."""
    lost = np.add.reduceat(drawn * wrong, starts, axis=1)
    of_group = np.nan_to_num(ratio(lost, np.add.reduceat(drawn, starts, axis=1)))
    return np.nan_to_num(ratio(np.cumsum(drawn * of_group[:, group], axis=1), np.cumsum(drawn, axis=1)))
