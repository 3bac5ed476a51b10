"""What was asked of a paid model and what it answered: one JSON object a line, only ever added to.

    request   once per question: model, turns (a picture is the SHA-256 of its file), settings, sample
    sent      before each HTTP request that asks it, repetitions included
    answer    the text, whether it was cut off, tokens, seconds
    failure   there was none: why
    look      what a second look saw of a feature, of those answers

A line is on the disk before the next step is taken. So an answer that was received is never paid for again, whenever
the process is killed; a request that was under way at that moment is asked again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model import Prompt

logger = logging.getLogger(__name__)

NAME = "ledger.jsonl"


class Answer(BaseModel):
    """What came back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    finish: str  # "stop", or "length" where it was cut off
    prompt_tokens: int = 0  # as the server counts them, images included
    tokens: int = 0
    seconds: float = 0.0
    logprobs: Any = None  # as the server listed them, where a second look asked for them


@dataclass(frozen=True, eq=False)
class Asked:
    """A question, by its content: the same one is never paid for twice."""

    model: str  # its name, not where it is served: the same model at another address is the same
    prompt: Prompt
    digests: Mapping[int, str]  # id of a picture's array -> SHA-256 of its file
    max_tokens: int
    temperature: float
    sample: int

    @property
    def about(self) -> dict[str, Any]:
        """All that the answer depends on, as JSON."""
        turns = [
            [turn.role, *(one if isinstance(one, str) else {"picture": self.digests[id(one)]} for one in turn.parts)]
            for turn in self.prompt.turns
        ]
        settings = {"max_tokens": self.max_tokens, "temperature": self.temperature, "sample": self.sample}
        begun = {"begun": self.prompt.begun} if self.prompt.begun else {}
        return {"model": self.model, "turns": turns, **begun, **settings}

    @property
    def digest(self) -> str:
        """Its name in the ledger."""
        return digest_of(self.about)


def digest_of(content: object) -> str:
    """SHA-256 of JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Ledger:
    """The ledger of a folder; several threads may use it. Use it as a context, so that the file is closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: dict[str, Answer] = {}
        self.looks: dict[str, tuple[float, ...]] = {}
        self.sent = 0  # HTTP requests, of all runs
        self.tokens = 0  # read and written, of all runs
        self.damaged = 0  # lines that cannot be read: a power cut or a full disk
        self._known: set[str] = set()
        self._lock = Lock()
        try:
            self._read()
            self._file = path.open("ab", buffering=0)  # what a full disk refuses is not tried again when it is closed
        except OSError as error:
            found = f"{path}: {error.strerror}"
            raise InputError("a ledger that can be read and written", found, "Name another folder.") from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._file.close()

    def request(self, asked: Asked) -> None:
        """Keep what is going to be asked."""
        if asked.digest not in self._known:
            self._known.add(asked.digest)
            self._add("request", asked.digest, asked.about)

    def count(self, digest: str) -> None:
        """Count an HTTP request that is about to be sent."""
        self.sent += 1
        self._add("sent", digest, {})

    def answer(self, digest: str, answer: Answer) -> None:
        """Keep an answer."""
        self._add("answer", digest, answer.model_dump(exclude_none=True))
        with self._lock:
            self.answers[digest] = answer
            self.tokens += answer.prompt_tokens + answer.tokens

    def fail(self, digest: str, reason: str) -> None:
        """Keep why there is no answer; it may be asked again."""
        self._add("failure", digest, {"reason": reason})

    def look(self, digest: str, log_odds: Sequence[float], about: Mapping[str, Any]) -> None:
        """Keep what a second look saw."""
        self._add("look", digest, {**about, "log_odds": [one if one == one else None for one in log_odds]})
        self.looks[digest] = tuple(log_odds)

    def _add(self, kind: str, digest: str, content: Mapping[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"kind": kind, "hash": digest, "at": now, **content}, ensure_ascii=False)
        rest = line.encode("utf-8", "replace") + b"\n"
        with self._lock:
            end = os.fstat(self._file.fileno()).st_size
            try:
                while rest:  # a disk that becomes full takes a part
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.truncate(end)  # else the next line would be added to a torn one
                raise

    def _read(self) -> None:
        if not self.path.exists():
            return
        line = b"\n"
        with self.path.open("r+b") as file:
            for line in file:
                self._take(line)
            if not line.endswith(b"\n"):  # else the next line would be added to a torn one
                file.write(b"\n")
        if self.damaged:
            logger.warning("%s: %d damaged lines; their questions are asked again", self.path, self.damaged)

    def _take(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            kind, digest = entry["kind"], entry["hash"]
            if kind == "request":
                self._known.add(digest)
            elif kind == "sent":
                self.sent += 1
            elif kind == "answer":
                answer = Answer(**{name: entry[name] for name in Answer.model_fields if name in entry})
                self.answers[digest] = answer
                self.tokens += answer.prompt_tokens + answer.tokens
            elif kind == "look":
                self.looks[digest] = tuple(float("nan") if one is None else float(one) for one in entry["log_odds"])
        except (KeyError, TypeError, ValueError, RecursionError):
            self.damaged += 1
