"""What a model answered, a line of JSON each, so that an evaluation that was ended goes on and asks nothing twice."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped

logger = logging.getLogger(__name__)

OnAsked = Callable[[int, int], None]  # questions answered so far, those of earlier runs among them, and all of them
_KEY_DIGITS = 32  # of the hash: 128 bits, no two questions share them


class Answered(BaseModel):
    """An answer; each kind adds what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    """Of `answer_key`: the weights, the pictures and the words of the question."""


Form = TypeVar("Form", bound=Answered)


def answer_key(weights: str, pictures: Sequence[str], *question: str) -> str:
    """Name a question: other weights, another picture or other words make another one.

    Args:
        weights: Of the model (`VisionLanguageModel.weights`).
        pictures: SHA-256 of each, in reading order.
        question: All words that the model is asked with, and what else decides its answer.
    """
    parts = [weights, str(len(pictures)), *pictures, *question]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:_KEY_DIGITS]


def refuse_if_none(asked: int, missing: Sequence[Skipped], what: str, suspects: str) -> None:
    """Raise an InputError where nothing was asked: "0 % right" would be said of the data, not of the model.

    Args:
        asked: How many were.
        missing: Those that could not be.
        what: They are, in the plural.
        suspects: What a user should check.
    """
    if not asked:
        why = f", the first because: {missing[0].path}: {missing[0].reason}" if missing else ""
        raise InputError(
            f"{what} that the model can be asked about", f"none of {len(missing):,}{why}", f"Check {suspects}."
        )


class AnswerFile(Generic[Form]):
    """Answers by key, on the disk as soon as they are given; without a path they live in memory alone."""

    def __init__(self, path: Path | None, form: type[Form]) -> None:
        """Read what is there; what a writer that was killed left of a line is cut off.

        Raises:
            InputError: The file cannot be read or written.
        """
        self._path = path
        self._known: dict[str, Form] = {}
        if path is not None and path.exists():
            with _told(path):
                self._read(path, form)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Form:
        return self._known[key]

    def add(self, answer: Form) -> None:
        """Keep an answer; it is on the disk when this returns, since it may have cost money.

        Raises:
            InputError: The file cannot be written.
        """
        if self._path is not None:
            with _told(self._path), self._path.open("ab") as file:
                file.write(answer.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self._known[answer.key] = answer

    def _read(self, path: Path, form: type[Form]) -> None:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with path.open("r+b") as file:
                file.truncate(len(whole))
        damaged = 0
        for line in whole.splitlines():
            try:
                answer = form.model_validate_json(line)
            except ValidationError:
                damaged += 1
            else:
                self._known[answer.key] = answer
        if damaged:
            logger.warning("%s: %d lines are no answers; their questions are asked again", path, damaged)


class _told:  # noqa: N801  # reads as a verb where it is used
    """Say in three parts why a file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            found = f"{self._path}: {error.strerror or error}"
            raise InputError("a file to keep answers in", found, "Name another folder with --out.") from error
