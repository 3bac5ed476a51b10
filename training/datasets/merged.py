"""Several data sets as one, and how often each of their pairs is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Modality, Pictures, Skipped

_SPOT_DECIMALS = 6  # of degrees: 0.1 m


class Weighted(Protocol):
    """What DataConfig says of a data set of the mix."""

    @property
    def weight(self) -> float | None:
        """Of its pairs in an epoch, relative to the other sets; None: as many as it has."""

    @property
    def modality_weights(self) -> Mapping[str, float]:
        """Of a pair by the name of its query's modality; the others weigh 1."""


def merged(sets: Sequence[CrossViewSet], *, name: str | None = None) -> CrossViewSet:
    """Put data sets behind one another.

    Numbers of places are moved, so that sets do not collide. Two sets may still hold a tile of the same spot (photos by
    day and by night, each with its own copy): where the positions of references agree to 0.1 m, their places are made
    one, or a batch could hold a tile as its own negative. Modalities of one name and view are one modality.
    Semi-positive columns are filled up with -1.

    Raises:
        InputError: No sets, or the same reference file in two of them.
    """
    if not sets:
        raise InputError("data sets to merge", "none", "Name at least one.")
    _check_disjoint(sets)
    firsts = np.cumsum([0, *(_places_used(one) for one in sets)])
    references = _joined([one.references for one in sets], firsts)
    number = _one_number_per_spot(references, firsts)
    return CrossViewSet(
        name=name or " + ".join(one.name for one in sets),
        split=" + ".join(dict.fromkeys(one.split for one in sets)),
        queries=_renumbered(_joined([one.queries for one in sets], firsts), number),
        references=_renumbered(references, number),
        semi_positives=_joined_semi_positives(sets),
        skipped=tuple(Skipped(f"{one.name}: {row.path}", row.reason) for one in sets for row in one.skipped),
    )


def drawing_weights(sets: Sequence[CrossViewSet], configs: Sequence[Weighted]) -> NDArray[np.float64]:
    """Return the chance of each pair to take part in an epoch, (q,) in (0, 1], in the order of `merged`.

    The weights of two sets are to one another as their pairs in an epoch, whatever they hold: weights of 1 and 1 draw
    as many pairs of each. Within a set a pair's chance goes with its modality's weight. An epoch uses a pair at most
    once, so chances are scaled until the largest is 1: what is scarcest for its weight is taken whole, and the rest is
    thinned, anew in every epoch.

    Args:
        sets: As given to `merged`.
        configs: One per set. A set without a weight weighs as many as it has pairs, so that sets without weights are
            all taken whole.

    Raises:
        InputError: A modality that a set does not have.
    """
    chances = []
    for one, config in zip(sets, configs, strict=True):
        of_pair = _modality_weights(one, config.modality_weights)[one.queries.modality]
        weight = len(one.queries) if config.weight is None else config.weight
        chances.append(weight * of_pair / max(of_pair.sum(), np.finfo(np.float64).tiny))
    if all(not config.modality_weights and config.weight is None for config in configs):
        return np.ones(sum(map(len, chances)))  # exactly: n x 1 / n may round to just below
    together = np.concatenate(chances)
    return np.asarray(together / together.max(initial=0.0), np.float64)


def _modality_weights(one: CrossViewSet, weights: Mapping[str, float]) -> NDArray[np.float64]:
    names = [modality.name for modality in one.queries.modalities]
    unknown = [name for name in weights if name not in names]
    if unknown:
        found = f'"{unknown[0]}"'
        raise InputError(f"modalities of {one.name} in modality_weights", found, f"Use: {', '.join(names)}.")
    return np.array([weights.get(name, 1.0) for name in names], np.float64)


def _check_disjoint(sets: Sequence[CrossViewSet]) -> None:
    owner: dict[str, str] = {}
    for one in sets:
        twice = next((path for path in one.references.paths if path in owner), None)
        if twice is not None:
            found = f"{twice} in {owner[twice]} and in {one.name} {one.split}"
            raise InputError("data sets without a reference in common", found, "Leave one of the two out.")
        owner.update(dict.fromkeys(one.references.paths, f"{one.name} {one.split}"))


def _places_used(one: CrossViewSet) -> int:
    """Return a number above all places of a set."""
    return int(max(one.queries.places.max(initial=-1), one.references.places.max(initial=-1))) + 1


def _joined(parts: Sequence[Pictures], firsts: NDArray[np.int64]) -> Pictures:
    modalities: dict[Modality, int] = {}
    kinds, places = [], []
    for part, first in zip(parts, firsts, strict=False):  # one `first` more, of what would come next
        number = [modalities.setdefault(one, len(modalities)) for one in part.modalities]
        kinds.append(np.asarray(number, np.int16)[part.modality])
        places.append(np.where(part.places == NO_PLACE, NO_PLACE, part.places + first))
    return Pictures(
        paths=[path for part in parts for path in part.paths],
        modalities=tuple(modalities),
        modality=np.concatenate(kinds),
        places=np.concatenate(places),
        positions=np.concatenate([part.positions for part in parts]),
    )


def _one_number_per_spot(references: Pictures, firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number that each place is to have, (places,): equal where sets have a reference on the same spot."""
    number = np.arange(firsts[-1])
    usable = np.flatnonzero(np.isfinite(references.positions).all(axis=1) & (references.places != NO_PLACE))
    spots = np.round(references.positions[usable], _SPOT_DECIMALS)
    _, spot = np.unique(spots, axis=0, return_inverse=True)
    places = references.places[usable]
    owner = np.searchsorted(firsts, places, side="right")
    first_of: dict[int, int] = {}
    for i in np.flatnonzero(np.bincount(spot)[spot] > 1).tolist():
        other = first_of.setdefault(int(spot[i]), i)
        if owner[other] != owner[i]:
            low, high = sorted((number[places[other]], number[places[i]]))
            number[number == high] = low
    return number


def _renumbered(pictures: Pictures, number: NDArray[np.int64]) -> Pictures:
    places = np.where(pictures.places == NO_PLACE, NO_PLACE, number[pictures.places])
    return replace(pictures, places=places)


def _joined_semi_positives(sets: Sequence[CrossViewSet]) -> NDArray[np.int64] | None:
    width = max(0 if one.semi_positives is None else one.semi_positives.shape[1] for one in sets)
    if not width:
        return None
    rows, before = [], 0
    for one in sets:
        filled = np.full((len(one.queries), width), -1, np.int64)
        if one.semi_positives is not None:
            given = one.semi_positives
            filled[:, : given.shape[1]] = np.where(given < 0, -1, given + before)
        rows.append(filled)
        before += len(one.references)
    return np.concatenate(rows)
