"""What answers are worth: the field's figures over scored photos, each with a 95 % bootstrap interval.

    accuracy@n km          share of all photos whose point lies within n km (geodesic, n included); no point is wrong
    median km              of the error; a missing point is infinitely far, so it may be no number at all
    GeoGuessr score        mean of 5,000 exp(-error / 1,492.7 km); 0 without a point
    country accuracy       share whose point lies in the true country; "as named": whose answer names it
    of the answered        of the photos whose status is localized; "unanswered wrong": of all, the others being wrong
    AURC                   see selective.py
    ECE                    of the named country's probability against how often it is right, ten bins
    bits lost              mean of -log2 of the true country's probability: 0 is certainty, and cheating does not pay

Photos without a true country are judged by distance alone. Photos of one city, or of one cell of 10 km where no city is
known, share streets and signs: the bootstrap draws them together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.agent.selective import aurc
from geosleuth.training.evaluate.vlm.intervals import Figure, Floats, Share, Statistic, figures, mean, median, share
from geosleuth.training.evaluate.vlm.prior_rows import place_of, same_city
from geosleuth.training.evaluate.vlm.reliability import ece
from geosleuth.training.georeasoner.street_views import StreetView

THRESHOLDS_KM = (1, 25, 200, 750, 2500)  # street, city, region, country, continent: the field's five
COUNTRY, MEDIAN_KM = "country accuracy", "median km"
IN_50, IN_90 = "in the 50 % region", "in the 90 % region"
_FULL_SCORE = 5000.0
# Haas et al., PIGEON (CVPR 2024, arXiv 2307.05845): GeoGuessr's score on its map of the world, as their code has it.
_SCORE_KM = 1492.7
_LEAST_SHARE = 1e-12  # of a probability under a logarithm, as in embedded.py
# Medians of the infinite are carried through the bootstrap as a number that no distance, area or ratio on Earth comes
# near (5.1e8 km2 is all of it); percentiles may lie between such a draw and a finite one, beyond the second number.
_INFINITE, _BEYOND = 1e15, 1e10

Bools = NDArray[np.bool_]


def measures(scored: Sequence[Scored]) -> dict[str, Figure]:
    """Name and figure, in the order of the table; figures that need what no row has are left out."""
    return resampled(statistics(scored), places(scored))


def resampled(named: dict[str, Statistic], drawn_by: Sequence[Hashable]) -> dict[str, Figure]:
    """Compute figures; of an interval whose end is infinite that end is None."""
    kept = {name: one if isinstance(one, Share) else _capped(one) for name, one in named.items()}
    return {name: _finite(figure) for name, figure in figures(kept, drawn_by).items()}


def statistics(scored: Sequence[Scored]) -> dict[str, Statistic]:
    """The statistics behind `measures`."""
    km = errors_km(scored)
    placed = np.isfinite(km)
    found: dict[str, Statistic] = {f"accuracy@{limit}km": share(km <= limit) for limit in THRESHOLDS_KM}
    found[MEDIAN_KM] = median(km)
    if not placed.all():
        found["median km, of the placed"] = median(np.where(placed, km, np.nan))
    found["GeoGuessr score"] = mean(_FULL_SCORE * np.exp(-km / _SCORE_KM))
    return found | _of_countries(scored) | _of_cities(scored) | _of_probabilities(scored) | _of_work(scored)


def errors_km(scored: Sequence[Scored]) -> Floats:
    """Errors, infinite without a point."""
    return np.array([np.inf if row.error_km is None else row.error_km for row in scored], dtype=np.float64)


def named_right(scored: Sequence[Scored]) -> Bools:
    """Whether the answer names the true country."""
    return np.array([row.named_country is not None and row.named_country == row.truth.country for row in scored], bool)


def judged(scored: Sequence[Scored]) -> Bools:
    """Whether the true country is known."""
    return np.array([row.truth.country is not None for row in scored], dtype=bool)


def places(scored: Iterable[Scored]) -> list[Hashable]:
    """What rows are drawn by."""
    return [_place(row.truth) for row in scored]


def _place(truth: Truth) -> str:
    return place_of(StreetView(Path(truth.file), truth.lat, truth.lon, truth.country, truth.city))


def _of_countries(scored: Sequence[Scored]) -> dict[str, Statistic]:
    known, named = judged(scored), named_right(scored)
    right = np.array([row.point_country is not None and row.point_country == row.truth.country for row in scored], bool)
    answered = np.array([row.status == "localized" for row in scored], dtype=bool)
    found = {"answer rate": share(answered)}
    if not known.any():
        return found
    return {
        COUNTRY: share(right & known, known),
        "country accuracy, as named": share(named & known, known),
        "country accuracy, unanswered wrong": share(right & answered & known, known),
        **found,
        "country accuracy, of the answered": share(right & answered & known, answered & known),
    }


def _of_cities(scored: Sequence[Scored]) -> dict[str, Statistic]:
    """Of the photos whose city is known and whose answer names one; within 25 km is accuracy@25km."""
    both = np.array([bool(row.truth.city and row.named_city) for row in scored], dtype=bool)
    if not both.any():
        return {}
    right = [
        bool(both[i]) and same_city(row.named_city, row.named_country, row.truth.city, row.truth.country)
        for i, row in enumerate(scored)
    ]
    return {"city accuracy, by name where both are known": share(right, both)}


def _of_probabilities(scored: Sequence[Scored]) -> dict[str, Statistic]:
    """What only an answer with probabilities or regions has."""
    found: dict[str, Statistic] = {}
    known, right = judged(scored), named_right(scored)
    sure = confidences(scored)
    if (known & ~np.isnan(sure)).any():
        found["AURC"] = aurc(sure, ~right, known)
        found["ECE of the named country"] = ece(np.where(known, sure, np.nan), right)
    truth = _numbers([row.truth_probability for row in scored])
    if (known & ~np.isnan(truth)).any():
        told = known & ~np.isnan(truth)
        lost = -np.log2(np.maximum(np.where(told, truth, 1.0), _LEAST_SHARE))
        found["bits lost on the true country"] = mean(lost, told)
    for name, held, areas in (
        (IN_50, [row.in_50 for row in scored], [row.area_50_km2 for row in scored]),
        (IN_90, [row.in_90 for row in scored], [row.area_90_km2 for row in scored]),
    ):
        drawn = np.array([one is not None for one in held], dtype=bool)
        if drawn.any():
            found[name] = share(np.array([bool(one) for one in held]) & drawn, drawn)
            found[f"median km2 of {name.removeprefix('in ')}"] = median(_numbers(areas))
    return found


def _of_work(scored: Sequence[Scored]) -> dict[str, Statistic]:
    return {
        "seconds per photo": mean([row.seconds for row in scored]),
        "calls per photo": mean([float(row.calls) for row in scored]),
    }


def confidences(scored: Sequence[Scored]) -> Floats:
    """The named country's probability, NaN where there is none."""
    return _numbers([row.probability for row in scored])


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _capped(statistic: Statistic) -> Statistic:
    """The statistic with its infinities as numbers, which a bootstrap does not leave out; NaN stays."""

    def value(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore"):  # infinite less infinite
            return np.clip(statistic(weights), -_INFINITE, _INFINITE)

    return value


def _finite(figure: Figure) -> Figure:
    def end(value: float | None) -> float | None:
        return None if value is None or abs(value) > _BEYOND else value

    if end(figure.value) is None:
        return Figure(value=None)
    return Figure(value=figure.value, low=end(figure.low), high=end(figure.high))
