"""The tables by name."""

from __future__ import annotations

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.ablations import (
    corrupted,
    geographic,
    look_alikes,
    missing,
    reranking,
    submaps,
    verifier,
)
from geosleuth.training.evaluate.ablations.arm import Ablation

TABLES: dict[str, Ablation] = {
    one.TABLE.name: one.TABLE for one in (submaps, geographic, corrupted, reranking, verifier, missing, look_alikes)
}


def table_named(name: str) -> Ablation:
    """Return a table.

    Raises:
        InputError: There is no such table.
    """
    if name not in TABLES:
        raise InputError("a table of ablations", repr(name), f"Name one of: {', '.join(TABLES)}.")
    return TABLES[name]
