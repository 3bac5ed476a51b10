"""A path as a user gives it, made absolute."""

from __future__ import annotations

import contextlib
from pathlib import Path

from geosleuth.indexes.errors import InputError


def absolute(path: str | Path, wanted: str) -> Path:
    """Make a path absolute; what it names need not exist.

    Raises:
        InputError: No file can have that path: a user that is unknown, a name too long, a loop of links.
    """
    try:
        whole = Path(path).expanduser().absolute()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            whole.stat()
    except (OSError, RuntimeError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(wanted, f"a path that cannot be used ({why}): {path}", "Name another.") from error
    return whole
