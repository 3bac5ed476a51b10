"""Pictures that are there and cannot be decoded: half a download, a web page instead of a tile."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.training.datasets.cross_view import Pictures, Skipped

_AT_ONCE = 256  # paths handed to the threads, so that what is found is told early


def broken_pictures(pictures: Pictures, *, threads: int = 4) -> Iterator[Skipped]:
    """Decode every picture to its end, and yield those that cannot be, in their order.

    Args:
        pictures: Of a data set.
        threads: The decoders let go of Python's lock.
    """
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(pictures), _AT_ONCE):
            some = pictures.paths[start : start + _AT_ONCE]
            yield from (one for one in pool.map(_trouble, some) if one is not None)


def _trouble(path: str) -> Skipped | None:
    try:
        load_photo(path)
    except InputError as error:
        return Skipped(path, error.found)
    return None
