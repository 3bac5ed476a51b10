"""Lists that a reader fills, made into the columns of a cross-view data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Pictures, Skipped

NOWHERE = (float("nan"), float("nan"))  # the position of a picture where the data set gives none
_REASONS_SHOWN = 3


def columns(
    paths: Sequence[str],
    places: Sequence[int],
    modalities: tuple[Modality, ...],
    *,
    modality: Sequence[int] | None = None,
    positions: Sequence[tuple[float, float]] | None = None,
) -> Pictures:
    """Make columns of lists.

    Args:
        paths: Absolute, one per picture.
        places: One per picture.
        modalities: Of the set.
        modality: Index into `modalities`, one per picture; None: all are of the first.
        positions: (lat, lon) in degrees, one per picture; None: unknown.
    """
    n = len(paths)
    return Pictures(
        paths=paths,
        modalities=modalities,
        modality=np.zeros(n, np.int16) if modality is None else np.asarray(modality, np.int16).reshape(n),
        places=np.asarray(places, np.int64).reshape(n),
        positions=np.full((n, 2), np.nan) if positions is None else np.asarray(positions, np.float64).reshape(n, 2),
    )


def parsed_position(lat: str, lon: str) -> tuple[float, float]:
    """Read a position in degrees from two pieces of text; `NOWHERE` where they are none."""
    try:
        position = float(lat), float(lon)
    except ValueError:
        return NOWHERE
    return position if abs(position[0]) <= 90 and abs(position[1]) <= 180 else NOWHERE


def not_empty(one: CrossViewSet, root: object) -> CrossViewSet:
    """Return a set that has queries and references.

    Raises:
        InputError: It has none; says why most rows were skipped.
    """
    if len(one.queries) and len(one.references):
        return one
    reasons = "; ".join(f"{n:,} x {why}" for why, n in skip_reasons(one.skipped).most_common(_REASONS_SHOWN))
    found = f"{len(one.queries):,} queries and {len(one.references):,} references"
    raise InputError(
        f"pictures of {one.name}, split {one.split}, in {root}",
        f"{found} (skipped: {reasons or 'nothing'})",
        "Check that the pictures are unpacked beside the lists.",
    )


def said(one: CrossViewSet) -> str:
    """Say in one line what was read of a set, and what was skipped and why, with the first of each reason."""
    line = f"{one.name} {one.split}: {len(one.queries):,} queries, {len(one.references):,} references; "
    if not one.skipped:
        return f"{line}none skipped"
    first: dict[str, str] = {}
    for row in one.skipped:
        first.setdefault(row.reason, row.path)
    reasons = skip_reasons(one.skipped).most_common()
    shown = [f"{count:,} {why} (first: {first[why]})" for why, count in reasons[:_REASONS_SHOWN]]
    others = sum(count for _, count in reasons[_REASONS_SHOWN:])
    shown += [f"{others:,} for other reasons"] if others else []
    return f"{line}{len(one.skipped):,} skipped: {', '.join(shown)}"


def skip_reasons(skipped: Sequence[Skipped]) -> Counter[str]:
    """Count skipped rows by reason."""
    return Counter(one.reason for one in skipped)
