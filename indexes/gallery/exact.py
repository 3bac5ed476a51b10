"""Exact search: matrix products over runs of the memory-mapped rows, without copying the gallery."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.gallery.selection import Runs, rows_of
from geosleuth.indexes.gallery.vectors import Rows, Vectors

# Measured at 512 dimensions on two cores: slices are as fast as one product from 32 rows up; gathering is fastest
# while the copy (1 MB) stays in the cache; 4 MB of scores stay there too.
_SLICE_ROWS = 32
_GATHER_BYTES = 1 << 20
_SCORES = 1 << 20
_MOST_ROWS = 16_384
_QUERIES = 256  # compared together, so that a gallery larger than memory is read once
_MARGIN = 16  # more than wanted are kept: float32 products of equal vectors may differ in the last bit by their block


def nearest(vectors: Vectors, queries: Vectors, k: int, runs: Runs) -> list[tuple[Rows, NDArray[np.float32]]]:
    """Find the k rows of highest cosine similarity in some runs, for each query (q, d) of unit length.

    Returns:
        For each query (rows, similarities), the most similar first, equal ones in the order of the rows.
    """
    found: list[tuple[Rows, NDArray[np.float32]]] = []
    for start in range(0, len(queries), _QUERIES):
        some = queries[start : start + _QUERIES]
        best = _Best(len(some), k + _MARGIN)
        _score(vectors, some, runs, best)
        found += [ranked(vectors, query, rows[rows >= 0], k) for query, rows in zip(some, best.rows, strict=True)]
    return found


def ranked(vectors: Vectors, query: NDArray[np.float32], rows: Rows, k: int) -> tuple[Rows, NDArray[np.float32]]:
    """Order candidate rows by their exact similarity and keep k.

    Sums are in float64 and row by row, so that a similarity does not depend on how the candidate was found.
    """
    rows = np.sort(rows)  # from the disk in one direction
    products = np.einsum("nd,d->n", vectors[rows].astype(np.float64), query.astype(np.float64))
    similarities = products.astype(np.float32)
    order = np.lexsort((rows, -similarities))[:k]
    return rows[order], similarities[order]


class _Best:
    """The best rows so far of each query, sorted; row -1 where there are fewer."""

    def __init__(self, queries: int, k: int) -> None:
        self.scores = np.full((queries, k), -np.inf, dtype=np.float32)
        self.rows = np.full((queries, k), -1, dtype=np.int64)

    def add(self, scores: Vectors, rows: Rows) -> None:
        """Merge in the scores (m, queries) of m rows."""
        queries, k = self.rows.shape
        floor = self.scores[:, -1]
        if (
            len(rows) > 8 * k and np.isinf(floor).any()
        ):  # nothing yet: k of 4 k parts reach the k-th best of their bests
            parts = np.linspace(0, len(rows), 4 * k, endpoint=False).astype(np.int64)
            bests = np.maximum.reduceat(scores, parts, axis=0)
            floor = np.maximum(floor, np.partition(bests, -k, axis=0)[-k])
        row, query = np.nonzero(scores >= floor)
        if not len(row):
            return
        all_queries = np.concatenate([np.repeat(np.arange(queries), k), query])
        all_scores = np.concatenate([self.scores.ravel(), scores[row, query]])
        all_rows = np.concatenate([self.rows.ravel(), rows[row]])
        order = np.lexsort((all_rows, -all_scores, all_queries))
        first = np.searchsorted(all_queries[order], np.arange(queries))
        kept = order[first[:, None] + np.arange(k)]
        self.scores, self.rows = all_scores[kept], all_rows[kept]


def _score(vectors: Vectors, queries: Vectors, runs: Runs, best: _Best) -> None:
    """Compare the queries with all rows of the runs; scores are merged when a buffer of them is full."""
    most = min(_MOST_ROWS, _SCORES // len(queries))
    scores = np.empty((most, len(queries)), dtype=np.float32)
    rows = np.empty(most, dtype=np.int64)
    columns = np.ascontiguousarray(queries.T)
    filled = 0
    for number, block in _blocks(vectors, runs, most):
        if filled + len(block) > most:
            best.add(scores[:filled], rows[:filled])
            filled = 0
        end = filled + len(block)
        np.matmul(block, columns, out=scores[filled:end])
        rows[filled:end] = number
        filled = end
    best.add(scores[:filled], rows[:filled])


def _blocks(vectors: Vectors, runs: Runs, most: int) -> Iterator[tuple[Rows, Vectors]]:
    """Row numbers and vectors, at most so many at once: slices of longer runs, then gathered short ones."""
    lengths = runs[:, 1] - runs[:, 0]
    for start, stop in runs[lengths >= _SLICE_ROWS].tolist():
        for first in range(start, stop, most):
            last = min(first + most, stop)
            yield np.arange(first, last), vectors[first:last]
    scattered = rows_of(runs[lengths < _SLICE_ROWS])
    step = max(1, min(most, _GATHER_BYTES // (4 * vectors.shape[1])))
    for first in range(0, len(scattered), step):
        some = scattered[first : first + step]
        yield some, vectors[some]
