"""What a reader of an answer is told beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from geosleuth.agent.investigation import pooled_group
from geosleuth.agent.localization import PhotoFacts
from geosleuth.agent.state import Found
from geosleuth.tools.captions import CAPTION, MOST
from geosleuth.tools.evidence import Nothing


def answer_notes(
    noted: Sequence[str],
    found: Sequence[Found],
    counted: Sequence[Found],
    photos: Sequence[PhotoFacts],
    left_out: Sequence[str],
) -> tuple[str, ...]:
    """Gather the notes of an answer, each once.

    Args:
        noted: While the photos were looked at.
        found: All evidence.
        counted: Of it, what the investigator has not left out.
        photos: Of the scene.
        left_out: Ids of what shall not count.
    """
    notes = [*noted, *_scene_notes(counted, photos), *_caption_notes(counted), *_not_left_out(found, left_out)]
    return tuple(dict.fromkeys(notes))


def _scene_notes(found: Sequence[Found], photos: Sequence[PhotoFacts]) -> list[str]:
    """What a reader of several photos' evidence must know."""
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    notes = []
    for number, photo in enumerate(photos, start=1):
        same = first.setdefault((photo.sha256, photo.edits), number)
        if same != number:
            notes.append(f"Photo {number} is the same file as photo {same}: it is no second witness.")
    groups: dict[str | None, set[int | None]] = {}
    for item in found:
        if not isinstance(item.evidence.likelihood, Nothing):
            groups.setdefault(pooled_group(item), set()).add(item.photo)
    if any(len(where) > 1 for group, where in groups.items() if group is not None):
        notes.append("Clues that several photos share divide their bits: without one of them the others say the same.")
    return notes


def _caption_notes(found: Sequence[Found]) -> list[str]:
    """Say what captions are worth, and how one that the investigator trusts is made to count."""
    if not any(item.evidence.type == CAPTION for item in found):
        return []
    worth = f"what it names counts at most {math.log2(MOST):g} bits, and its language nothing"
    return [f"Some writing seems to be laid over the picture: {worth}. If you trust it, say what it says as a hint."]


def _not_left_out(found: Sequence[Found], left_out: Sequence[str]) -> list[str]:
    """Say so where what was to be left out was not found this time: it may count in other words."""
    missing = set(left_out) - {item.id for item in found}
    clues = "1 clue that was" if len(missing) == 1 else f"{len(missing)} clues that were"
    return [f"{clues} to be left out did not turn up again: see whether another says the same."] if missing else []
