"""The evidence as it is numbered: the same numbers in the list, on the photo and in the words beside both."""

from __future__ import annotations

from typing import NamedTuple

from geosleuth.agent.localization import Localization, WeighedEvidence


class Clue(NamedTuple):
    """One piece of evidence that tells of a place, and its number on the page."""

    number: int
    item: WeighedEvidence


def numbered(answer: Localization) -> list[Clue]:
    """Return what tells of a place: what counts first, the most telling first; then what is left out."""
    telling = [item for item in answer.evidence if item.likelihood != "nothing"]
    telling.sort(key=lambda item: (item.left_out, -abs(item.contribution_bits)))
    return [Clue(number, item) for number, item in enumerate(telling, start=1)]


def in_photo(clues: list[Clue], index: int) -> list[Clue]:
    """Return the clues that have a box in a photo."""
    return [clue for clue in clues if seen_in(clue.item, index) and any(support.box for support in clue.item.support)]


def seen_in(item: WeighedEvidence, index: int) -> bool:
    """Say whether a piece of evidence is of photo `index`; of answers older than `photo`, all is of the first."""
    return item.photo == index or (item.photo is None and index == 0)


def silent(answer: Localization) -> list[WeighedEvidence]:
    """Return what looked and learned nothing, each claim once."""
    return list({item.claim: item for item in answer.evidence if item.likelihood == "nothing"}.values())
