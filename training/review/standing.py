"""What counts of all that was said: of each reviewer the last decision of an item that was not taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from geosleuth.training.review.decision import Decision, Line, Undo
from geosleuth.training.review.decisions_file import read_lines
from geosleuth.training.review.folder import Review


@dataclass(frozen=True)
class Standing:
    """The decisions of all reviewers that count."""

    now: Mapping[str, Mapping[str, Decision]]  # reviewer -> item -> decision
    blind: Mapping[str, Mapping[str, Decision]]  # the same, before the reviewer could see another's
    first: Mapping[tuple[str, str], datetime]  # (reviewer, item) -> when it was decided first
    saw: frozenset[tuple[str, str]]  # (reviewer, item): something was said of it after the other's was shown

    def of_item(self, item: str) -> list[tuple[str, Decision]]:
        """Return who decided what, in the order in which they first did."""
        said = [(reviewer, decisions[item]) for reviewer, decisions in self.now.items() if item in decisions]
        return sorted(said, key=lambda pair: (self.first[pair[0], item], pair[0]))

    def mine(self, reviewer: str) -> Mapping[str, Decision]:
        """Return what a reviewer decided."""
        return self.now.get(reviewer, {})

    def shown_to(self, reviewer: str, item: str) -> list[tuple[str, Decision]]:
        """Return what the others decided; nothing until the reviewer has decided as well."""
        if item not in self.mine(reviewer):
            return []
        return [(other, decision) for other, decision in self.of_item(item) if other != reviewer]

    def is_blind(self, reviewer: str, item: str) -> bool:
        """Whether what the reviewer says of the item now is said without knowing another's decision."""
        return (reviewer, item) not in self.saw and not self.shown_to(reviewer, item)


def standing(review: Review) -> Standing:
    """Read everybody's decisions.

    Raises:
        InputError: A file is damaged.
    """
    return standing_of({reviewer: read_lines(review, reviewer) for reviewer in review.reviewers()})


def standing_of(lines: Mapping[str, Iterable[Line]]) -> Standing:
    """Replay what was said."""
    now: dict[str, dict[str, Decision]] = {}
    blind: dict[str, dict[str, Decision]] = {}
    first: dict[tuple[str, str], datetime] = {}
    saw: set[tuple[str, str]] = set()
    for reviewer, said in lines.items():
        whole = list(said)
        now[reviewer] = _replayed(whole)
        blind[reviewer] = _replayed([line for line in whole if line.blind])
        for line in whole:
            if not isinstance(line, Undo):
                first.setdefault((reviewer, line.item), line.at)
            if not line.blind:
                saw.add((reviewer, line.item))
    return Standing(now, blind, first, frozenset(saw))


def _replayed(lines: Iterable[Line]) -> dict[str, Decision]:
    said: dict[str, list[Decision]] = defaultdict(list)
    for line in lines:
        if not isinstance(line, Undo):
            said[line.item].append(line)
        elif said[line.item]:
            said[line.item].pop()
    return {item: decisions[-1] for item, decisions in said.items() if decisions}
