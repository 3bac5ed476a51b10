"""The program of a worker process: `python -P -m geosleuth.agent.batch.worker`, started by worker_process.py.

It reads a line of JSON per photo from stdin and writes a line to stdout: no pickle, and no second run of the user's
own script, which multiprocessing would need. It ends when stdin does, so that none outlives a batch that was killed.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.batch.outcome import Outcome, look
from geosleuth.agent.batch.threads import limit_threads
from geosleuth.agent.printable import PrintableLog
from geosleuth.agent.settings import Settings
from geosleuth.indexes.decoding_apart import decoding_apart
from geosleuth.indexes.errors import InputError

logger = logging.getLogger("geosleuth.agent.batch.worker")  # it runs as __main__


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Setup(_Message):
    """The first line in: what the agent is made of."""

    settings: dict[str, Any]  # as JSON has them; paths are texts there
    threads: int
    log_level: int


class Task(_Message):
    """Each further line in: one photo."""

    path: str  # as os.fsencode would have it, in hexadecimal: a file's name may be no text
    sha256: str
    hints: tuple[str, ...]


class Reply(_Message):
    """A line out: the first one, empty, says that the agent is made."""

    outcome: Outcome | None = None
    unusable: tuple[str, str, str] | None = None  # the settings: no photo can be looked at


def main() -> None:
    """Answer until stdin ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print, those in C too, is no reply
    lines = _lines(sys.stdin.buffer)
    setup = Setup.model_validate_json(lines.get())
    _quiet(setup.log_level)
    limit_threads(setup.threads)
    with decoding_apart():  # a photo that is too much for its decoder costs itself, and not the start of an agent
        _look_at_all(setup, lines, out)


def _look_at_all(setup: Setup, lines: queue.SimpleQueue[bytes], out: BinaryIO) -> None:
    from geosleuth.agent.agent import Agent

    try:
        agent = Agent(Settings.model_validate(setup.settings))
        _ = agent.references  # an index that cannot be opened is heard of before the first photo
        # Imports and tables never become rubbish: let the collector not walk through them at every photo.
        gc.collect()
        gc.freeze()
        _say(out, Reply())
        while True:
            task = Task.model_validate_json(lines.get())
            path = Path(os.fsdecode(bytes.fromhex(task.path)))
            _say(out, Reply(outcome=look(agent, path, task.sha256, task.hints)))
    except InputError as error:
        _say(out, Reply(unusable=(error.wanted, error.found, error.remedy)))


def _lines(source: BinaryIO) -> queue.SimpleQueue[bytes]:
    """Read in a thread: the end of stdin means that the batch has ended or died, and then a photo's rest is in vain."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in source:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _say(out: BinaryIO, reply: Reply) -> None:
    out.write(reply.model_dump_json().encode() + b"\n")
    out.flush()


def _quiet(level: int) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableLog("%(name)s: %(message)s", words=level <= logging.INFO))
    logging.basicConfig(level=level, handlers=[handler])
    logging.getLogger("geosleuth.indexes.compiled").setLevel(logging.INFO)  # half a minute at the first use: say why
    warnings.simplefilter("ignore")  # of libraries, to their programmers
    sys.excepthook = _log_end  # Python's own writes the error's words, which may quote a photo's name or a sign


def _log_end(_: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("A worker ends by a fault of geosleuth", exc_info=(type(error), error, trace))
    os._exit(1)  # an orderly end would abort over stdin, which a thread still reads


if __name__ == "__main__":
    main()
