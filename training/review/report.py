"""Where a review stands: how much is decided, what became of it, and how far reviewers agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import get_args

from geosleuth.training.review.agreement import Agreement, cohen_kappa, weighted_kappa
from geosleuth.training.review.decision import Decision, Rate
from geosleuth.training.review.folder import Review
from geosleuth.training.review.outcome import NEEDED, State, counting, mean_of, outcome_of
from geosleuth.training.review.scales import HIGHEST, LOWEST, SCALES, Measure
from geosleuth.training.review.standing import Standing


@dataclass(frozen=True)
class Agreed:
    """How far two reviewers agree on one thing, by what they said before either could see the other's."""

    reviewers: tuple[str, str]
    about: str  # "verdict", or a measure
    figures: Agreement


@dataclass(frozen=True)
class Report:
    """Where a review stands."""

    items: int
    by_reviewer: Mapping[str, int]  # items that each decided
    by_both: int  # items that at least two decided
    states: Mapping[State, int]
    agreed: tuple[Agreed, ...]
    means: Mapping[Measure, float]  # of all ratings that count; empty without any


def report(review: Review, said: Standing) -> Report:
    """Sum up."""
    states = Counter(outcome_of(item, said).state for item in review.items)
    ratings = [one for item in review.items for one in counting([given for _, given in said.of_item(item.id)])]
    return Report(
        items=len(review.items),
        by_reviewer={reviewer: len(decisions) for reviewer, decisions in said.now.items()},
        by_both=sum(len(said.of_item(item.id)) >= NEEDED for item in review.items),
        states={state: states[state] for state in get_args(State)},
        agreed=tuple(_agreed(review, said)),
        means=mean_of(ratings),
    )


def _agreed(review: Review, said: Standing) -> list[Agreed]:
    found = []
    for first, second in combinations(sorted(said.blind), 2):
        one, other = said.blind[first], said.blind[second]
        both = [item.id for item in review.items if item.id in one and item.id in other]
        if not both:
            continue
        verdicts = cohen_kappa([one[item].verdict for item in both], [other[item].verdict for item in both])
        found.append(Agreed((first, second), "verdict", verdicts))
        if review.kind == "reasons":
            found += _agreed_ratings((first, second), [(one[item], other[item]) for item in both])
    return found


def _agreed_ratings(reviewers: tuple[str, str], both: list[tuple[Decision, Decision]]) -> list[Agreed]:
    """Compare the ratings of what neither rejected."""
    given = [(one, other) for one, other in both if isinstance(one, Rate) and isinstance(other, Rate)]
    found = []
    for measure in SCALES:
        first = [getattr(one, measure) for one, _ in given]
        second = [getattr(other, measure) for _, other in given]
        found.append(Agreed(reviewers, measure, weighted_kappa(first, second, LOWEST, HIGHEST)))
    return found
