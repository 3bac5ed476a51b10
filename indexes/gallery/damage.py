"""What readers raise on files whose content is not what it should be, turned into an error that names the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import damaged
from geosleuth.indexes.photo_file import DAMAGED

# Arrow's own are mostly ValueError and OSError as well; faiss raises RuntimeError; a forged file may hold any number
# (OverflowError), or be an index of another class (AttributeError).
UNREADABLE = (*DAMAGED, pa.ArrowException, ArithmeticError, AttributeError)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Name the file of an index that cannot be read; one that is gone is another matter.

    Raises:
        InputError: Its reader failed.
    """
    try:
        yield
    except (InputError, FileNotFoundError):
        raise
    except UNREADABLE as error:
        raise damaged(path, fault_of(error)) from error


def fault_of(error: BaseException) -> str:
    """Put what a reader raised into a line."""
    words = str(error).strip().split("\n")[0]
    return f"it cannot be read ({type(error).__name__}{f': {words}' if words else ''})"
