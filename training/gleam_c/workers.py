"""The processes that decode pictures beside a training process: torch's loader, and its workers under signals."""

from __future__ import annotations

import atexit
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from geosleuth.indexes.encoders.torch_features import import_torch

_PREFETCHED = 4  # batches that each worker holds ready: some are slow to decode
# A scheduler and torchrun send TERM to all processes of a run, a terminal Ctrl-C. A worker that died of it would take
# the training process with it before that could save; and it is the training process that ends its workers.
_IGNORED = (signal.SIGTERM, signal.SIGINT)


def loaded(
    data: Any, batches: Sequence[Sequence[Any]], workers: int, collate: Callable[[Any], Any]
) -> Generator[Any, None, None]:
    """Run torch's loader over batches of keys; closing the generator ends the workers.

    Workers are started anew for each epoch, which takes half a second on a busy machine: an epoch is minutes.

    Args:
        data: A data set of torch, map style.
        batches: Its keys.
        workers: Processes; 0: this one.
        collate: The items of a batch to what is yielded.
    """
    torch = import_torch()
    loader = torch.utils.data.DataLoader(
        data,
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=_PREFETCHED if workers else None,
        worker_init_fn=_begin,
    )
    before = set(multiprocessing.active_children())
    with _without_threads(), _signals_wait():
        running = iter(loader)  # starts the workers
    end = partial(_kill, set(multiprocessing.active_children()) - before)
    atexit.register(end)  # before multiprocessing's own, which sends TERM and would wait for ever
    try:
        yield from running
    finally:
        del running  # torch asks the workers to end
        end()
        atexit.unregister(end)


@contextmanager
def _without_threads() -> Iterator[None]:
    """End the threads of OpenCV: a forked worker would have none of them, and wait for them for ever."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold signals back, here and in processes begun meanwhile: a new worker does not ignore them yet."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which sends none to groups of processes
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(_: int) -> None:
    """Run first in a worker."""
    import cv2

    cv2.setNumThreads(1)  # the workers are one per core as it is
    for one in _IGNORED:
        signal.signal(one, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)


def _kill(workers: Iterable[BaseProcess]) -> None:
    """End workers that still run: one that hangs in a picture, or all where the generator was never closed."""
    for one in workers:
        with suppress(RuntimeError):  # torch's handler of SIGCHLD raises it for a worker that was killed
            if one.is_alive():
                one.kill()
                one.join()
