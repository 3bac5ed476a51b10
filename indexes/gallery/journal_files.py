"""The small files of an unfinished build, and one builder at a time."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from geosleuth.indexes.compiled import try_lock
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.damage import UNREADABLE
from geosleuth.indexes.gallery.manifest import Problem
from geosleuth.indexes.whole_file import appearing

# What the folder, and not the builder, is to blame for.
FOLDER_ERRORS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}
# Of these, what is in the path itself.
_PATH_ERRORS = {errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
LOCK = "lock"


def write_problems(path: Path, problems: Iterable[Problem]) -> None:
    """Write a line of JSON for each."""
    with appearing(path) as scratch, scratch.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(problem.model_dump_json() + "\n" for problem in problems)


def read_problems(path: Path) -> list[Problem]:
    """Read them again; none where there is no file."""
    if not path.exists():
        return []
    with readable(path), path.open(encoding="utf-8") as file:
        return [Problem.model_validate_json(line) for line in file]


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say what to do where a file of an unfinished build cannot be read; a version before may have written it.

    Raises:
        InputError: Its reader failed, and not because of the disk.
    """
    try:
        yield
    except InputError:
        raise
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in FOLDER_ERRORS:
            raise
        found = f"one that is damaged, or of another version: {path}"
        remedy = f"Delete {path.parent} and run the same command again."
        raise InputError("an unfinished build that can be read", found, remedy) from error


@contextlib.contextmanager
def only_builder(folder: Path) -> Iterator[None]:
    """Keep a second builder out; the system drops the lock when the process dies.

    Raises:
        InputError: Another is at work there; or it is a link, which may have come with an index from a stranger, and
            what it leads to would be written and removed.
    """
    path = folder / LOCK
    for link in (folder, path):
        if link.is_symlink():
            raise InputError("a folder of the index's own for unfinished work", f"a link: {link}", "Remove the link.")
    while True:
        file = path.open("a+b")
        try:
            if not try_lock(file):
                remedy = "Wait for it, or build into another folder."
                raise InputError("an index that nobody else is writing", f"another build at work in {folder}", remedy)
            # The builder before may have removed the file while this one opened it: that lock would keep nobody out.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield
                return
        finally:
            file.close()
        folder.mkdir(exist_ok=True)


@contextlib.contextmanager
def explaining(folder: Path) -> Iterator[None]:
    """Turn what a full or forbidden disk raises into an error for people."""
    try:
        yield
    except OSError as error:
        if error.errno not in FOLDER_ERRORS:
            raise
        remedy = "Free space or change the permissions, then run the same command again: what is done is kept."
        if error.errno in _PATH_ERRORS:
            remedy = "Name another with --out."
        found = f"{folder}: {error.strerror or error}"
        raise InputError("an index folder that can be written", found, remedy) from error
