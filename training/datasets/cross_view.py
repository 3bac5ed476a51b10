"""One split of a cross-view data set: queries, references, and which belong together. No picture is decoded here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.gallery.reference import View

NO_PLACE = -1  # of a reference: junk, which counts neither as right nor as wrong


@dataclass(frozen=True, slots=True)
class Modality:
    """A kind of picture."""

    name: str  # what reports and sampling weights call it: "panorama", "drone", "night panorama", ...
    view: View  # which input size the encoder takes


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row of a data set whose picture cannot be had."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Pictures:
    """n pictures as columns: SetVL alone has 480,000."""

    paths: Sequence[str]
    modalities: tuple[Modality, ...]
    modality: NDArray[np.int16]  # (n,) index into `modalities`
    places: NDArray[np.int64]  # (n,) pictures of one place have one number; NO_PLACE is junk
    positions: NDArray[np.float64]  # (n, 2) lat, lon in degrees; NaN where the data set has none

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, eq=False)
class CrossViewSet:
    """Queries and references of one split.

    A reference answers a query when their places are equal. Training pairs are (query, a reference of its place).
    """

    name: str
    split: str
    queries: Pictures
    references: Pictures
    semi_positives: NDArray[np.int64] | None = None  # (queries, s) references that also show it, -1 fills: VIGOR's
    skipped: tuple[Skipped, ...] = ()

    def __repr__(self) -> str:
        return (
            f"{self.name} {self.split}: {len(self.queries):,} queries, {len(self.references):,} references, "
            f"{len(self.skipped):,} skipped"
        )
