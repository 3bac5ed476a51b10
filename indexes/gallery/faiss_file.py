"""Files of faiss, written so that a full disk is told, and read so that one from a stranger can do no harm.

faiss reads many kinds of index; among them are some whose vectors lie in another file, which is named in the first, and
sizes in a file are taken at their word. What a build writes is of two kinds, and all else is refused.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_MOST_LISTS = 1 << 20  # cells of an index; a build makes 4,096 at most, faiss's guide for a billion vectors a million
# faiss counts a table of product codes that it may make in memory, which can be longer than a small file: of 4,096
# cells and 256 parts, at 16 floats each, it has 64 MB.
_LEAST_BYTES = 1 << 26
# faiss's limits are its own, for all threads: two that change them at once would leave them changed.
_LIMITS = threading.Lock()


def write_faiss(index: Any, path: Path) -> None:
    """Write an index of one of the two kinds and force it to the disk.

    Raises:
        OSError: The disk is full.
    """
    import faiss

    try:
        faiss.write_index(index, str(path))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        read_faiss(path, mapped=True)  # that the last few kilobytes did not fit is printed by faiss, and not raised
    except RuntimeError as error:  # faiss's own for everything
        told = (code for code in (errno.EDQUOT, errno.EFBIG) if os.strerror(code) in str(error))
        code = next(told, errno.ENOSPC)
        raise OSError(code, os.strerror(code), str(path)) from error


def read_faiss(path: Path, *, mapped: bool) -> Any:
    """Read an index of one of the two kinds that are written here; nothing but this file is opened.

    Args:
        path: Its checksum was compared.
        mapped: Byte codes stay on the disk, where the system can map them.

    Raises:
        ValueError: It is of another kind, or its parts do not fit together; faiss raises its own as RuntimeError.
    """
    import faiss

    can_map = sys.platform != "win32"
    with _sizes_up_to(path.stat().st_size):
        # Read so, lists that claim to be elsewhere are not looked up: what they claim is seen before that is opened.
        index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP if can_map else 0)
        check_kind(index)
        return index if mapped or not can_map else faiss.read_index(str(path))


def check_kind(index: Any) -> None:
    """Check that an index is of a kind that is written here, and that its tables are as long as searches take them.

    Raises:
        ValueError: It is not.
    """
    import faiss

    kind = type(index).__name__
    if kind not in ("IndexIVFScalarQuantizer", "IndexIVFPQFastScan"):
        raise ValueError(f"it holds a {kind}, which no build writes")
    d, centres = index.d, faiss.downcast_index(index.quantizer)
    if type(centres).__name__ != "IndexFlatIP" or (centres.d, centres.ntotal) != (d, index.nlist):
        raise ValueError("its cells are not those of a build")
    lists = faiss.downcast_InvertedLists(index.invlists)
    if kind == "IndexIVFScalarQuantizer":
        codes, is_byte = index.sq, index.sq.qtype == faiss.ScalarQuantizer.QT_8bit
        fits = is_byte and (codes.d, codes.trained.size(), index.code_size, lists.code_size) == (d, 2 * d, d, d)
    else:
        codes = index.pq
        fits = (codes.d, codes.nbits, codes.M * codes.dsub, codes.centroids.size()) == (d, 4, d, 16 * d)
    if not fits or lists.nlist != index.nlist:
        raise ValueError("its codes are not those of a build")
    # A map of this very file has no name; one of another file has no address either, as it was not looked up.
    if getattr(lists, "filename", "") or getattr(lists, "ptr", lists) is None:
        raise ValueError("its lists lie in another file, which it names")


@contextlib.contextmanager
def _sizes_up_to(size: int) -> Iterator[None]:
    """Let faiss believe no vector to be much longer than the file; as of a global of faiss, for this moment alone."""
    import faiss

    if not hasattr(faiss, "set_deserialization_loop_limit"):  # before 1.15; the newest for GPUs, 1.14, is
        _warn_of_unchecked_sizes()
        yield
        return
    with _LIMITS:
        before = faiss.get_deserialization_vector_byte_limit(), faiss.get_deserialization_loop_limit()
        faiss.set_deserialization_vector_byte_limit(max(size, _LEAST_BYTES))
        faiss.set_deserialization_loop_limit(_MOST_LISTS)
        try:
            yield
        finally:
            faiss.set_deserialization_vector_byte_limit(before[0])
            faiss.set_deserialization_loop_limit(before[1])


@functools.cache
def _warn_of_unchecked_sizes() -> None:
    """Once, not at each index that is opened."""
    logger.warning(
        "faiss before 1.15 takes the sizes in a file at their word: an index from a stranger could fill the memory"
    )
