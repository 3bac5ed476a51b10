"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from geosleuth.indexes.errors import InputError

LOCK = ".lock"  # the file's name; it stays, and says nothing


@contextlib.contextmanager
def locked(folder: Path, wanted: str, found: str) -> Iterator[None]:
    """Hold a folder; the system lets go of it when this process ends, however it ends.

    Args:
        folder: It must be there.
        wanted: What for, in the words of an error: "the run X for this process alone".
        found: Who holds it, then: "another that trains it now".

    Raises:
        InputError: Another process holds it.
    """
    with (folder / LOCK).open("a", encoding="utf-8") as file:
        try:
            import fcntl
        except ImportError:  # Windows: two at once are not noticed
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(wanted, found, "Wait until it is done, or name another folder.") from error
        yield
