"""What each lesson of a stage comes to, found out before training: its length, or why it is left out.

So the number of steps is known, lessons of like length can share a batch, and a picture that cannot be read, or a text
that is too long, costs its lesson and no more. Kept in pieces: a survey that was stopped goes on. What could not be
read is tried again by each session, until there is a checkpoint: from then on the order of an epoch must stay.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.workers import loaded
from geosleuth.training.lora.encoding import UNLEARNED, LessonEncoder, Row, length_of
from geosleuth.training.lora.lesson import Lessons
from geosleuth.training.lora.sampling import FILLER

logger = logging.getLogger(__name__)

_PIECE = 512  # lessons in a file: what a kill loses at most; a million lessons are 2,000 files
_TRIES = 20  # lessons in a row: that many gone is a disk that is away
_AT_ONCE = 16  # lessons that a worker hands over together
_TOO_LONG, _UNREADABLE = "too long", "unreadable"
# Of a lesson: tokens, learned tokens, `digest` of its rows, why it is left out ("": it is not) and in words.
Found = tuple[int, int, int, str, str]


@dataclass(frozen=True, eq=False)
class Survey:
    """The lessons of a stage."""

    lengths: NDArray[np.int64]  # (lessons,) tokens
    digests: NDArray[np.uint64]  # (lessons,) see `digest`
    usable: NDArray[np.int64]  # numbers of the lessons that are trained with
    left_out: dict[str, int]  # reason -> lessons
    examples: dict[str, str]  # reason -> what was said of the first
    learned_tokens: int


class TooLongError(InputError):
    """A lesson has more tokens than the run allows."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Lessons, encoded when they are asked for."""

    lessons: Lessons
    encoder: LessonEncoder
    max_length: int

    def __len__(self) -> int:
        return len(self.lessons)

    def __getitem__(self, index: int) -> list[Row]:
        """Encode a lesson.

        Raises:
            InputError: A picture cannot be read, or it is too long.
        """
        rows = self.encoder.encode(self.lessons[index])
        if length_of(rows) > self.max_length:
            wanted = f"a lesson of at most {self.max_length} tokens"
            raise TooLongError(wanted, f"{length_of(rows)}", "Raise max_length, or lower max_pixels.")
        return rows


@dataclass(frozen=True, eq=False)
class Steady:
    """The lessons that can be used, in training: one whose picture has gone since gives its place to the next."""

    encoded: Encoded
    measured: Survey

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int) -> list[Row] | InputError:
        """Encode a lesson; a FILLER is the first one with nothing to learn.

        Returns:
            Its rows, or why the run must end: none of several lessons can be read any more, or one is another than
            was measured. Not raised: torch makes a text of what is raised in a worker process.
        """
        if index == FILLER:
            rows = self[int(self.measured.usable[0])]
            if isinstance(rows, InputError):
                return rows
            return [replace(row, labels=np.full_like(row.labels, UNLEARNED)) for row in rows]
        usable = self.measured.usable
        first = int(np.searchsorted(usable, index))
        for ahead in range(_TRIES):
            number = int(usable[(first + ahead) % len(usable)])
            try:
                rows = self.encoded[number]
            except InputError as error:
                logger.warning("Lesson %d was readable before; the next takes its place", number + 1)
                logger.debug("Why: %s", error)
                last = error
                continue
            if digest(rows) == int(self.measured.digests[number]):
                return rows
            remedy = "Name another --out, or put the files back that the run began with."
            return InputError("the lessons that the run began with", f"another one as number {number + 1:,}", remedy)
        return last


@dataclass(frozen=True, eq=False)
class _Measured:
    encoded: Encoded

    def __getitem__(self, index: int) -> Found:
        try:
            rows = self.encoded[index]
        except InputError as error:
            return 0, 0, 0, _TOO_LONG if isinstance(error, TooLongError) else _UNREADABLE, str(error)
        return length_of(rows), sum(row.n_learned for row in rows), digest(rows), "", ""


def digest(rows: Sequence[Row]) -> int:
    """Return 64 bits of a SHA-256 over a lesson's tokens; of its pictures over their sizes alone."""
    found = sha256()
    for row in rows:
        found.update(row.tokens.tobytes())
        found.update(row.labels.tobytes())
    return int.from_bytes(found.digest()[:8], "big")


def survey(
    encoded: Encoded,
    folder: Path,
    group: Processes,
    *,
    workers: int = 0,
    again: bool = True,
    ends: Callable[[], bool] = lambda: False,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Survey:
    """Measure all lessons, each process its share of the pieces; what another session measured is not done again.

    Args:
        encoded: The lessons.
        folder: Of the pieces.
        group: The processes, all of which call this.
        workers: Processes that decode, per process.
        again: Try what another session could not read.
        ends: Whether somebody asked this process to end.
        tell: Told how many lessons are done, of how many.

    Raises:
        InputError: Not one lesson can be used.
        KeyboardInterrupt: A process was asked to end; the pieces that are whole are kept.
    """
    total = len(encoded)
    starts = list(range(0, total, _PIECE))
    for first in range(0, len(starts), group.count):  # all processes take as many turns, and end together
        mine = starts[first : first + group.count][group.rank : group.rank + 1]
        for start in mine:
            _complete(encoded, range(start, min(start + _PIECE, total)), folder, workers, again=again, ends=ends)
        if group.agree(ends()):
            raise KeyboardInterrupt
        tell(min((first + group.count) * _PIECE, total), total)
    group.wait()
    return _summed([one for start in starts for one in _read(folder, start)])


def _complete(
    encoded: Encoded, numbers: range, folder: Path, workers: int, *, again: bool, ends: Callable[[], bool]
) -> None:
    path = _piece(folder, numbers.start)
    kept = dict(zip(numbers, _read(folder, numbers.start), strict=True)) if path.exists() else {}
    left = [number for number in numbers if number not in kept or (again and kept[number][3] == _UNREADABLE)]
    found = _measure(encoded, left, workers, ends)
    if not left or found is None:
        return
    kept |= dict(zip(left, found, strict=True))
    with appearing(path) as scratch:
        scratch.write_text(json.dumps([kept[number] for number in numbers], ensure_ascii=False), encoding="utf-8")


def _measure(encoded: Encoded, numbers: Sequence[int], workers: int, ends: Callable[[], bool]) -> list[Found] | None:
    """Return None where the process was asked to end meanwhile."""
    batches = [numbers[i : i + _AT_ONCE] for i in range(0, len(numbers), _AT_ONCE)]
    found: list[Found] = []
    with closing(loaded(_Measured(encoded), batches, workers if len(batches) > 1 else 0, list)) as measured:
        for some in measured:
            found += some
            if ends():
                return None
    return found


def _piece(folder: Path, start: int) -> Path:
    return folder / f"{start:09d}.json"


def _read(folder: Path, start: int) -> list[Found]:
    return [tuple(one) for one in json.loads(_piece(folder, start).read_text(encoding="utf-8"))]


def _summed(found: Sequence[Found]) -> Survey:
    left_out = Counter(reason for *_, reason, _ in found if reason)
    examples: dict[str, str] = {}
    for *_, reason, why in found:
        if reason:
            examples.setdefault(reason, why)
    lengths, learned, digests, reasons, _ = zip(*found, strict=True)
    usable = np.array([number for number, reason in enumerate(reasons) if not reason], dtype=np.int64)
    if not len(usable):
        remedy = "Correct the data, or the run's max_length and max_pixels; the same command reads them again."
        raise InputError("lessons to train with", f"none of {len(found)} usable; first: {found[0][4]}", remedy)
    sizes = np.array(lengths, dtype=np.int64), np.array(digests, dtype=np.uint64)
    return Survey(*sizes, usable, dict(left_out), examples, sum(learned))
