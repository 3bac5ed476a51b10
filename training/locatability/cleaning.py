"""Clues that name a place kept, the others dropped, and which: both are written, so that people can look.

FOLDER/kept.jsonl     {"clue", "places"}: the names as written; `read_clues` reads it again
FOLDER/dropped.jsonl  {"clue", "reason"}
FOLDER/clues.json     counts with examples, and what recognised the names
FOLDER/weights.tsv    class weights, where they were asked for (`weights_of_clues.py`)
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.locatability.clues import Clues
from geosleuth.training.locatability.named_entities import Recogniser

logger = logging.getLogger(__name__)

KEPT, DROPPED, SUMMARY, WEIGHTS = "kept.jsonl", "dropped.jsonl", "clues.json", "weights.tsv"
NO_PLACE = "names no place"
_EXAMPLES = 5
_COMMONEST = 10


@dataclass(frozen=True)
class CleanedClues:
    """What a recogniser made of clues."""

    kept: tuple[tuple[str, tuple[str, ...]], ...]  # text, names of places in it
    dropped: tuple[tuple[str, str], ...]  # text, reason
    skipped: Mapping[str, int]  # rows that were no clues: reason -> rows
    recogniser: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The clues that are kept."""
        return tuple(text for text, _ in self.kept)

    def about(self) -> dict[str, Any]:
        """Counts with examples, as JSON."""
        places = Counter(name for _, names in self.kept for name in set(names))
        return {
            "clues": len(self.kept) + len(self.dropped),
            "kept": len(self.kept),
            "dropped": dict(Counter(reason for _, reason in self.dropped).most_common()),
            "skipped_rows": dict(self.skipped),
            "recogniser": self.recogniser,
            "commonest_places": dict(places.most_common(_COMMONEST)),
            "kept_examples": [{"clue": text, "places": list(names)} for text, names in self.kept[:_EXAMPLES]],
            "dropped_examples": [{"clue": text, "reason": reason} for text, reason in self.dropped[:_EXAMPLES]],
        }


def clean(clues: Clues, recogniser: Recogniser) -> CleanedClues:
    """Keep the clues that name a place.

    Raises:
        InputError: None does.
    """
    kept, dropped = [], []
    for text in clues.texts:
        names = recogniser(text)
        if names:
            kept.append((text, names))
        else:
            dropped.append((text, NO_PLACE))
    skipped = dict(clues.skipped)
    logger.info("%d clues; %d name a place; skipped rows: %s", len(clues), len(kept), skipped or "none")
    if not kept:
        remedy = "Check --languages, or keep them all with --keep-all."
        raise InputError("clues that name a place", f"none among {len(clues)} ({recogniser.described})", remedy)
    return CleanedClues(tuple(kept), tuple(dropped), skipped, recogniser.described)


def keep_all(clues: Clues) -> CleanedClues:
    """Keep every clue, whether it names a place or not."""
    return CleanedClues(tuple((text, ()) for text in clues.texts), (), dict(clues.skipped), "none: all are kept")


def check_new(out: Path) -> None:
    """See that files of another run do not stay beside new ones, and that what is read is not written over.

    Raises:
        InputError: The folder has one of them.
    """
    there = next((name for name in (KEPT, DROPPED, SUMMARY, WEIGHTS) if (out / name).exists()), None)
    if there is not None:
        raise InputError("a folder without clues", f"{out} with {there}", "Name another with --out.")


def write_clues(cleaned: CleanedClues, out: Path, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write what was kept and dropped, and the summary with `more` in it, which is returned.

    Raises:
        InputError: The folder cannot be written.
    """
    summary = cleaned.about() | dict(more or {})
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_lines(out / KEPT, ({"clue": text, "places": list(names)} for text, names in cleaned.kept))
        _write_lines(out / DROPPED, ({"clue": text, "reason": reason} for text, reason in cleaned.dropped))
        with appearing(out / SUMMARY) as scratch:
            scratch.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"a folder {out} that can be written", f"{error}", "Name another with --out.") from error
    return summary


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with appearing(path) as scratch, scratch.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
