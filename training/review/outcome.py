"""What becomes of an item: two reviewers decide, and a third where they differ.

Pairs: both accept, it stays as it is; one edits and the other accepts, or both write the same, the edited text stands;
both reject, it is left out; one rejects what the other keeps, or both edit differently, it is disputed: until one of
the two thinks again, or a third decides. The third's word then stands alone.

Reasons: two ratings are enough, and their mean stands; two rejections leave it out; one of each is disputed until a
third decision.

The first two are those who first decided it. What others say of an item that is settled changes nothing, nor does what
more than three say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from geosleuth.training.gleam_x.record import PairRecord, Reasons
from geosleuth.training.review.decision import Accept, Decision, Edit, Rate, Reject
from geosleuth.training.review.folder import Review
from geosleuth.training.review.item import Item, PairItem, ReasonsItem
from geosleuth.training.review.scales import SCALES, Measure
from geosleuth.training.review.standing import Standing, standing

State = Literal["waiting", "disputed", "as_is", "edited", "rated", "rejected"]
NEEDED = 2  # reviewers of every item


@dataclass(frozen=True)
class Outcome:
    """What the decisions so far make of an item."""

    state: State
    explanation: Reasons | None = None  # of a pair that is kept


class RatedReasons(BaseModel):
    """A photo's reasons with the mean of the two ratings that count."""

    model_config = ConfigDict(frozen=True)

    item: ReasonsItem
    means: dict[Measure, float]


def outcome(item: Item, decisions: Sequence[Decision]) -> Outcome:
    """Say what becomes of an item.

    Args:
        item: The item.
        decisions: One a reviewer, in the order in which they first decided.
    """
    if len(decisions) < NEEDED:
        return Outcome("waiting")
    if isinstance(item, PairItem):
        return _of_pair(item, decisions)
    if len(counting(decisions)) == NEEDED:
        return Outcome("rated")
    rejected = sum(isinstance(one, Reject) for one in decisions[: NEEDED + 1])
    return Outcome("rejected" if rejected >= NEEDED else "disputed")


def counting(decisions: Sequence[Decision]) -> list[Rate]:
    """Return the ratings that count: the first two among those of the first three who decided.

    Args:
        decisions: One a reviewer, in the order in which they first decided.
    """
    return [one for one in decisions[: NEEDED + 1] if isinstance(one, Rate)][:NEEDED]


def mean_of(ratings: Sequence[Rate]) -> dict[Measure, float]:
    """Return the mean of each measure; nothing without ratings."""
    return {name: sum(getattr(one, name) for one in ratings) / len(ratings) for name in SCALES} if ratings else {}


def revised(review: Review) -> list[PairRecord]:
    """Return the pairs that reviewers kept, with their last text, as `human_revised`.

    Raises:
        InputError: A file of decisions is damaged.
    """
    said = standing(review)
    return [
        item.record.model_copy(update={"explanation": explanation, "human_revised": True})
        for item in review.items
        if isinstance(item, PairItem) and (explanation := outcome_of(item, said).explanation) is not None
    ]


def rated(review: Review) -> list[RatedReasons]:
    """Return the reasons that were rated twice.

    Raises:
        InputError: A file of decisions is damaged.
    """
    said = standing(review)
    found = []
    for item in review.items:
        if isinstance(item, ReasonsItem) and outcome_of(item, said).state == "rated":
            given = counting([one for _, one in said.of_item(item.id)])
            found.append(RatedReasons(item=item, means=mean_of(given)))
    return found


def outcome_of(item: Item, said: Standing) -> Outcome:
    """Say what becomes of an item by what counts now."""
    return outcome(item, [decision for _, decision in said.of_item(item.id)])


def _of_pair(item: PairItem, decisions: Sequence[Decision]) -> Outcome:
    first_two = [_text(item, one) for one in decisions[:NEEDED]]
    rejected = first_two.count(None)
    if rejected == NEEDED:
        return Outcome("rejected")
    changed = {one for one in first_two if one is not None and one != item.explanation}
    if not rejected and len(changed) < NEEDED:
        text = next(iter(changed), item.explanation)
    elif len(decisions) == NEEDED:
        return Outcome("disputed")
    else:
        third = _text(item, decisions[NEEDED])
        if third is None:
            return Outcome("rejected")
        text = third
    return Outcome("as_is" if text == item.explanation else "edited", text)


def _text(item: PairItem, decision: Decision) -> Reasons | None:
    """Return the text that a reviewer would keep; None if none."""
    if isinstance(decision, Accept):
        return item.explanation
    return decision.edited if isinstance(decision, Edit) else None
