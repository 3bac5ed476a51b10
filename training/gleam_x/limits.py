"""How many requests may be sent, how fast, and when none is worth sending any more."""

from __future__ import annotations

import math
import time
from threading import Event, Lock

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model import UnavailableError
from geosleuth.tools.vlm.requests_budget import RequestsBudget
from geosleuth.training.gleam_x.ledger import Ledger

_IN_A_ROW = 5  # failures, each after four tries: a server that cannot do it at all shall not be asked 10,000 times
NO_LIMIT = 1 << 31  # of one question: what counts is the whole


class StoppedError(Exception):
    """No further request is to be sent; holds why."""


class Limits:
    """Shared by all threads of a run; counts what earlier runs sent as well."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        requests: int | None = None,
        tokens: int | None = None,
        per_minute: float | None = None,
    ) -> None:
        for value, name in ((requests, "requests"), (tokens, "tokens"), (per_minute, "requests per minute")):
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} above 0", str(value), "Leave it out for no limit.")
        self._ledger = ledger
        self._requests, self._tokens = requests, tokens
        self._apart_s = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0  # when the next request may go, on the monotonic clock
        self._failures = 0  # in a row
        self._stopped = Event()
        self._lock = Lock()
        self.reason: str | None = None
        self.spent = False  # that reason is the budget
        self.sent = 0  # in this run

    @property
    def stopped(self) -> bool:
        """Whether nothing more is sent."""
        return self._stopped.is_set()

    def draw(self, digest: str) -> None:
        """Wait for the pace, and count one HTTP request.

        Raises:
            StoppedError: None may be sent.
        """
        with self._lock:
            self._check()
            at = max(time.monotonic(), self._next)
            self._next = at + self._apart_s
        self._stopped.wait(max(0.0, at - time.monotonic()))
        with self._lock:
            self._check()
            self.sent += 1
            self._ledger.count(digest)

    def stop(self, reason: str) -> None:
        """Send nothing more; the first reason stands."""
        if not self._stopped.is_set():
            self.reason = reason
            self._stopped.set()

    def failed(self, reason: str) -> None:
        """Count a question without an answer."""
        with self._lock:
            self._failures += 1
            if self._failures >= _IN_A_ROW:
                self.stop(f"{self._failures} questions in a row had no answer; the last: {reason}")

    def answered(self) -> None:
        """Note that the server answers."""
        with self._lock:
            self._failures = 0

    def _check(self) -> None:
        if self._requests is not None and self._ledger.sent >= self._requests:
            self._spend(f"the budget of {self._requests:,} requests is spent")
        if self._tokens is not None and self._ledger.tokens >= self._tokens:
            self._spend(f"the budget of {self._tokens:,} tokens is spent ({self._ledger.tokens:,} used)")
        if self._stopped.is_set():
            raise StoppedError(self.reason)

    def _spend(self, said: str) -> None:
        self.spent = self.spent or not self._stopped.is_set()
        self.stop(f"{said}; raise it, and the same command goes on")


class OneQuestion(RequestsBudget):
    """The budget that one question is asked with: all that it sends is drawn from the run's limits."""

    def __init__(self, limits: Limits, digest: str) -> None:
        super().__init__(NO_LIMIT)
        self._limits = limits
        self._digest = digest

    def take(self, url: str) -> None:
        """See `RequestsBudget.take`.

        Raises:
            StoppedError: None may be sent.
        """
        self._limits.draw(self._digest)
        super().take(url)

    def give_up(self, url: str, error: UnavailableError) -> None:
        """See `RequestsBudget.give_up`; the whole run ends."""
        super().give_up(url, error)
        self._limits.stop(str(error))
