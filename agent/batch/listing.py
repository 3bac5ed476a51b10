"""The photos of a batch, from what users hand over: files, folders, lists and generators of them."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources.folder import photo_paths, resolve_inside
from geosleuth.indexes.photo_file import MAX_FILE_BYTES, read_file

Paths = str | Path | Iterable[str | Path]
_READABLE = "a folder that can be read"


def listed(paths: Paths) -> Iterator[tuple[Path, InputError | None]]:
    """Yield each photo, and in its place in the order what could not be listed, with the reason.

    Folders are walked, sorted by name; hidden files, and those without a photo's ending, are passed over. A file that
    is named itself is taken whatever its ending. Nothing is listed before it is asked for.
    """
    for given in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(given)
        try:
            folder = path.is_dir()
        except (OSError, ValueError):  # ValueError: a null byte; its reader says what is wrong
            folder = False
        if folder:
            yield from _inside(path)
        else:
            yield path, None


def _inside(root: Path) -> Iterator[tuple[Path, InputError | None]]:
    unreadable: list[OSError] = []
    for path in photo_paths(root, unreadable):
        try:
            resolve_inside(root, path.relative_to(root).as_posix())
            yield path, None
        except InputError as error:  # a link in a stranger's folder must not pick files of the user's
            yield path, error
    for trouble in unreadable:
        found = f"{trouble.filename}: {trouble.strerror}"
        yield Path(trouble.filename), InputError(_READABLE, found, "Correct its permissions, and run again.")


def content_sha256(path: Path) -> str:
    """Hash a file's bytes.

    Raises:
        InputError: No photo could be read from it: it is missing, empty, a pipe, too large, or may not be read.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= MAX_FILE_BYTES:  # opening a pipe would hang
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        pass  # the next line says what is wrong
    return hashlib.sha256(read_file(path)).hexdigest()
