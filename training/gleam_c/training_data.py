"""The data sets of a run as one: pairs, places in dense numbers, how often each pair is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import said
from geosleuth.training.datasets.cross_view import CrossViewSet, Pictures
from geosleuth.training.datasets.merged import drawing_weights, merged
from geosleuth.training.datasets.open import open_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosleuth.training.gleam_c.config import DataConfig


@dataclass(frozen=True, eq=False)
class TrainingData:
    """q pairs over p places. A place is trained by its first reference."""

    pairs: CrossViewSet
    places: NDArray[np.int64]  # (q,) of the queries, 0 to p - 1
    references: NDArray[np.int64]  # (p,) the reference of each place
    weights: NDArray[np.float64] | None  # (q,) share of epochs in which a pair takes part; None: all
    said: tuple[str, ...] = ()  # of each set: what was read, what was skipped and why, how much of it an epoch takes

    @property
    def positions(self) -> NDArray[np.float64]:
        """Where the places are, (p, 2) lat, lon in degrees."""
        return self.pairs.references.positions[self.references]

    @property
    def tiles(self) -> Pictures:
        """The p references that are trained on."""
        return rows(self.pairs.references, self.references)


def open_training_data(configs: Sequence[DataConfig]) -> TrainingData:
    """Open the data sets of a run, and put them together.

    Raises:
        InputError: A data set is not there, or none of its queries has a reference.
    """
    sets = [open_set(one.set, one.root, one.split) for one in configs]
    whole = merged(sets)
    known, first = np.unique(whole.references.places, return_index=True)
    usable = np.isin(whole.queries.places, known[known >= 0])
    if not usable.any():
        found = f"{len(whole.queries):,} queries and {len(whole.references):,} references, no two of one place"
        raise InputError(f"pairs to train on in {whole.name}", found, "Check the root and the split.")
    # Only places that some query shows: a tile without a query cannot be a pair, and DSS looks for pairs.
    used, places = np.unique(whole.queries.places[usable], return_inverse=True)
    weights = drawing_weights(sets, configs)
    thinned = weights[usable] if (weights[usable] < 1).any() else None
    pairs = CrossViewSet(
        whole.name, whole.split, rows(whole.queries, np.flatnonzero(usable)), whole.references, None, whole.skipped
    )
    references = first[np.searchsorted(known, used)]
    lines = _lines(sets, configs, weights, usable)
    return TrainingData(pairs, places.astype(np.int64), references.astype(np.int64), thinned, lines)


def _lines(
    sets: Sequence[CrossViewSet],
    configs: Sequence[DataConfig],
    weights: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> tuple[str, ...]:
    """Say what each set gives; `weights` and `usable` are (all queries,), one set behind another."""
    lines, first = [], 0
    for one, config in zip(sets, configs, strict=True):
        own = slice(first, first + len(one.queries))
        first = own.stop
        pairs, drawn = int(usable[own].sum()), weights[own][usable[own]].sum()
        weight = "no weight" if config.weight is None else f"weight {config.weight:g}"
        lines.append(f"{said(one)}; {weight}: about {drawn:,.0f} of {pairs:,} pairs an epoch")
    return tuple(lines)


def rows(pictures: Pictures, chosen: NDArray[np.int64]) -> Pictures:
    """Return some of the pictures."""
    return Pictures(
        [pictures.paths[i] for i in chosen.tolist()],
        pictures.modalities,
        pictures.modality[chosen],
        pictures.places[chosen],
        pictures.positions[chosen],
    )
