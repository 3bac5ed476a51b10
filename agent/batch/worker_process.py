"""A worker seen from the batch: started when it is first needed, and replaced when it dies."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.agent.batch.outcome import Outcome
from geosleuth.agent.batch.threads import thread_environment
from geosleuth.agent.patience import PATIENCE
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings

logger = logging.getLogger(__name__)

_PROGRAM = ("-P", "-m", "geosleuth.agent.batch.worker")  # -P: no module from a stranger's folder
_STARTS = 2  # in a row that may fail before the batch gives up: one may have been killed by chance
_TRIES = 2  # of one photo: a worker that died with it may have been killed for another's memory
_LAST_BREATH_S = 5.0  # between the end of its output and its own end, which tells the cause


class WorkerDied(Exception):  # noqa: N818  an event, of which the caller may well make an answer
    """The process ended without a reply."""


class WorkerProcess:
    """Looks at one photo at a time in a process of its own; `look` is for one thread, `close` for any."""

    def __init__(self, settings: Settings, *, threads: int) -> None:
        self._settings = settings
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # between a start and a close
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process; None before it is first needed."""
        return self._process.pid if self._process is not None else None

    def look(self, path: Path, sha256: str, hints: Sequence[str]) -> Outcome:
        """Locate a photo; one that two workers die of, or that keeps one too long, is an outcome, too.

        Raises:
            InputError: The settings cannot be used, or no worker starts.
            WorkerDied: This worker was closed.
        """
        task = {"path": os.fsencode(path).hex(), "sha256": sha256, "hints": tuple(hints)}
        end = ""
        for _ in range(_TRIES):
            self._start()
            try:
                return self._ask(task)
            except TimeoutError:
                return self._late(path)
            except WorkerDied as died:
                end = str(died)
                if not self._closed:
                    logger.warning("A worker died over a photo (%s)", end)
                    logger.info("It died over %r", str(path))
        found = f"a worker that died of it {_TRIES} times, {end}: {path}"
        remedy = "Look at the photo alone with `geosleuth localize`; too little memory for all workers is one cause."
        return Outcome(refused=("an answer", found, remedy), passing=True)

    @property
    def _longest_s(self) -> float:
        return self._settings.max_seconds * PATIENCE

    def _late(self, path: Path) -> Outcome:
        """Give up a photo for this run: what kept one worker for so long would keep the next one.

        It is passing, as a decoder's refusals are, since a machine that was overloaded may be the cause.
        """
        logger.warning("A worker was ended after %.0f s over a photo", self._longest_s)
        logger.info("It was ended over %r", str(path))
        found = f"a worker that was still at it: {path}"
        remedy = "Look at the photo alone with `geosleuth localize --verbose`, which shows the tool that hangs."
        return Outcome(refused=(f"an answer within {self._longest_s:.0f} s", found, remedy), passing=True)

    def close(self) -> None:
        """End the process at once; what it has not said yet is lost."""
        with self._lock:
            self._closed = True
            self._end()

    def release(self) -> None:
        """Close what is left of a process after `close`, when no thread waits for it any more."""
        self._buried()

    def _start(self) -> None:
        from geosleuth.agent.batch.worker import Setup

        if self._process is not None:
            return
        end = ""
        for _ in range(_STARTS):
            with self._lock:
                if self._closed:
                    raise WorkerDied
                self._process = _spawn(self._threads)
            verbose = logging.getLogger("geosleuth").isEnabledFor(logging.INFO)
            level = logging.INFO if verbose else logging.ERROR  # a tool's failure stands in the answer's trace
            try:
                settings = self._settings.model_dump(mode="json")
                self._send(Setup(settings=settings, threads=self._threads, log_level=level).model_dump_json())
                self._receive()
                return
            except WorkerDied as died:
                end = str(died)
        found = f"{_STARTS} that ended before they began, {end}"
        raise InputError("worker processes", found, "See what they wrote to stderr, or take workers=1 and less memory.")

    def _ask(self, task: dict[str, Any]) -> Outcome:
        from geosleuth.agent.batch.worker import Task

        late = threading.Event()

        def end() -> None:
            late.set()
            self._end()

        watch = threading.Timer(self._longest_s, end)
        watch.daemon = True
        watch.start()
        try:
            self._send(Task.model_validate(task).model_dump_json())
            outcome = self._receive()
        except WorkerDied:
            if late.is_set():
                raise TimeoutError from None
            raise
        finally:
            watch.cancel()
        if outcome is None:
            raise RuntimeError("a worker replied without an outcome")
        return outcome

    def _send(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise WorkerDied
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        except OSError:  # it died meanwhile
            raise self._buried() from None

    def _receive(self) -> Outcome | None:
        from geosleuth.agent.batch.worker import Reply

        process = self._process
        if process is None or process.stdout is None:
            raise WorkerDied
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._buried()
        reply = Reply.model_validate_json(line)
        if reply.unusable is not None:
            self._end()
            raise InputError(*reply.unusable)
        return reply.outcome

    def _buried(self) -> WorkerDied:
        """Clean up after a process that died, and say how it did."""
        process, self._process = self._process, None
        if process is None:
            return WorkerDied()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LAST_BREATH_S)
        _kill(process)
        _close_pipes(process)
        code = process.returncode
        return WorkerDied(f"signal {-code}" if code < 0 else f"exit code {code}")

    def _end(self) -> None:
        if self._process is not None:
            _kill(self._process)


def _spawn(threads: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *_PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | thread_environment(threads),
        # A group of its own: the terminal's Ctrl-C is for the batch, which then ends its workers.
        process_group=None if sys.platform == "win32" else 0,
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not flushed has no reader any more
                pipe.close()
