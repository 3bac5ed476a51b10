"""Batches of pairs whose places are hard to tell apart: dynamic similarity sampling (Sample4Geo, GLEAM)."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError

Ints = NDArray[np.int64]


def batches(
    places: Ints,
    neighbours: NDArray[np.int32] | None,
    *,
    batch_size: int,
    select: int,
    seed: int,
    epoch: int,
    weights: NDArray[np.float64] | None = None,
) -> Ints:
    """Put the pairs of an epoch into batches.

    Pairs are shuffled. The first one whose place is not in the batch joins it; with it come pairs of its neighbours,
    the nearest half of select (the larger one, where it is odd) and the other half of the others by chance, and so on
    until the batch is full. No place is twice in a batch (it would be a false negative) and no pair twice in an epoch;
    a pair that does not fit waits for the next batch; an incomplete last batch is dropped. The same for the same seed
    and epoch, in every process.

    As in Sample4Geo (sample4geo/dataset/vigor.py, `shuffle`), only a pair's own place is kept out of its batch: other
    places that show it too, VIGOR's semi-positives, may come, and count as negatives.

    Args:
        places: (q,) the place of each query, from 0 and dense.
        neighbours: (q, n) places most like each query's, the nearest first; -1 fills. None: batches by chance.
        batch_size: Pairs, over all processes.
        select: Neighbours that come with a pair, at most n.
        seed: Of the run.
        epoch: From 0.
        weights: (q,) share of the epochs, in (0, 1], in which a pair takes part; None: all in all.

    Returns:
        (b, batch_size) queries; `of_rank` gives each process its part.

    Raises:
        InputError: There are fewer places than a batch takes.
    """
    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(_taking_part(len(places), weights, seed, epoch))
    found = len(np.unique(places[order]))
    if found < batch_size:
        raise InputError(
            f"at least {batch_size:,} different places, as many as batch_size",
            f"{found:,} in epoch {epoch}",
            "Choose a smaller batch_size or larger weights, or add data: a place is never twice in a batch.",
        )
    pool = _Pool(order, places, batch_size)
    if neighbours is None:
        full = [pool.take(position) for position in pool.seeds()]
    else:
        full = _with_neighbours(pool, order, neighbours, select, rng)
    whole = len(full) // batch_size * batch_size
    return order[np.array(full[:whole], np.int64)].reshape(-1, batch_size)


def of_rank(batch: Ints, rank: int, world_size: int) -> Ints:
    """Return a process's contiguous part of a batch (n,), or of each batch (b, n)."""
    size = batch.shape[-1] // world_size
    return batch[..., rank * size : (rank + 1) * size]


def _taking_part(count: int, weights: NDArray[np.float64] | None, seed: int, epoch: int) -> Ints:
    """Return the pairs of this epoch.

    Each pair's sum of weights, from a random start, passes a whole number: after E epochs it has taken part in E x
    weight of them, to within 1. Independent draws would be off by sqrt(E x weight) and never show some pairs at all.
    """
    if weights is None:
        return np.arange(count)
    if not ((weights > 0) & (weights <= 1)).all():
        raise ValueError("weights are in (0, 1]")
    start = np.random.default_rng(seed).random(count)
    return np.flatnonzero(np.floor(start + (epoch + 1) * weights) > np.floor(start + epoch * weights))


def _with_neighbours(
    pool: _Pool, order: Ints, neighbours: NDArray[np.int32], select: int, rng: np.random.Generator
) -> list[int]:
    full: list[int] = []
    nearest = (select + 1) // 2
    others = neighbours.shape[1] - nearest
    for position in pool.seeds():
        full.append(pool.take(position))
        row = neighbours[order[position]]
        by_chance = nearest + rng.permutation(others)[: select // 2]
        for place in (*row[:nearest].tolist(), *row[by_chance].tolist()):
            if pool.is_full:
                break
            if pool.has(place):
                full.append(pool.take(pool.next_of(place)))
    return full


class _Pool:
    """The pairs of an epoch that are left, by position in the shuffled order, and the batch that is being filled.

    A place's pairs are taken in shuffled order, so that one counter per place tells which are left. The heap has each
    place that is left by its next pair: taking the first whose place is not in the batch costs log(places), where a
    walk over all waiting pairs would repeat for each batch. Positions and counters are Python lists: single items of
    arrays are several times slower to read.
    """

    def __init__(self, order: Ints, places: Ints, batch_size: int) -> None:
        ordered = places[order]
        self._place_of: list[int] = ordered.tolist()
        self._by_place: list[int] = np.argsort(ordered, kind="stable").tolist()  # positions, grouped by place
        ends = np.cumsum(np.bincount(ordered))
        self._end: list[int] = ends.tolist()
        self._next: list[int] = np.concatenate(([0], ends[:-1])).tolist()
        self._batch_size = batch_size
        self._batch = 0  # number of the current one
        self._in_batch = [-1] * len(ends)  # the last batch that has a pair of the place
        self._count = 0  # pairs in the current one

    @property
    def is_full(self) -> bool:
        return self._count == self._batch_size

    def has(self, place: int) -> bool:
        """Tell whether a pair of this place can join the batch; -1, and places without pairs, have none."""
        return (
            0 <= place < len(self._next)
            and self._next[place] < self._end[place]
            and self._in_batch[place] != self._batch
        )

    def next_of(self, place: int) -> int:
        return self._by_place[self._next[place]]

    def take(self, position: int) -> int:
        """Move the next pair of its place into the batch; return it."""
        place = self._place_of[position]
        self._next[place] += 1
        self._in_batch[place] = self._batch
        self._count += 1
        return position

    def seeds(self) -> Iterator[int]:
        """Yield the first pair that can join the batch, until none can complete it; a full batch makes way."""
        starts, ends = self._next, self._end
        heap = sorted(self.next_of(place) for place in range(len(starts)) if starts[place] < ends[place])
        waiting: list[int] = []  # places that are in the batch
        while True:
            if self.is_full:
                self._batch, self._count = self._batch + 1, 0
                for place in waiting:
                    if self._next[place] < self._end[place]:
                        heappush(heap, self.next_of(place))
                waiting = []
            if not heap:
                return
            position = heappop(heap)
            place = self._place_of[position]
            if self._in_batch[place] == self._batch:
                waiting.append(place)
            elif self.has(place):
                following = self.next_of(place)
                if following == position:
                    waiting.append(place)
                    yield position
                else:  # it was taken as a neighbour since
                    heappush(heap, following)
