"""The processes that draw towns, one town at a time each."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from pathlib import Path

from geosleuth.agent.batch.threads import limit_threads, thread_environment
from geosleuth.indexes.errors import InputError
from geosleuth.training.towns.draw_town import draw_town
from geosleuth.training.towns.world import World

_stop: list[Event] = []  # of a worker process: is set when the user interrupts the run


def draw_all(out: Path, indexes: Sequence[int], world: World, processes: int) -> Generator[int, None, None]:
    """Draw towns, and yield the number of each when it is done, in any order.

    Raises:
        InputError: A process died, or cannot write.
    """
    processes = min(processes, len(indexes))
    if processes <= 1:
        for index in indexes:
            draw_town(out, index, world)
            yield index
        return
    # Spawned, not forked: a fork copies the locks of threads that do not come along (of PyTorch, of OpenCV).
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(stop,)) as pool:
        try:
            with _one_thread_each(), _uninterrupted():  # the processes are started with the first tasks
                drawing = {pool.submit(_draw, out, index, world): index for index in indexes}
            for future in as_completed(drawing):
                future.result()
                yield drawing[future]
        except BrokenProcessPool as error:
            remedy = "Use fewer processes if memory ran out; the same command goes on."
            raise InputError("processes that draw towns", f"one that died ({error})", remedy) from error
        finally:
            stop.set()  # after an error or Ctrl-C the others end with the picture in hand
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C: processes that are starting would print where they were. They begin with it held back."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Set the environment for processes of one thread: there are as many processes as cores."""
    wanted = thread_environment(1)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin(stop: Event) -> None:
    """Prepare a worker. Ctrl-C reaches every process of a terminal: this one hears of it from the main process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    limit_threads(1)
    _stop[:] = [stop]


def _end_with_the_run() -> None:
    """A main process that is killed tells nobody; its workers would wait for tasks for ever."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _draw(out: Path, index: int, world: World) -> None:
    draw_town(out, index, world, stopped=_stop[0].is_set)
