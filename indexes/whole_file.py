"""Files that are there as a whole or not at all, whenever their writer is killed and wherever its disk ends."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

SCRATCH = ".part"  # ending of a file that is being written; its name is hidden, and says nothing of what it becomes


@contextlib.contextmanager
def appearing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Give an empty file beside `path`; what was written into it gets its name once it is on the disk.

    Until then `path` has its old content. Two writers at once do not meet: the later one stands in the end. A writer
    that fails leaves nothing; one that is killed leaves its hidden file.

    Args:
        path: Of the file to be.
        private: For its owner's eyes alone.
    """
    scratch = path.with_name(f".{secrets.token_hex(8)}{SCRATCH}")
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666))
    try:
        yield scratch
        with scratch.open("r+b") as file:  # Windows flushes only what is open for writing
            os.fsync(file.fileno())  # else a power cut after the renaming could leave an empty file
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    flush_folder(path.parent)


def write_private(path: Path, content: bytes) -> None:
    """Write all of a file or nothing of it, and only for its owner's eyes."""
    with appearing(path, private=True) as scratch:
        scratch.write_bytes(content)


def flush_folder(folder: Path) -> None:
    """Force a folder's list of names to the disk: what was renamed or removed stays so after a power cut."""
    if os.name == "nt":  # which cannot open a folder, and needs not
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
