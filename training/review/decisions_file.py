"""One reviewer's decisions: appended a line at a time, on the disk before anything goes on, and never changed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import flush_folder
from geosleuth.training.review.decision import ALLOWED, Line, read_line
from geosleuth.training.review.folder import Review


def read_lines(review: Review, reviewer: str) -> tuple[Line, ...]:
    """Return all that somebody said, in that order; nothing where there is no file.

    Raises:
        InputError: A line is damaged. Nothing is changed.
    """
    path = review.file_of(reviewer)
    try:
        with path.open("rb") as file, _held(file.fileno(), shared=True):  # else half a line could be seen
            state = os.fstat(file.fileno())
            lines = _parsed(path, state.st_size, state.st_mtime_ns)
    except FileNotFoundError:
        return ()
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise InputError("a reviewer's decisions", found, "Give yourself leave to read them.") from error
    for number, line in enumerate(lines, start=1):
        if line.item not in review.numbers or line.verdict not in ALLOWED[review.kind]:
            found = f"{line.verdict!r} of {line.item!r}"
            raise InputError(f"decisions of this review in {path}, line {number}", found, "Is the file of another one?")
    return lines


def append(review: Review, reviewer: str, line: Line) -> None:
    """Add a line; it is on the disk when this returns. Several processes may do so at once.

    Raises:
        InputError: It cannot be written, or the file's last line is not whole; the file is as it was before.
    """
    path = review.file_of(reviewer)
    content = line.model_dump_json().encode() + b"\n"
    try:
        path.parent.mkdir(exist_ok=True)
        new = not path.exists()
        with path.open("a+b", buffering=0) as file, _held(file.fileno()):
            size = file.seek(0, os.SEEK_END)
            if size and _last_byte(path, size) != b"\n":
                number = path.read_bytes().count(b"\n") + 1
                raise _damaged(path, number, "a line that was cut off")
            try:
                written = file.write(content)
                if written != len(content):  # a full disk
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        if new:
            flush_folder(path.parent)
            flush_folder(review.path)  # the first decision makes the folder of decisions
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise InputError(
            "to keep this decision", found, "Make room or leave to write there, and decide again."
        ) from error


@lru_cache(maxsize=64)  # a page reads everybody's at each click; a file only ever grows
def _parsed(path: Path, size: int, _changed_ns: int) -> tuple[Line, ...]:
    content = path.read_bytes()[:size]
    lines: list[Line] = []
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            lines.append(read_line.validate_json(text))
        except ValidationError as error:
            raise _damaged(path, number, error.errors(include_url=False, include_input=False)[0]["msg"]) from error
    if not content.endswith(b"\n") and content:
        raise _damaged(path, len(lines) + 1, "a line that was cut off")
    return tuple(lines)


def _damaged(path: Path, number: int, why: str) -> InputError:
    remedy = (
        "Copy the file, then mend or delete that line; until then nothing is added. "
        "A line that was cut off by a crash was never confirmed: that item is asked again."
    )
    return InputError(f"a decision in {path}, line {number}", why, remedy)


def _last_byte(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1)


@contextlib.contextmanager
def _held(handle: int, *, shared: bool = False) -> Iterator[None]:
    """Wait for whoever writes now: milliseconds."""
    try:
        import fcntl
    except ImportError:  # Windows: appends of one line at a time do not meet in practice
        yield
        return
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
