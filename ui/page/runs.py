"""Questions to the agent, answered in the background, a few at a time: the page stays free, and others wait their turn.

A run belongs to its case, not to the browser's tab: who closes the tab and comes back finds it at work, or its answer.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from geosleuth.agent.localization import Localization, TraceStep
from geosleuth.agent.patience import StoppedError, heeding
from geosleuth.agent.steps import Step
from geosleuth.indexes.errors import InputError

logger = logging.getLogger(__name__)

State = Literal["waiting", "working", "answered", "failed", "stopped"]
Key = tuple[str, str]  # whose, and which case: two people never share a run
Work = Callable[[], Iterator[Step]]
Ended = Callable[["Run", State], None]  # with the state that the run is about to have

# The embedded reader and matcher use two cores each; more runs than that at once make all of them late.
CORES_OF_A_RUN = 2
MOST_AT_ONCE = 2
# Questions that may wait: at 2 to 10 s an answer, the last of 30 waits for one to five minutes. Beyond that a person is
# better served by a word than by a place in line, and the server by work that it can see the end of.
MOST_WAITING = 30
# Ended runs that are kept for their last word (an answer is in its case by then): at some 100 kB each, 5 MB.
KEPT = 50


@dataclass(eq=False)
class Run:
    """One question on its way; a page reads it while a thread writes it, field by field."""

    key: Key
    title: str  # what was asked, for people
    state: State = "waiting"
    steps: list[TraceStep] = field(default_factory=list)  # so far, in their order
    answer: Localization | None = None
    error: InputError | None = None  # for people; set when the state is "failed"
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0  # from the question to the end
    stop_asked: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("answered", "failed", "stopped")

    def stop(self) -> None:
        """End it after the tool that is at work now, or without one that hangs; a run that waits never begins."""
        self.stop_asked.set()

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked for its end."""
        return self.stop_asked.is_set()


class Runs:
    """All runs of this server.

    Args:
        at_once: How many may work at the same time; None goes by the number of cores.
        most_waiting: How many more may wait; who comes then is told so, and their question stays in its case.
    """

    def __init__(self, at_once: int | None = None, most_waiting: int = MOST_WAITING) -> None:
        cores = os.cpu_count() or 1
        self.at_once = at_once or max(1, min(MOST_AT_ONCE, cores // CORES_OF_A_RUN))
        self.most_waiting = most_waiting
        self._pool = ThreadPoolExecutor(self.at_once, thread_name_prefix="run")
        self._latest: dict[Key, Run] = {}
        self._handed_in: list[Run] = []  # to the pool, in order; of forgotten cases, too, until they are over
        self._lock = threading.Lock()

    def start(self, key: Key, title: str, work: Work, ended: Ended = lambda *_: None) -> Run:
        """Begin, or wait for, `work`, an iterator of steps whose last one holds the answer.

        `ended` is called in the run's own thread before the run is over: what it stores is there when the page looks.
        Where too many wait already, the run that is returned has failed before it began, and its error says so.

        Raises:
            InputError: The case has a run already.
        """
        with self._lock:
            earlier = self._latest.get(key)
            if earlier is not None and not earlier.over:
                found = "one that is still running"
                raise InputError("one question at a time per case", found, "Wait for its answer, or stop it.")
            run = Run(key, title)
            self._latest.pop(key, None)  # so that the order of the dictionary is the order of asking
            if len(self._in_line()) >= self.at_once + self.most_waiting:
                run.error, run.state = _full(self.most_waiting), "failed"
            else:
                self._handed_in.append(run)
                self._pool.submit(self._carry_out, run, work, ended)
            self._latest[key] = run
            self._drop_old()
        return run

    def _in_line(self) -> list[Run]:
        """Who works or waits, in order; who was stopped while waiting takes no place, for it never begins."""
        self._handed_in = [one for one in self._handed_in if not one.over]
        return [one for one in self._handed_in if not (one.stopping and one.state == "waiting")]

    def _drop_old(self) -> None:
        """Let the oldest runs go that are over: a server that runs for months must not hold all their answers."""
        over = [key for key, run in self._latest.items() if run.over]
        for key in over[:-KEPT]:
            del self._latest[key]

    def of(self, key: Key) -> Run | None:
        """The last run of a case, whatever became of it."""
        return self._latest.get(key)

    def forget(self, key: Key) -> None:
        """Stop a case's run and drop it: its answer is stored, or its case is deleted."""
        with self._lock:
            run = self._latest.pop(key, None)
        if run is not None:
            run.stop()

    def before(self, run: Run) -> int:
        """How many runs must end before this one begins; 0 when it is at work."""
        if run.state != "waiting":
            return 0
        with self._lock:
            line = self._in_line()
        ahead = line.index(run) if run in line else 0
        return max(0, ahead - self.at_once + 1)

    def shut_down(self) -> None:
        """Stop all runs and wait for the tools that are at work, some seconds; what they found is kept in the cases."""
        with self._lock:
            for run in self._handed_in:
                run.stop()
        self._pool.shutdown(wait=True)

    @staticmethod
    def _carry_out(run: Run, work: Work, ended: Ended) -> None:
        state = _worked_off(run, work)
        run.seconds = time.monotonic() - run.begun
        try:
            ended(run, state)
        except Exception as error:  # noqa: BLE001  an answer that could not be stored must not look like one that was
            run.error, state = _failure(error), "failed"
        run.state = state


def _worked_off(run: Run, work: Work) -> State:
    if run.stopping:
        return "stopped"
    run.state = "working"
    try:
        with heeding(run.stop_asked):
            steps = work()
            for step in steps:
                if step.trace is not None:
                    run.steps.append(step.trace)
                if step.localization is not None:
                    run.answer = step.localization
                if run.stopping and run.answer is None:
                    close = getattr(steps, "close", None)  # a generator ends its own work there
                    if close is not None:
                        close()
                    return "stopped"
    except StoppedError:
        return "stopped"
    except Exception as error:  # noqa: BLE001  whatever a tool does, the person is told, and the server goes on
        run.error = _failure(error)
        return "failed"
    return "answered"


def _full(most_waiting: int) -> InputError:
    return InputError(
        f"one of {most_waiting} places in the queue",
        f"{most_waiting} questions that wait already",
        'Press "Go on" in a minute or two: your question and its photos are kept.',
    )


def _failure(error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    logger.error("a run failed", exc_info=error)
    remedy = "Ask again; the server's log has the details."
    return InputError("an answer", f"a failure inside ({type(error).__name__})", remedy)
