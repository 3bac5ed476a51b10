"""Who looks at the photos of a batch: worker processes, or this very process where an agent cannot be made anew."""

from __future__ import annotations

import os
import queue
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.agent.batch.outcome import Outcome, look
from geosleuth.agent.batch.worker_process import WorkerProcess
from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.decoding_apart import decoding_apart
from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.settings import Settings

_WORKER_BYTES = 1 << 30  # 0.9 GB resident after a street scene, part of it shared; see docs/batch.md
_MEMORY_SHARE = 0.75  # of the machine's, for the workers; the rest is for whoever else works on it


class Crew:
    """Runs photos, several at once, and hands out futures of what they come to.

    Args:
        agent: Its settings make the workers' agents.
        workers: How many processes; None chooses.

    Raises:
        InputError: Several workers are asked for, and the agent holds what cannot be sent to them.
    """

    def __init__(self, agent: Agent, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise InputError("a number of workers above 0", str(workers), "Leave it out to have it chosen.")
        self._agent = agent
        self.in_process = not _made_of_settings_alone(agent)
        if self.in_process and workers is not None and workers > 1:
            remedy = "Take workers=1, or an Agent of settings alone."
            raise InputError("an agent that worker processes can make anew", "one that was given objects", remedy)
        self.in_process |= workers is None and _holds_weights(agent)  # a second copy may not fit beside it
        self.workers = 1 if self.in_process else workers or default_workers(agent.settings)
        threads = max(1, core_count() // self.workers)
        self._apart: ExitStack | None = None
        self._all = [WorkerProcess(agent.settings, threads=threads) for _ in range(self.workers)]
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        for worker in self._all:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="batch")  # each waits for a process

    @property
    def enough(self) -> int:
        """How many photos to hand over at once: one per worker, and one that waits for it."""
        return 1 if self.in_process else 2 * self.workers

    @property
    def pids(self) -> list[int]:
        """The worker processes that have been started."""
        return [worker.pid for worker in self._all if worker.pid is not None]

    def submit(self, path: Path, sha256: str, hints: Sequence[str]) -> Future[Outcome]:
        """Have a photo looked at; in this process, it is on return."""
        if not self.in_process:
            return self._threads.submit(self._look, path, sha256, hints)
        if self._apart is None:  # a photo that ends its decoder must not end the batch, and the next one, which resumes
            self._apart = ExitStack()
            self._apart.enter_context(decoding_apart())
        done: Future[Outcome] = Future()
        try:
            done.set_result(look(self._agent, path, sha256, hints))
        except InputError as error:
            done.set_exception(error)
        return done

    def close(self) -> None:
        """End the workers at once."""
        if self._apart is not None:
            self._apart.close()
        for worker in self._all:
            worker.close()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.release()

    def _look(self, path: Path, sha256: str, hints: Sequence[str]) -> Outcome:
        worker = self._idle.get()
        try:
            return worker.look(path, sha256, hints)
        finally:
            self._idle.put(worker)


def default_workers(settings: Settings) -> int:
    """One worker per core while memory lasts; one where a model of weights runs here, whose copies would not fit."""
    if any(parse_backend(spec).base not in ("embedded", "file", "openai") for spec in _specs(settings)):
        return 1
    memory = core_count() * _WORKER_BYTES
    if hasattr(os, "sysconf"):
        memory = int(_MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return max(1, min(core_count(), memory // _WORKER_BYTES))


def _specs(settings: Settings) -> list[str]:
    """The backends in use, the encoder that an index names among them."""
    specs = [spec for _, spec in settings.backends if spec is not None]
    index = settings.index
    if index is not None and settings.backends.retrieval is None and not index.startswith("milvus:"):
        from geosleuth.indexes.gallery.manifest import read_manifest
        from geosleuth.indexes.gallery.paths import absolute

        specs.append(read_manifest(absolute(index, "an index")).encoder.spec)
    return specs


def _holds_weights(agent: Agent) -> bool:
    """Whether a model of weights is loaded in this process already."""
    return any(parse_backend(spec).base != "openai" for spec in agent._models._shared)


def _made_of_settings_alone(agent: Agent) -> bool:
    """Whether a process that is sent the settings would make the same agent; objects are not sent."""
    given = (agent._given_planner, agent._given_start, agent._given_references)
    if any(one is not None for one in given):
        return False
    anew = type(agent)(agent.settings)
    tools = [{name: tool.function for name, tool in one.tools.items()} for one in (agent, anew)]
    return tools[0] == tools[1]
