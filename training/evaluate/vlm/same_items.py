"""Whether a run over these items can be set beside another: asked before the model is, since that takes hours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.vlm.prior_rows import item_of
from geosleuth.training.evaluate.vlm.verifier_rows import same_item

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.record import Task, VlmRecord
    from geosleuth.training.georeasoner.street_views import StreetView
    from geosleuth.training.gleam_x.record import PairRecord

_SHA256_DIGITS = 64
_NOUNS = {"prior": "photos", "verifier": "pairs"}
_REMEDY = "Evaluate both models with the same --task, --data, --root and --limit."


def check_views(views: Sequence[StreetView], other: VlmRecord | None) -> None:
    """Hold views against the other run's: their number, their truths, and the bytes of their pictures.

    Raises:
        InputError: It is a run over others, or of the other task.
    """
    if other is None:
        return
    refuse_unless(other.task == "prior" and len(views) == len(other.prior_rows), "prior", len(views), other)
    for view, row in zip(views, other.prior_rows, strict=True):
        same = (view.country, view.city) == (row.truth, row.true_city)
        if same and len(row.photo) == _SHA256_DIGITS:  # else it could not be read, and its name stands there
            try:
                same = hashlib.sha256(view.path.read_bytes()).hexdigest() == row.photo
            except OSError:
                same = False
        refuse_unless(same, "prior", len(views), other, f"the first that differs is {item_of(view)}")


def check_pairs(records: Sequence[PairRecord], other: VlmRecord | None) -> None:
    """Hold pairs against the other run's: their number, names, paths and labels.

    Raises:
        InputError: It is a run over others, or of the other task.
    """
    if other is None:
        return
    refuse_unless(other.task == "verifier" and len(records) == len(other.pair_rows), "verifier", len(records), other)
    for record, row in zip(records, other.pair_rows, strict=True):
        same = same_item(record, row)
        refuse_unless(same, "verifier", len(records), other, f"the first that differs is {record.pair_id}")


def refuse_unless(same: bool, task: Task, number: int, other: VlmRecord, more: str = "") -> None:
    """Raise an InputError that says what the other run is of, unless it is of the same."""
    if same:
        return
    rows = len(other.prior_rows) or len(other.pair_rows)
    found = f"one of the {other.task} on {other.data}, {rows:,} {_NOUNS[other.task]}"
    wanted = f"a report of the {task} on the same {number:,} {_NOUNS[task]} to compare with"
    raise InputError(wanted, f"{found}; {more}" if more else found, _REMEDY)
