"""Rows side by side as the model takes them: filled up on the right, all pictures one after the other.

Only tokens that are learned are turned into logits: of a vocabulary of 152,064 in float32, those of ten conversations
of 1,000 tokens would take 6 GB, and as much again for their gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.lora.encoding import UNLEARNED, Row

# Of a batch, beside what the model's own forward takes; the engine's trainer takes them out again.
COUNTS = ("n_tokens", "n_pictures", "n_padded")
REFUSED = "refused"  # alone in a batch: the InputError that ends the run


@dataclass(frozen=True)
class Collate:
    """Lessons, each a list of rows, to a batch."""

    pad_token: int

    def __call__(self, lessons: Sequence[Sequence[Row] | InputError]) -> dict[str, Any]:
        """Return tensors.

        `input_ids`, `labels` and what else there is per token are (rows, length); `logits_to_keep` (rows, length) is
        true before learned tokens, and `shift_labels` are these tokens, row after row: as the model's logits are then.
        """
        torch = import_vlm("torch")
        rows: list[Row] = []
        for lesson in lessons:
            if isinstance(lesson, InputError):
                return {REFUSED: lesson}
            rows += lesson
        rows = [row for row in rows if row.n_learned] or rows[:1]  # a batch of fillers alone needs a row
        length = max(len(row.tokens) for row in rows)
        labels = _filled([row.labels for row in rows], length, UNLEARNED)
        before = np.zeros(labels.shape, dtype=bool)
        before[:, :-1] = labels[:, 1:] != UNLEARNED
        batch: dict[str, NDArray[Any]] = {
            "input_ids": _filled([row.tokens for row in rows], length, self.pad_token),
            "labels": labels,
            "logits_to_keep": before,
            "shift_labels": labels[:, 1:][before[:, :-1]],
        }
        for name in rows[0].per_token:
            batch[name] = _filled([row.per_token[name] for row in rows], length, 0)
        tensors: dict[str, Any] = {name: torch.from_numpy(value) for name, value in batch.items()}
        for name in dict.fromkeys(name for row in rows for name in row.pictures):
            tensors[name] = torch.cat([row.pictures[name] for row in rows if name in row.pictures])
        tokens = sum(len(row.tokens) for row in rows)
        counts = (tokens, sum(row.n_pictures for row in rows), len(rows) * length)
        return tensors | dict(zip(COUNTS, counts, strict=True))


def _filled(parts: Sequence[NDArray[Any]], length: int, fill: int) -> NDArray[np.int64]:
    whole = np.full((len(parts), length), fill, dtype=np.int64)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return whole
