"""Approximate search with faiss: it proposes candidates, which the caller compares exactly on the stored vectors."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.exact import nearest, ranked
from geosleuth.indexes.gallery.faiss_file import read_faiss, write_faiss
from geosleuth.indexes.gallery.index_type import list_count, product_parts
from geosleuth.indexes.gallery.manifest import ApproximateFacts, IndexType
from geosleuth.indexes.gallery.selection import Runs, count_of
from geosleuth.indexes.gallery.vectors import Rows, Vectors

logger = logging.getLogger(__name__)

_TRAIN_PER_LIST = 64  # vectors per cell; faiss warns below 39, and k-means gains little from more
_TRAIN_ROUNDS = 10  # faiss's default is 25; the cells' quality is what the measured recall shows
_ADD_ROWS = 65_536
_ENOUGH = 0.97  # recall@10 on its own vectors, which flatter: photos of others are to find .95
_QUERIES = 256  # a recall of .97 is then known to +- .003 (ten neighbours each)
_FEWEST = 100  # candidates of a query: comparing 100 takes 0.1 ms, and product codes order the first ten badly
_OVERFETCH = (10, 30, 100)  # candidates per wanted hit: the next if no number of cells is enough
# The ten nearest of a part lie farther off than the ten nearest of all, and their order is harder to tell. Measured
# with 6 % of 300,000 x 512 left and three near ones in it: recall@10 .61 without these factors, .82 with, at 0.3 and
# 0.9 ms; with 29 near ones in it 1.00 either way.
_WIDER, _DEEPER = 4, 3  # cells, and candidates
_GPU_MOST = 2048  # candidates and cells of a query on a GPU (faiss's own limit); it knows no filter at all
_SAME = 0.001  # a gain in recall below this per doubling of the cells is none


def has_faiss() -> bool:
    """Tell whether faiss is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


@dataclass(frozen=True)
class Trained:
    """An index that was trained before; its cells and codes can be used again."""

    path: Path
    facts: ApproximateFacts


def build_approximate(path: Path, vectors: Vectors, kind: IndexType, before: Trained | None) -> ApproximateFacts:
    """Write a faiss file over all rows, force it to disk, and measure how to search it.

    Args:
        path: Of the new file.
        vectors: (n, d) unit rows, memory-mapped.
        kind: ivf-sq8 or ivf-pq.
        before: Its quantizer is kept while the rows are at most twice those that it was trained on.
    """
    count = len(vectors)
    if before is not None and count <= 2 * before.facts.trained_on:
        index: Any = read_faiss(before.path, mapped=False)
        index.reset()
        trained_on = before.facts.trained_on
    else:
        index, trained_on = _train(vectors, kind), count
    for start in range(0, count, _ADD_ROWS):
        index.add(np.ascontiguousarray(vectors[start : start + _ADD_ROWS]))
    write_faiss(index, path)
    searcher = ApproximateIndex(index, count)
    probe, overfetch, recall = _calibrate(searcher, vectors)
    logger.info("%s: %d of %d cells give recall@10 %.3f", kind, probe, index.nlist, recall)
    return ApproximateFacts(
        lists=index.nlist,
        probe=probe,
        overfetch=overfetch,
        trained_on=trained_on,
        recall_at_10=round(recall, 4),
        recall_queries=min(_QUERIES, count),
    )


def _train(vectors: Vectors, kind: IndexType) -> Any:
    import faiss

    count, dimension = vectors.shape
    lists = list_count(count)
    codes = "SQ8" if kind == "ivf-sq8" else f"PQ{product_parts(dimension)}x4fs"
    index: Any = faiss.index_factory(dimension, f"IVF{lists},{codes}", faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = _TRAIN_ROUNDS
    index.cp.max_points_per_centroid = _TRAIN_PER_LIST
    if faiss.get_num_gpus():
        index.clustering_index = faiss.index_cpu_to_all_gpus(faiss.IndexFlatIP(dimension))
    # fixed seed: the same vectors are to give the same bytes
    size = min(count, max(_TRAIN_PER_LIST * lists, 4096))
    sample = np.random.default_rng(0).choice(count, size=size, replace=False, shuffle=False)
    index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
    index.clustering_index = None
    return index


class ApproximateIndex:
    """A faiss IVF index whose ids are row numbers."""

    def __init__(self, index: Any, count: int) -> None:
        self._index = index
        self._count = count
        self._on_gpu: Any = None
        self._bitmaps: deque[tuple[Runs, NDArray[np.uint8]]] = deque(maxlen=4)

    @classmethod
    def open(cls, path: Path) -> ApproximateIndex:
        """Read a file that was checked; byte codes stay on disk, memory-mapped, or go to the GPU where there is one.

        Raises:
            InputError: faiss is missing.
            ValueError: The file is no build's.
        """
        try:
            import faiss
        except ImportError as error:
            remedy = "Install it: pip install 'geosleuth[index]', or 'geosleuth[gpu]'."
            raise InputError("faiss, by which this index is searched", "none", remedy) from error
        index: Any = read_faiss(path, mapped=True)
        found = cls(index, index.ntotal)
        if faiss.get_num_gpus() and isinstance(index, faiss.IndexIVFScalarQuantizer):
            found._on_gpu = faiss.index_cpu_to_all_gpus(index)  # product codes of 4 bits have no GPU form in faiss
        return found

    def __len__(self) -> int:
        """Number of rows."""
        return self._count

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def lists(self) -> int:
        """Number of cells."""
        return int(self._index.nlist)

    @property
    def on_gpu(self) -> bool:
        """Tell whether searches of everything run on a GPU."""
        return self._on_gpu is not None

    def propose(self, queries: Vectors, fetch: int, probe: int, runs: Runs | None = None) -> list[Rows]:
        """Propose rows for each query, in no order; of the runs only, if given.

        The fewer rows the runs leave, the more cells are looked into, so that more rows are compared, not fewer.
        """
        import faiss

        parameters: Any = faiss.SearchParametersIVF()
        parameters.nprobe = min(probe, self._index.nlist)
        if runs is not None:
            bitmap = self._bitmap(runs)
            parameters.sel = faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
            parameters.nprobe = min(_WIDER * probe * self._count // max(1, count_of(runs)), self._index.nlist)
            fetch *= _DEEPER
        fetch = min(fetch, self._count)  # a manifest from elsewhere may ask for any number
        gpu = self._on_gpu is not None and runs is None and max(fetch, parameters.nprobe) <= _GPU_MOST
        _, rows = (self._on_gpu if gpu else self._index).search(queries, fetch, params=parameters)
        return [found[(found >= 0) & (found < self._count)] for found in rows]  # the file may name any row

    def _bitmap(self, runs: Runs) -> NDArray[np.uint8]:
        for known, bitmap in list(self._bitmaps):
            if known is runs:
                return bitmap
        inside = np.zeros(self._count, dtype=bool)
        for start, stop in runs.tolist():
            inside[start:stop] = True
        bitmap = np.packbits(inside, bitorder="little")
        self._bitmaps.append((runs, bitmap))
        return bitmap


def candidates(facts: ApproximateFacts, k: int) -> int:
    """Number of candidates to propose for k hits."""
    return max(_FEWEST, facts.overfetch * k)


def _calibrate(index: ApproximateIndex, vectors: Vectors) -> tuple[int, int, float]:
    """Find the fewest cells that find enough of the exact neighbours; return (probe, overfetch, recall)."""
    count = len(vectors)
    sample = np.sort(np.random.default_rng(1).choice(count, size=min(_QUERIES, count), replace=False))
    queries = np.ascontiguousarray(vectors[sample])
    truth = nearest(vectors, queries, 11, np.array([[0, count]]))
    wanted = [set(rows[rows != own][:10].tolist()) for (rows, _), own in zip(truth, sample, strict=True)]
    best = (1, _OVERFETCH[0], -1.0)
    for overfetch, probe, recall in _ladder(index, vectors, queries, sample, wanted):
        if recall > best[2] + _SAME:
            best = (probe, overfetch, recall)
        if recall >= _ENOUGH:
            break
    return best


def _ladder(
    index: ApproximateIndex, vectors: Vectors, queries: Vectors, sample: Rows, wanted: list[set[int]]
) -> Iterator[tuple[int, int, float]]:
    """Try more and more cells, then more candidates; yields (overfetch, probe, recall)."""
    for overfetch in _OVERFETCH:
        probe, before = 4, -1.0
        while True:
            rows = index.propose(queries, max(_FEWEST, 11 * overfetch), probe)
            recall = _recall(vectors, queries, sample, wanted, rows)
            yield overfetch, probe, recall
            if recall - before < _SAME or probe >= index.lists:
                break
            probe, before = probe * 2, recall


def _recall(vectors: Vectors, queries: Vectors, sample: Rows, wanted: list[set[int]], rows: list[Rows]) -> float:
    found = 0
    for query, own, truth, proposed in zip(queries, sample, wanted, rows, strict=True):
        kept, _ = ranked(vectors, query, proposed[proposed != own], 10)
        found += len(truth & set(kept.tolist()))
    return found / sum(len(truth) for truth in wanted)
