"""Vectors on disk: mapped into memory, and gathered from many files into one."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import damaged

Vectors = NDArray[np.float32]  # (n, d) unit rows
Rows = NDArray[np.int64]  # numbers of rows
Chunk = tuple[int, Path | Vectors]  # number of rows, and an .npy file of them or the rows themselves

_BLOCK_BYTES = 512 << 20  # gathered in memory before it is written
_LENGTH_TOLERANCE = 1e-3  # of a unit vector: half precision rounds its components to 1 in 2,048
_OPEN_CHUNKS = 16_384  # files mapped at once; Linux allows 65,530


def map_vectors(path: Path, *, scattered: bool = False) -> Vectors:
    """Map a file of vectors into memory; nothing in it is executed.

    Args:
        path: An .npy file.
        scattered: Single rows will be asked for: the system then reads only their pages. For each row it would read
            128 KB ahead, and where memory is short drive out what other queries need.

    Raises:
        InputError: It is no such file.
    """
    try:
        mapped: Any = np.lib.format.open_memmap(path, mode="r")  # no pickles, and no archives
    except (ValueError, EOFError) as error:
        raise damaged(path, f"it holds no vectors ({error})") from error
    if scattered and hasattr(mmap, "MADV_RANDOM"):  # Windows has no such advice
        mapped._mmap.madvise(mmap.MADV_RANDOM)
    return np.asarray(mapped)  # a plain view of the map: slicing numpy's own class takes 40 times as long


def write_vectors(path: Path, chunks: Sequence[Chunk], order: NDArray[np.int64], dimension: int) -> None:
    """Write the rows of all chunks in an order, and force them to disk; `order` numbers the rows over all chunks.

    A block at a time is gathered, chunk by chunk, so that memory stays bounded.

    Raises:
        InputError: A vector is not finite and of unit length.
    """
    gather = _Gather(chunks, dimension)
    step = max(1, _BLOCK_BYTES // (4 * dimension))
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (len(order), dimension)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(order), step):
            block = gather.rows(order[start : start + step])
            check_unit(block, start)
            file.write(block.data)
        file.flush()
        os.fsync(file.fileno())


class _Gather:
    """Vectors of rows that lie in many files."""

    def __init__(self, chunks: Sequence[Chunk], dimension: int) -> None:
        self._dimension = dimension
        self._starts = np.array(list(accumulate((count for count, _ in chunks), initial=0)))
        self._chunk = lru_cache(maxsize=_OPEN_CHUNKS)(lambda number: self._load(*chunks[number]))

    def _load(self, count: int, source: Path | Vectors) -> Vectors:
        vectors = map_vectors(source) if isinstance(source, Path) else source
        if vectors.shape != (count, self._dimension) or vectors.dtype != np.float32:
            found = f"{vectors.dtype} of shape {vectors.shape}" + (f" in {source}" if isinstance(source, Path) else "")
            raise InputError(f"float32 vectors of shape {(count, self._dimension)}", found, "Encode the chunk again.")
        return vectors

    def rows(self, wanted: NDArray[np.int64]) -> Vectors:
        """Gather rows by their number over all chunks."""
        block = np.empty((len(wanted), self._dimension), dtype="<f4")
        by_file = np.argsort(wanted, kind="stable")  # reads each file once, from its beginning on
        ends = np.searchsorted(wanted[by_file], self._starts)
        for number in np.flatnonzero(np.diff(ends)):
            at = by_file[ends[number] : ends[number + 1]]
            block[at] = self._chunk(int(number))[wanted[at] - self._starts[number]]
        return block


def check_unit(block: Vectors, start: int) -> None:
    """Check that the rows of a block, which begins at row `start`, are finite and of unit length.

    Raises:
        InputError: One is not.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", block, block))
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE))  # true for NaN as well
    if len(wrong):
        found = f"one of length {lengths[wrong[0]]:.4g} at row {start + int(wrong[0])}"
        raise InputError("unit vectors", found, "The encoder must normalise, and its image must be no flat colour.")
