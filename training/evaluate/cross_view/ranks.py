"""Where the true reference stands in the ranking of each query.

The rank is the number of references strictly more similar than the best true one, as VIGOR's and Sample4Geo's
evaluations count it. Strictness flatters an encoder that maps everything to one vector, so ties are counted beside it.
A query whose true reference is not in the gallery counts as not found, never as left out: University-1652's evaluation
divides by all queries, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geosleuth.indexes.encoders.encoder import Vectors
from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import NO_PLACE

NOT_FOUND = np.iinfo(np.int64).max  # a rank that is below no k
NEAREST = 5  # references kept per query, for people to look at
# Similarities this near are equal: float32 products of the same two unit vectors differ with the shape of the block in
# which they are computed, by up to 5e-7 (measured for 64 to 1536 numbers and blocks of 1 to 64 queries).
_EQUAL = np.float32(1e-6)
_SCORES = 1 << 24  # similarities in memory at once, 64 MB
_BLOCK = 256  # references whose best is looked at first

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranks:
    """A row per query; what is said of a query without a true reference is `NOT_FOUND`, -1, 0 or NaN."""

    ranks: Ints  # (q,) references strictly more similar than the best true one, or NOT_FOUND
    hit_ranks: Ints | None  # (q,) the same without the semi-positives; None where the data set has none
    tied: Ints  # (q,) wrong references exactly as similar as the best true one
    average_precision: NDArray[np.float64]  # (q,) by trapezoid; 0 for a query without a true reference
    true: Ints  # (q,) row of the best true reference, or -1
    true_count: Ints  # (q,) true references that were searched
    true_similarity: NDArray[np.float32]  # (q,) or NaN
    nearest: Ints  # (q, k) rows of the most similar references, the best first; -1 where fewer were searched
    nearest_similarity: NDArray[np.float32]  # (q, k) or NaN
    searched: int  # references that are not junk

    @property
    def found(self) -> NDArray[np.bool_]:
        """(q,) whether a true reference was searched at all."""
        return np.asarray(self.true_count > 0)


@dataclass(frozen=True, eq=False)
class _Truth:
    """The true references of every query, without a table of queries x references."""

    order: Ints  # rows of references, sorted by place
    start: Ints  # (q,) into `order`
    count: Ints  # (q,)

    @classmethod
    def of(cls, query_places: Ints, reference_places: Ints) -> _Truth:
        order = np.argsort(reference_places, kind="stable")
        in_order = reference_places[order]
        start = np.searchsorted(in_order, query_places, side="left")
        count = np.searchsorted(in_order, query_places, side="right") - start
        return cls(order, start, np.where(query_places == NO_PLACE, 0, count))

    def rows(self, query: int) -> Ints:
        return self.order[self.start[query] : self.start[query] + self.count[query]]


def true_ranks(
    queries: Vectors,
    query_places: ArrayLike,
    references: Vectors,
    reference_places: ArrayLike,
    *,
    semi_positives: ArrayLike | None = None,
    nearest: int = NEAREST,
    chunk: int | None = None,
) -> Ranks:
    """Rank the references for each query by inner product.

    Beside the vectors, two blocks of chunk x references similarities are in memory, whatever the number of queries.

    Args:
        queries: (q, d) unit vectors; q may be 0.
        query_places: (q,) a query of NO_PLACE has no true reference.
        references: (r, d).
        reference_places: (r,) those of NO_PLACE are junk: as if they were not there.
        semi_positives: (q, s) rows of references that show the place off its middle, filled up with -1.
        nearest: How many references to keep per query.
        chunk: Queries at once; by default as many as 64 MB of similarities allow.

    Raises:
        InputError: A vector is not finite, or there is no reference but junk.
    """
    q_places, r_places = (np.asarray(places, dtype=np.int64) for places in (query_places, reference_places))
    semi = None if semi_positives is None else np.asarray(semi_positives, dtype=np.int64)
    _check(queries, q_places, references, r_places, semi)
    junk = r_places == NO_PLACE
    truth = _Truth.of(q_places, r_places)
    chunk = chunk or max(1, _SCORES // len(references))
    found = _nothing_found(truth.count, min(nearest, len(references)), semi is not None, int((~junk).sum()))
    for start in range(0, len(queries), chunk):
        scores = np.asarray(queries[start : start + chunk] @ references.T, dtype=np.float32)
        scores[:, junk] = -np.inf
        for query, line in enumerate(scores, start):
            _top(line, found.nearest[query], found.nearest_similarity[query])
            if truth.count[query]:
                _rank(found, query, line, truth.rows(query), None if semi is None else semi[query])
    return found


def _nothing_found(true_count: Ints, nearest: int, has_semi: bool, searched: int) -> Ranks:
    count = len(true_count)
    return Ranks(
        ranks=np.full(count, NOT_FOUND),
        hit_ranks=np.full(count, NOT_FOUND) if has_semi else None,
        tied=np.zeros(count, np.int64),
        average_precision=np.zeros(count),
        true=np.full(count, -1),
        true_count=true_count,
        true_similarity=np.full(count, np.nan, np.float32),
        nearest=np.full((count, nearest), -1),
        nearest_similarity=np.full((count, nearest), np.nan, np.float32),
        searched=searched,
    )


def _rank(found: Ranks, query: int, line: NDArray[np.float32], true: Ints, semi: Ints | None) -> None:
    """Fill in a query's row of `found`; `line` (r,) holds its similarities, junk at -inf, and `true` is not empty."""
    own = line[true]
    best = own.max()
    above, equal = best + _EQUAL, best - _EQUAL
    rank = np.count_nonzero(line > above)
    found.ranks[query] = rank
    found.tied[query] = np.count_nonzero(line >= equal) - rank - np.count_nonzero(own >= equal)
    found.true[query] = true[own.argmax()]
    found.true_similarity[query] = best
    if found.hit_ranks is not None and semi is not None:
        found.hit_ranks[query] = rank - np.count_nonzero(line[semi[semi >= 0]] > above)
    if len(own) == 1:  # most data sets; without sorting the line
        found.average_precision[query] = trapezoid_precision([rank])
        return
    rising, bounds = np.sort(own), np.sort(own)[::-1] + _EQUAL
    before = len(line) - np.searchsorted(np.sort(line), bounds, side="right")
    true_before = len(own) - np.searchsorted(rising, bounds, side="right")
    found.average_precision[query] = trapezoid_precision(before - true_before + np.arange(len(own)))


def trapezoid_precision(positions: ArrayLike) -> float:
    """Area under the precision-recall line, as University-1652's evaluation has it (compute_mAP of evaluate_gpu.py).

    Each true reference adds 1 / m of recall, at the mean of the precision with it and just before it; before the first
    place of the ranking the precision is 1. One true reference on rank p > 0 gives 1 / (2 (p + 1)), not 1 / (p + 1).

    Args:
        positions: (m,) places from 0, rising, of the m true references among those that are no junk.
    """
    at = np.asarray(positions, dtype=np.float64)
    number = np.arange(len(at))
    before = np.divide(number, at, out=np.ones_like(at), where=at > 0)
    return float(np.mean((before + (number + 1) / (at + 1)) / 2))


def _top(line: NDArray[np.float32], rows: Ints, similarities: NDArray[np.float32]) -> None:
    """Fill in the most similar of a line (r,), the best first, equal ones by their number; junk at -inf is left out."""
    k, blocks = len(rows), len(line) // _BLOCK
    if not k:
        return
    some = np.arange(len(line))
    if blocks >= k:  # no fewer than k are at least the k-th of the blocks' maxima: 30 times as fast as `argpartition`
        maxima = line[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
        some = np.flatnonzero(line >= np.partition(maxima, blocks - k)[blocks - k])
    some = some[np.isfinite(line[some])]
    some = some[np.argsort(-line[some], kind="stable")][:k]
    rows[: len(some)], similarities[: len(some)] = some, line[some]


def squared_lengths(vectors: Vectors) -> NDArray[np.float32]:
    """Return those of the rows (n, d), without a second array of that size."""
    return np.asarray(np.einsum("nd,nd->n", vectors, vectors))


def _check(queries: Vectors, q_places: Ints, references: Vectors, r_places: Ints, semi: Ints | None) -> None:
    for name, vectors, places in (("query", queries, q_places), ("reference", references, r_places)):
        if vectors.ndim != 2 or len(vectors) != len(places):
            raise ValueError(f"{name} vectors {vectors.shape} for {len(places)} places")
        finite = np.isfinite(squared_lengths(vectors))
        if not finite.all():
            bad = np.flatnonzero(~finite)
            raise InputError(
                "embeddings of finite numbers",
                f"NaN or infinity in {len(bad):,} of {len(vectors):,} {name} vectors, the first in row {bad[0]}",
                "The weights are damaged or training diverged: go back to an earlier checkpoint.",
            )
    if semi is not None and (semi.ndim != 2 or len(semi) != len(queries) or semi.max(initial=-1) >= len(references)):
        raise ValueError(f"semi-positives {semi.shape} for {len(queries)} queries and {len(references)} references")
    if not (r_places != NO_PLACE).any():
        found = f"{len(references):,} references, all of them junk or unreadable" if len(references) else "none"
        raise InputError("references to search", found, "Check the root and the split of the data set.")
