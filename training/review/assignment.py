"""Who is asked about what: every item goes to two reviewers, and to a third where they differ."""

from __future__ import annotations

from geosleuth.training.review.folder import Review
from geosleuth.training.review.outcome import NEEDED, outcome_of
from geosleuth.training.review.standing import Standing


def to_decide(review: Review, reviewer: str, said: Standing) -> list[int]:
    """Return the numbers of the items that a reviewer is asked about, in the order of the review.

    Nothing is dealt out beforehand: whoever comes takes what needs a decision, so that a reviewer who stays away holds
    nothing up. Two who begin together may so make three decisions of one item, which harms nothing.
    """
    mine = said.mine(reviewer)
    asked = []
    for number, item in enumerate(review.items):
        if item.id in mine:
            continue
        others = len(said.of_item(item.id))
        if others < NEEDED or (others == NEEDED and outcome_of(item, said).state == "disputed"):
            asked.append(number)
    return asked
