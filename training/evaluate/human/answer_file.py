"""All people's answers in one file: a line each, on the disk before the next photo shows, and never changed.

Several people, tabs and processes may add at once. What a power cut leaves of a line was never confirmed: it stays
where it is, is counted, and its photo is asked again.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import flush_folder
from geosleuth.training.evaluate.human.answer import Answer


@dataclass(frozen=True)
class Answers:
    """What a file holds."""

    lines: tuple[Answer, ...] = ()
    damaged: tuple[int, ...] = ()  # numbers, from 1, of lines that are no answers

    @property
    def people(self) -> list[str]:
        """Who has answered, in the order of their names."""
        return sorted({answer.person for answer in self.lines})

    @cached_property
    def last(self) -> Mapping[tuple[str, str], Answer]:
        """By person and file the answer that counts; its seconds are those of all answers to that photo."""
        found: dict[tuple[str, str], Answer] = {}
        for answer in self.lines:
            before = found.get((answer.person, answer.file))
            seconds = answer.seconds + (before.seconds if before else 0.0)
            found[answer.person, answer.file] = answer.model_copy(update={"seconds": seconds})
        return found


def read_answers(path: Path) -> Answers:
    """Read a file; nothing where there is none yet.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with path.open("rb") as file, _held(file.fileno(), shared=True):  # else half a line could be seen
            state = os.fstat(file.fileno())
            return _parsed(path, state.st_size, state.st_mtime_ns)
    except FileNotFoundError:
        return Answers()
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise InputError("a file of people's answers", found, "Name one that you may read.") from error


def check_data(answers: Answers, path: Path, data: str) -> None:
    """See that a file is of the data set that people are asked about: names of files may be the same in two.

    Raises:
        InputError: It holds answers about another one.
    """
    others = {answer.data for answer in answers.lines} - {data}
    if others:
        raise InputError(f"answers about {data} in {path}", f"some about {min(others)}", "Name another file by --out.")


def add(path: Path, answer: Answer) -> None:
    """Add an answer; it is on the disk when this returns.

    Raises:
        InputError: It cannot be written; the file is as it was before.
    """
    content = answer.model_dump_json().encode() + b"\n"
    try:
        new = not path.exists()
        with path.open("a+b", buffering=0) as file, _held(file.fileno()):
            size = file.seek(0, os.SEEK_END)
            if size and _last_byte(path, size) != b"\n":
                content = b"\n" + content  # the writer of that line is dead: this process has the lock
            try:
                if file.write(content) != len(content):  # a full disk
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise
        if new:
            flush_folder(path.parent)
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        remedy = "Make room or leave to write there, or name another file by --out; then answer again."
        raise InputError("to keep this answer", found, remedy) from error


@lru_cache(maxsize=8)  # a page reads it at each click; a file only ever grows
def _parsed(path: Path, size: int, _changed_ns: int) -> Answers:
    lines: list[Answer] = []
    damaged: list[int] = []
    for number, text in enumerate(path.read_bytes()[:size].split(b"\n"), start=1):
        if not text.strip():
            continue
        try:
            lines.append(Answer.model_validate_json(text))
        except ValidationError:
            damaged.append(number)
    return Answers(tuple(lines), tuple(damaged))


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
