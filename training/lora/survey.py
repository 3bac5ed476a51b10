"""What each lesson of a stage comes to, found out before training: its length, or why it is left out.

So the number of steps is known, lessons of like length can share a batch, and a picture that cannot be read, or a text
that is too long, costs its lesson and no more. Kept in pieces: a survey that was stopped goes on.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.workers import loaded
from geosleuth.training.lora.encoding import LessonEncoder, Row, length_of
from geosleuth.training.lora.lesson import Lessons

logger = logging.getLogger(__name__)

_PIECE = 512  # lessons in a file: a minute of decoding on one core
_TRIES = 20  # lessons in a row: that many gone is a disk that is away
_AT_ONCE = 16  # lessons that a worker hands over together
Found = tuple[int, int, str]  # tokens, learned tokens, why it is left out ("": it is not)


@dataclass(frozen=True, eq=False)
class Survey:
    """The lessons of a stage."""

    lengths: NDArray[np.int64]  # (lessons,) tokens
    usable: NDArray[np.int64]  # numbers of the lessons that are trained with
    left_out: dict[str, int]  # reason -> lessons
    examples: dict[str, str]  # reason -> what was said of the first
    learned_tokens: int


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
            raise InputError(wanted, f"{length_of(rows)}", "Raise max_length, or lower max_pixels.")
        return rows


@dataclass(frozen=True, eq=False)
class Steady:
    """The lessons that can be used, in training: one whose picture has gone since gives its place to the next."""

    encoded: Encoded
    usable: NDArray[np.int64]  # sorted

    def __len__(self) -> int:
        return len(self.encoded)

    def __getitem__(self, index: int) -> list[Row]:
        """Encode a lesson.

        Raises:
            InputError: None of several lessons can be read any more.
        """
        first = int(np.searchsorted(self.usable, index))
        for ahead in range(_TRIES):
            try:
                return self.encoded[int(self.usable[(first + ahead) % len(self.usable)])]
            except InputError as error:
                logger.warning("A lesson that was readable before: %s", error)
                last = error
        raise last


@dataclass(frozen=True, eq=False)
class _Measured:
    encoded: Encoded

    def __getitem__(self, index: int) -> Found:
        try:
            rows = self.encoded[index]
        except InputError as error:
            return 0, 0, str(error)
        return length_of(rows), sum(row.n_learned for row in rows), ""


def survey(
    encoded: Encoded,
    folder: Path,
    group: Processes,
    *,
    workers: int = 0,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Survey:
    """Measure all lessons, each process its share of the pieces; what another session measured is not done again.

    Raises:
        InputError: Not one lesson can be used.
    """
    total = len(encoded)
    starts = list(range(0, total, _PIECE))
    for start in starts[group.rank :: group.count]:
        path = folder / f"{start:09d}.json"
        if not path.exists():
            _measure(encoded, range(start, min(start + _PIECE, total)), path, workers)
        tell(min(start + _PIECE, total), total)
    group.wait()
    pieces = [json.loads((folder / f"{start:09d}.json").read_text(encoding="utf-8")) for start in starts]
    return _summed([tuple(one) for piece in pieces for one in piece], encoded.max_length)


def _measure(encoded: Encoded, numbers: range, path: Path, workers: int) -> None:
    batches = [list(numbers[i : i + _AT_ONCE]) for i in range(0, len(numbers), _AT_ONCE)]
    found: list[Found] = []
    with closing(loaded(_Measured(encoded), batches, workers if len(batches) > 1 else 0, list)) as measured:
        for some in measured:
            found += some
    with appearing(path) as scratch:
        scratch.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


def _summed(found: Sequence[Any], max_length: int) -> Survey:
    left_out: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for _, _, why in found:
        if why:
            reason = "too long" if why.startswith(f"Wanted a lesson of at most {max_length} tokens") else "unreadable"
            left_out[reason] += 1
            examples.setdefault(reason, why)
    lengths = np.array([length for length, _, _ in found], dtype=np.int64)
    usable = np.array([number for number, (_, _, why) in enumerate(found) if not why], dtype=np.int64)
    if not len(usable):
        remedy = "Correct the data, or the run's max_length and max_pixels."
        raise InputError("lessons to train with", f"none of {len(found)} usable; first: {found[0][2]}", remedy)
    return Survey(lengths, usable, dict(left_out), examples, sum(learned for _, learned, _ in found))
