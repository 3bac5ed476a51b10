"""Two runs over the same photos: each figure's difference, drawn together, so that what they share falls out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.agent.measures import (
    MEDIAN_KM,
    Bools,
    errors_km,
    places,
    resampled,
    statistics,
)
from geosleuth.training.evaluate.agent.scored import Scored, Truth
from geosleuth.training.evaluate.vlm.intervals import Figure, Floats, Statistic, difference, median, ratio

MEDIAN_CHANGE = "median km, change"
"""The other run's median is 1: -0.1 is a median that is a tenth shorter."""
_NEAR_DEG = 1e-6  # 11 cm: positions that a file of numbers rounds
_REMEDY = "Evaluate both with the same --data, --root, --labels and --limit."

Runs = tuple[Sequence[Scored], Sequence[Scored]]


class Paired(BaseModel):
    """One run less another one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    photos: int
    differences: dict[str, Figure]
    """Of the figures that both have, by the names of `measures`; 95 % intervals by paired bootstrap."""
    gained: int
    """Photos whose point lies in the true country in this run alone."""
    lost: int
    """And in the other run alone."""


def paired(this: Sequence[Scored], other: Sequence[Scored]) -> Paired:
    """Set two runs over the same photos, in whatever order, beside each other.

    Raises:
        InputError: They are not over the same photos with the same labels, or one of them has a photo twice.
    """
    return pooled([(this, other)])


def pooled(runs: Sequence[Runs]) -> Paired:
    """Set several pairs of runs beside each other as one: of all their rows together.

    Rows of one photo in several pairs are drawn together.

    Raises:
        InputError: The two of a pair are not over the same photos.
    """
    ours: list[Scored] = []
    theirs: list[Scored] = []
    for this, other in runs:
        theirs += aligned(this, other)
        ours += this
    one, two = statistics(ours), statistics(theirs)
    both: dict[str, Statistic] = {}
    for name in (name for name in one if name in two):
        both[name] = difference(one[name], two[name])
        if name == MEDIAN_KM:
            both[MEDIAN_CHANGE] = _median_change(ours, theirs)
    here, there = _country_right(ours), _country_right(theirs)
    return Paired(
        photos=len(ours),
        differences=resampled(both, places(ours)),
        gained=int((here & ~there).sum()),
        lost=int((there & ~here).sum()),
    )


def aligned(this: Sequence[Scored], other: Sequence[Scored]) -> list[Scored]:
    """Return the other run's rows in the order of this one's.

    Raises:
        InputError: They are not over the same photos with the same labels, or one of them has a photo twice.
    """
    theirs = _by_photo(other)
    ours = _by_photo(this)
    check_same([row.truth for row in this], [row.truth for row in other])
    return [theirs[photo] for photo in ours]


def check_same(this: Sequence[Truth], other: Sequence[Truth]) -> None:
    """Hold the photos of one run against another's.

    Raises:
        InputError: They differ: in number, in a file's name or content, or in a label.
    """
    theirs = {_photo(truth): truth for truth in other}
    ours = {_photo(truth): truth for truth in this}
    alone = next((truth for photo, truth in ours.items() if photo not in theirs), None)
    alone = alone or next((truth for photo, truth in theirs.items() if photo not in ours), None)
    if alone is not None:
        raise InputError(
            f"a report on the same {len(ours):,} photos to compare with",
            f"one on {len(theirs):,}; the first that the two do not share is {alone.file}",
            _REMEDY,
        )
    for photo, truth in ours.items():
        if not _same_label(truth, theirs[photo]):
            raise InputError("a report on photos with the same labels", f"others for {truth.file}", _REMEDY)


def _same_label(one: Truth, other: Truth) -> bool:
    near = abs(one.lat - other.lat) <= _NEAR_DEG and abs(one.lon - other.lon) <= _NEAR_DEG
    return near and one.country == other.country


def _by_photo(rows: Sequence[Scored]) -> dict[tuple[str, str], Scored]:
    found = {_photo(row.truth): row for row in rows}
    if len(found) < len(rows):
        raise InputError("each photo once in a run", f"{len(rows) - len(found):,} more rows than photos", _REMEDY)
    return found


def _photo(truth: Truth) -> tuple[str, str]:
    return truth.file, truth.sha256


def _country_right(rows: Sequence[Scored]) -> Bools:
    return np.array([row.point_country is not None and row.point_country == row.truth.country for row in rows], bool)


def _median_change(ours: Sequence[Scored], theirs: Sequence[Scored]) -> Statistic:
    """No figure where a median is infinite: nothing is a share of that, not even -100 %."""
    this, other = median(errors_km(ours)), median(errors_km(theirs))

    def value(weights: Floats) -> Floats:
        there = other(weights)
        # An infinite one of ours stays so: no figure either, but in a draw it leaves the interval open above.
        return ratio(this(weights), np.where(np.isfinite(there), there, np.nan)) - 1.0

    return value
