"""Items to review, from a file of pairs or from a file of answers with reasons.

Pairs: as `training.gleam_x.record_file` writes them. Answers: lines as `training.georeasoner.reasoned` reads them, with
the answer in the model's own words, and perhaps `model`. Pictures may be missing: the page says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.tools.georeasoner_reply import GeoAnswer
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.georeasoner.reasoned import IMAGE_KEYS, NO_IMAGE, NO_REASONS, NOT_READABLE
from geosleuth.training.georeasoner.view_table import OUTSIDE
from geosleuth.training.gleam_x.record_file import read_records
from geosleuth.training.review.item import Item, ReasonsItem, pair_item


@dataclass(frozen=True)
class Queued:
    """Items, and what was left out."""

    items: tuple[Item, ...]
    skipped: Mapping[str, int]  # why -> lines

    def __repr__(self) -> str:
        return f"{len(self.items):,} items, {sum(self.skipped.values()):,} lines left out"


def queued(path: Path) -> Queued:
    """Read what is to be reviewed.

    Raises:
        InputError: The file cannot be read, or nothing in it can be reviewed.
    """
    found = _pairs(path) if _holds_pairs(path) else _answers(path)
    if not found.items:
        why = "; ".join(f"{count} lines: {reason}" for reason, count in found.skipped.items()) or "no line"
        remedy = "Give pairs with explanations (`geosleuth curate explanations`), or answers with path and reasons."
        raise InputError(f"something to review in {path}", why, remedy)
    return found


def _pairs(path: Path) -> Queued:
    records = read_records(path)
    explained = [record for record in records.records if record.explanation is not None]
    skipped = Counter(bad.reason for bad in records.bad)
    if missing := len(records.records) - len(explained):
        skipped["the pair has no explanation"] = missing
    return Queued(tuple(pair_item(record) for record in explained), dict(skipped))


def _answers(path: Path) -> Queued:
    items: list[ReasonsItem] = []
    skipped: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for value in _objects(path):
        if isinstance(value, str):
            skipped[value] += 1
            continue
        read = _answer(value)
        if isinstance(read, str):
            skipped[read] += 1
            continue
        times[read.path] += 1
        if times[read.path] > 1:  # answers of several models, or of one at several times
            read = read.model_copy(update={"id": f"{read.path} #{times[read.path]}"})
        items.append(read)
    return Queued(tuple(items), dict(skipped))


def _answer(value: Mapping[str, Any]) -> ReasonsItem | str:
    """Return an item, or why there is none."""
    cells = {str(key).strip().casefold(): one for key, one in value.items()}
    path = next((cells[key] for key in IMAGE_KEYS if isinstance(cells.get(key), str) and cells[key]), None)
    if path is None:
        return NO_IMAGE
    if leads_out(path):
        return OUTSIDE
    try:
        answer = GeoAnswer.model_validate(cells)
        if not answer.reasons:
            return NO_REASONS
        model = cells.get("model")
        return ReasonsItem(
            id=path,
            path=path,
            country=answer.country,
            city=answer.city,
            reasons=tuple(answer.reasons),
            model=model if isinstance(model, str) else None,
        )
    except ValidationError as error:
        return error.errors(include_url=False, include_input=False, include_context=False)[0]["msg"]


def _holds_pairs(path: Path) -> bool:
    return any(isinstance(value, dict) and "pair_id" in value for value in _objects(path))


def _objects(path: Path) -> Iterator[dict[str, Any] | str]:
    """Yield each line's object, or what is wrong with the line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = "Name a file of pairs with explanations, or of answers with reasons."
        raise InputError("a JSONL file of items", f"{path}: {error.strerror or error}", remedy) from error
    for line in content.splitlines():
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        yield value if isinstance(value, dict) else NOT_READABLE
