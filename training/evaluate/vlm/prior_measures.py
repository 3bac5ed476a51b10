"""Figures of a prior: of all photos, of each bin of locatability, and of countries that training never saw.

    answer rate        share of photos to which a country (a city) was named; the paper calls it recall
    precision          share of the answered that are right; the paper calls it accuracy
    F1                 the harmonic mean of the two, as the paper has it
    accuracy, all      share of all photos that are right: unanswered is wrong
    within n km        share of all photos whose answer lies within n km (geodesic, n included); unanswered is wrong
    ECE                of the likeliest country's probability against how often it is right, ten bins

An answer is a name, unless an adapter was taught to write a position too: a name's is the city's middle, so a figure at
1 km says how near to a middle photos were taken, and next to nothing about the model.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.evaluate.vlm.intervals import Statistic, harmonic, median, share
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow
from geosleuth.training.evaluate.vlm.reliability import ece

THRESHOLDS_KM = (1, 25, 200, 750, 2500)  # street, city, region, country, continent: the field's five
CITY_NOTE = (
    "Distances are from the named city's middle, or from the largest place of a country named alone: the share within "
    "1 km is not meaningful."
)
_OF_A_BIN = (
    *("country: answer rate", "country: precision of the answered", "country: accuracy, all", "city: accuracy, all"),
    *("within 750 km", "likeliest country: ECE"),
)
# A score above 0.4 makes training data (GeoReasoner's threshold); the sweep goes from 0.1 to 0.7.
EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)


def prior_statistics(rows: Sequence[PriorRow]) -> dict[str, Statistic]:
    """Name and statistic, in the order of the table; those that need what no row has are left out."""
    answered = np.array([row.answered for row in rows], dtype=bool)
    right = np.array([row.country is not None and row.country == row.truth for row in rows], dtype=bool)
    found = {f"country: {name}": one for name, one in _paper(answered, right).items()}
    if any(row.true_city for row in rows):
        named = np.array([row.city is not None for row in rows], dtype=bool)
        judged = np.array([row.true_city is not None for row in rows], dtype=bool)
        hit = np.array([row.city_right for row in rows], dtype=bool)
        found |= {f"city: {name}": one for name, one in _paper(named, hit, judged).items()}
    km = np.array([np.inf if row.error_km is None else row.error_km for row in rows], dtype=np.float64)
    found |= {f"within {limit:,} km": share(km <= limit) for limit in THRESHOLDS_KM}
    found["median km, of the placed"] = median(np.where(np.isinf(km), np.nan, km))
    found["readable"] = share([row.readable for row in rows])
    confidence = np.array([np.nan if row.top_share is None else row.top_share for row in rows], dtype=np.float64)
    if not np.isnan(confidence).all():
        top_right = np.array([row.top is not None and row.top == row.truth for row in rows], dtype=bool)
        scored = ~np.isnan(confidence)
        found["likeliest country: accuracy"] = share(top_right, scored)
        found["likeliest country: ECE"] = ece(confidence, top_right)
        found["90 % set holds the country"] = share([bool(row.in_set) for row in rows], scored)
    return found


def bin_statistics(rows: Sequence[PriorRow]) -> dict[str, Statistic]:
    """Of a bin: what a table of eight rows has room for."""
    return {name: one for name, one in prior_statistics(rows).items() if name in _OF_A_BIN}


def held_out_statistics(rows: Sequence[PriorRow]) -> dict[str, Statistic]:
    """Of views in countries that training never saw: no accuracy, since no answer taught can be right."""
    scored = np.array([row.set_size is not None for row in rows], dtype=bool)
    found = {"answer rate": share([row.answered for row in rows])}
    if scored.any():
        sizes = np.array([np.nan if row.set_size is None else row.set_size for row in rows], dtype=np.float64)
        found["90 % set holds the country"] = share([bool(row.in_set) for row in rows], scored)
        found["90 % set holds a country of its UN subregion"] = share([bool(row.region_in_set) for row in rows], scored)
        found["countries in the 90 % set, median"] = median(sizes)
    named = np.array([np.nan if row.named_km is None else row.named_km for row in rows], dtype=np.float64)
    seen = np.array([np.nan if row.seen_km is None else row.seen_km for row in rows], dtype=np.float64)
    found["km to the country named, median"] = median(named)
    found["km to the nearest country seen, median"] = median(np.where(np.isnan(named), np.nan, seen))
    return found


def by_locatability(rows: Sequence[PriorRow]) -> dict[str, list[PriorRow]]:
    """Rows by their score's bin, [low, high) and the last one closed; empty bins are left out."""
    scores = [(row, row.locatability) for row in rows if row.locatability is not None]
    found: dict[str, list[PriorRow]] = {}
    for low, high in pairwise(EDGES):
        last = high == EDGES[-1]
        inside = [row for row, score in scores if low <= score and (score < high or (last and score <= high))]
        if inside:
            found[f"{low:.1f} to {high:.1f}"] = inside
    return found


def places(rows: Sequence[PriorRow]) -> list[Hashable]:
    """What rows are drawn by."""
    return [row.place for row in rows]


def confidences(rows: Sequence[PriorRow]) -> tuple[list[float], list[bool]]:
    """The likeliest country's probability and whether it is right, of the photos that have one."""
    scored = [row for row in rows if row.top_share is not None]
    return [row.top_share or 0.0 for row in scored], [row.top == row.truth for row in scored]


def _paper(
    answered: NDArray[np.bool_],
    right: NDArray[np.bool_],
    judged: NDArray[np.bool_] | None = None,
) -> Mapping[str, Statistic]:
    """The paper's three, and the share of all; where the truth is not known nothing is judged."""
    all_of_them = np.ones(len(answered), dtype=bool) if judged is None else judged
    asked = answered & all_of_them
    rate, precision = share(asked, all_of_them), share(right & asked, asked)
    return {
        "answer rate": rate,
        "precision of the answered": precision,
        "F1": harmonic(precision, rate),
        "accuracy, all": share(right & asked, all_of_them),
    }
