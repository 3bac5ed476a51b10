"""What a run tells while it trains, and when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """A moment of a run."""

    phase: Literal["training", "embedding"]
    epoch: int  # from 1
    epochs: int
    done: int  # steps of the epoch, or pictures embedded
    total: int
    loss: float | None = None
    pairs_per_s: float | None = None
    eta_s: float | None = None  # of the run, at the present rate, refreshes left out


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run came to."""

    folder: Path
    steps: int
    pairs: int
    seconds: float  # of all sessions
    pairs_per_s: float  # of this session's training steps, refreshes left out; 0 where nothing was left to do
    recall_at_1: float | None  # of the exported encoder, mean over the validation sets
    broken: int  # pictures that could not be decoded
    skipped: int  # rows of the training sets whose pictures are not there, or that are malformed
    resumed_at: int  # step
    is_first: bool  # of several processes the one that reports


OnProgress = Callable[[TrainingProgress], None]
