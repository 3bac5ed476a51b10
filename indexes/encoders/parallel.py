"""One picture per core at a time, by threads: the work lets go of the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    pool: ThreadPoolExecutor | None = None,
    ahead: int | None = None,
) -> Iterator[Result]:
    """Yield the result for each item, in order.

    Only a few run ahead of the one that is asked for: the local features of a chunk of 512 pictures would be gigabytes.

    Args:
        work: Done for each item, in a thread.
        items: Read as they are needed.
        pool: By default one of a thread per core, which all callers share.
        ahead: How many may run ahead; by default two per core.
    """
    pool = pool or _workers()
    ahead = ahead or 2 * core_count()
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def core_count() -> int:
    """Count the cores that this process may use: OMP_NUM_THREADS, else what the system gives it."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(core_count(), thread_name_prefix="encoder")
