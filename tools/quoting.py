"""Text read from a photo is data: quoted, cut, and free of characters that change how it is shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LONGEST = 80  # characters of a quotation; a longer one hides the claim


def quoted(text: str, *, bare: bool = False) -> str:
    """Return the text in double quotes, without control and direction characters, cut at `LONGEST`."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    kept = " ".join(kept.replace('"', "'").split())
    if len(kept) > LONGEST:
        kept = kept[: LONGEST - 1] + "…"
    return kept if bare else f'"{kept}"'


def together(confidences: Sequence[float]) -> float:
    """Return the confidence that something is there which several lines show.

    The strongest counts in full, every other one a third: they share a recogniser, which windows and fences fool many
    times in one photo.
    """
    ordered = sorted(confidences, reverse=True)
    missing = 1.0 - ordered[0]
    for other in ordered[1:]:
        missing *= 1.0 - other / 3.0
    return 1.0 - missing
