"""How long a tool is waited for: one that hangs must not hang the answer."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from threading import Event, Thread
from typing import TypeVar

from geosleuth.indexes.errors import InputError

Result = TypeVar("Result")

# Times `max_seconds`. No tool starts after that; one that then runs nine times as long hangs. The first photo may load
# weights. A worker of a batch is given the same for the whole photo, so that it is ended before a tool of its is given
# up: a new process holds no lock and no core for what hangs.
PATIENCE = 10
_LEAST_S = 300.0  # where `max_seconds` is small: the first call compiles tables, for a minute on a machine at rest
_HEARD_S = 1.0  # on Windows, or where another thread gets the signal, Ctrl-C is heard between two waits only
# For what is given up to end: most calls into a library last less. Python aborts where one returns to it at its end.
_GRACE_S = 5.0
_STOPPED_S = 10.0  # that a tool still has when its run is stopped: most end by then, and what they find is kept

_stop: ContextVar[Event | None] = ContextVar("stop", default=None)  # set when nobody wants the result any more


class HangingToolError(InputError):
    """A tool that is not waited for any more."""


class StoppedError(BaseException):
    """The run was stopped while a tool was at work. No `except Exception` takes it for a failure of the tool."""


class _GivenUpError(SystemExit):
    """Raised inside of what is given up. No `except Exception` stops it, and a thread that it ends says nothing."""


def patience_s(max_seconds: float) -> float:
    """Return how long one call of a tool is waited for, in seconds."""
    return max(PATIENCE * max_seconds, _LEAST_S)


@contextmanager
def heeding(stop: Event) -> Iterator[None]:
    """Have `within` raise `StoppedError` where a tool is still at work some seconds after this was set."""
    token = _stop.set(stop)
    try:
        yield
    finally:
        _stop.reset(token)


def within(seconds: float, work: Callable[[], Result], name: str) -> Result:
    """Return what `work` returns, or raise what it raises, whatever that is.

    It runs in a thread of its own, which sees the caller's context variables. What is given up ends as soon as it is
    in Python code; where it never is, as in a library or before a lock, it stays until the process ends, which does
    not wait for it.

    Args:
        seconds: After which it is given up, as it is on Ctrl-C.
        work: Anything that may hang.
        name: Of the thread, for who looks at a process that hangs.

    Raises:
        HangingToolError: It took longer.
        StoppedError: It was still at work 10 s after its run was stopped, see `heeding`.
    """
    future: Future[Result] = Future()
    thread = Thread(target=_carry_out, args=(work, copy_context(), future), name=name, daemon=True)
    try:
        thread.start()
        _await(future, seconds)
        return future.result()
    except BaseException:
        if thread.is_alive() and not future.done():
            _end(thread, future)
        raise
    finally:
        del future  # an error's trace leads here: without this, it would keep itself, and a photo, from being freed


def _carry_out(work: Callable[[], Result], context: Context, future: Future[Result]) -> None:
    try:
        # What is given up at its very end is told so here, where a result may be set already: nobody waits for it.
        with suppress(InvalidStateError, _GivenUpError):
            try:
                future.set_result(context.run(work))
            except BaseException as error:  # noqa: BLE001  raised where it is waited for
                future.set_exception(error)
    finally:
        del future  # as in `within`


def _await(future: Future[Result], seconds: float) -> None:
    end = time.monotonic() + seconds
    stop, stopped = _stop.get(), False
    while not future.done():
        if stop is not None and stop.is_set() and not stopped:
            end, stopped = min(end, time.monotonic() + _STOPPED_S), True
        left = end - time.monotonic()
        if left <= 0 and stopped:
            raise StoppedError
        if left <= 0:
            remedy = "Ask again; where it is only slow, as when weights are fetched, raise max_seconds."
            raise HangingToolError(f"a result of the tool within {seconds:.0f} s", "it still at work", remedy)
        wait((future,), min(left, _HEARD_S))


def _end(thread: Thread, future: Future[Result]) -> None:
    """Raise an error in a thread, at its next step in Python code: there is no other way to reach into one.

    Again each second until it has ended, or `_GRACE_S` are over: a `__del__` or an `except BaseException` swallows one.
    """
    end = time.monotonic() + _GRACE_S
    while thread.ident is not None and thread.is_alive() and not future.done():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_GivenUpError))
        wait((future,), min(_GRACE_S, _HEARD_S))
        if time.monotonic() >= end:
            break
