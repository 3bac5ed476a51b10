"""What a build tells while it runs, and when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Phase = Literal["listing", "encoding", "writing"]

# Short enough that a person sees it move, long enough that drawing it costs nothing.
_INTERVAL_S = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of a build; made some four times a second."""

    phase: Phase
    done: int  # images listed, encoded or skipped so far, those of an earlier run included
    total: int | None  # None while the listing is being made
    skipped: int = 0  # of `done`: without a position, or unreadable
    rate: float | None = None  # images per second of this run
    eta_s: float | None = None  # of this phase


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build or an add did; `geosleuth index info` shows the index itself."""

    folder: Path
    listed: int  # images that the source holds
    added: int  # of these, new references
    skipped: int  # without a position, unreadable, changed or gone
    duplicates: int  # left out: the same bytes at the same place as another reference
    already_there: int  # left out: added from this very source before
    repeated: int  # kept: the same bytes as another reference, at another place
    references: int  # in the whole index now
    resumed: int = 0  # images that an interrupted run had done
    seconds: float = 0.0  # of this run


class Meter:
    """Counts what is done, and tells it at most every quarter of a second and at the end of a phase."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self._phase: Phase = "listing"
        self._total: int | None = None
        self._done = self._skipped = self._before = 0
        self._started = self._told = time.monotonic()

    def start(self, phase: Phase, total: int | None, *, done: int = 0, skipped: int = 0) -> None:
        """Begin a phase; `done` and `skipped` are from an earlier run, and do not count into the rate."""
        self._phase, self._total, self._done, self._skipped, self._before = phase, total, done, skipped, done
        self._started = time.monotonic()
        self.tell()

    def add(self, done: int = 1, skipped: int = 0) -> None:
        """Count images, those skipped among them."""
        self._done += done
        self._skipped += skipped
        if time.monotonic() - self._told >= _INTERVAL_S:
            self.tell()

    def tell(self) -> None:
        """Hand the present state to the caller."""
        self._told = time.monotonic()
        if self._on_progress is None:
            return
        seconds = self._told - self._started
        fresh = self._done - self._before
        rate = fresh / seconds if fresh and seconds > 0 else None
        eta_s = (self._total - self._done) / rate if rate and self._total is not None else None
        self._on_progress(Progress(self._phase, self._done, self._total, self._skipped, rate, eta_s))
