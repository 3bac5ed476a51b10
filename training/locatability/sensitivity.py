"""What a threshold costs: for each of several, the pictures and countries that are left, and how even they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from geosleuth.training.locatability.curation import passes, with_scores

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
    from geosleuth.training.locatability.score_set import Scores

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # between the two that the paper calls too low and too high


@dataclass(frozen=True, slots=True)
class Level:
    """What one threshold leaves of a set."""

    threshold: float
    kept: int
    share: float | None  # of the pictures that have a score; None where none has
    countries_kept: tuple[str, ...]  # ISO codes, sorted
    countries_lost: tuple[str, ...]  # no picture is left of these
    balance: float | None  # see `balance_of`
    largest_country: str | None
    largest_share: float | None  # of the kept pictures whose country is known
    cities: int  # (country, city) pairs


def sensitivity(views: StreetViews, scores: Scores, thresholds: Sequence[float] = THRESHOLDS) -> list[Level]:
    """Say for each threshold what it leaves.

    Args:
        views: The set.
        scores: Of its pictures; those without one count nowhere.
        thresholds: In [0, 1].
    """
    scored = list(with_scores(views, scores))
    before = {view.country for view, _ in scored if view.country}
    return [
        _level(threshold, [view for view, score in scored if passes(score, threshold)], len(scored), before)
        for threshold in thresholds
    ]


def balance_of(counts: Counter[str], countries: int) -> float | None:
    """Return Pielou's evenness: the entropy of the countries' shares over the entropy of equal shares.

    1 where all countries have as many pictures, 0 where one has them all. Divided by the entropy of all countries of
    the whole set, not of those that are left: so a threshold that loses countries loses balance.

    Args:
        counts: Pictures by country.
        countries: Of the whole set; with fewer than two, balance means nothing, and is None.
    """
    total = counts.total()
    if countries < 2 or not total:
        return None
    entropy = -sum(n / total * log(n / total) for n in counts.values())
    return max(0.0, entropy / log(countries))  # else -0.0 for one country


def _level(threshold: float, kept: Sequence[StreetView], total: int, before: set[str]) -> Level:
    counts = Counter(view.country for view in kept if view.country)
    largest, most = max(counts.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
    return Level(
        threshold=threshold,
        kept=len(kept),
        share=len(kept) / total if total else None,
        countries_kept=tuple(sorted(counts)),
        countries_lost=tuple(sorted(before - set(counts))),
        balance=balance_of(counts, len(before)),
        largest_country=largest,
        largest_share=most / counts.total() if most else None,
        cities=len({(view.country, view.city) for view in kept if view.city}),
    )
