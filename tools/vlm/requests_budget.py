"""How many requests one photo's investigation may send to servers, and which servers it need not ask again."""

from __future__ import annotations

from threading import Lock

from geosleuth.tools.vlm.model import UnavailableError

# Of the limit: counting replies takes 16 a question, and would leave the planner none.
_FOR_COUNTING = 1 / 3


class RequestsBudget:
    """A count that several threads draw from; all models of one photo share it."""

    def __init__(self, requests: int) -> None:
        self.limit = requests
        self._sent = 0
        self._counting = 0
        self._lost: dict[str, UnavailableError] = {}  # by URL
        self._lock = Lock()

    @property
    def sent(self) -> int:
        """Requests so far, each repetition counted."""
        return self._sent

    def take(self, url: str) -> None:
        """Count one request that is about to be sent to a server.

        Raises:
            UnavailableError: None is left, or the server was given up.
        """
        with self._lock:
            if lost := self._lost.get(url):
                raise UnavailableError(lost.wanted, lost.found, lost.remedy)
            if self._sent >= self.limit:
                raise UnavailableError(
                    "a request left for this photo",
                    f"all {self.limit} sent",
                    "Raise endpoint_requests, or lower prior_samples or the number of candidates.",
                )
            self._sent += 1

    def give_up(self, url: str, error: UnavailableError) -> None:
        """Send nothing more to a server that is not there: each of many questions would wait for it anew."""
        with self._lock:
            self._lost.setdefault(url, error)

    def allow_counting(self, replies: int) -> None:
        """Set requests aside for counting replies, before the first is sent; `take` still counts each.

        Raises:
            UnavailableError: They are more than is left, or than counting may take.
        """
        with self._lock:
            left = min(self.limit - self._sent, int(self.limit * _FOR_COUNTING) - self._counting)
            if replies > left:
                raise UnavailableError(
                    "a server that gives probabilities (logprobs)",
                    f"none given; counting would take {replies} requests, and {max(left, 0)} of {self.limit} are left "
                    "for it",
                    "Use the strategy direct, a server with logprobs, or raise endpoint_requests.",
                )
            self._counting += replies
