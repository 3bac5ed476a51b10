"""How many requests one photo's investigation may send to a server."""

from __future__ import annotations

from threading import Lock

from geosleuth.indexes.errors import InputError


class RequestsBudget:
    """A count that several threads draw from; each photo's view has its own."""

    def __init__(self, requests: int) -> None:
        self.limit = requests
        self._sent = 0
        self._lock = Lock()

    @property
    def sent(self) -> int:
        """Requests so far, each repetition counted."""
        return self._sent

    def take(self) -> None:
        """Count one request that is about to be sent.

        Raises:
            InputError: None is left.
        """
        with self._lock:
            if self._sent >= self.limit:
                raise InputError(
                    "a request left for this photo",
                    f"all {self.limit} sent",
                    "Raise endpoint_requests, or lower prior_samples or the number of candidates.",
                )
            self._sent += 1
