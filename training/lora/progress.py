"""What a LoRA training tells while it runs, and when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class AdapterProgress:
    """A moment of a run."""

    phase: Literal["reading", "training"]  # reading: every lesson once, for its length
    stage: str
    done: int  # lessons read, or steps
    total: int
    loss: float | None = None  # of the last step, mean over its learned tokens
    tokens_per_s: float | None = None  # of all processes, padding left out
    images_per_s: float | None = None
    eta_s: float | None = None  # of the stage


@dataclass(frozen=True, slots=True)
class StageReport:
    """What a stage came to."""

    name: str
    adapter: Path
    spec: str  # base, adapters before and this one: what asks the model as it was trained
    steps: int
    lessons: int  # that were trained with
    left_out: dict[str, int]  # reason -> lessons
    first_loss: float | None  # mean of the first tenth of the steps
    last_loss: float | None  # of the last tenth
    seconds: float  # of training, all sessions, but for what a kill lost after a checkpoint
    tokens_per_s: float  # of this session's steps; 0 where nothing was left to do
    images_per_s: float
    padding: float  # share of this session's tokens that only filled up rows
    resumed_at: int  # step
    was_done: bool  # before this session
    notes: tuple[str, ...] = ()  # what a user should know of the lessons


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """What a run came to."""

    folder: Path
    base: str
    stages: tuple[StageReport, ...]
    is_first: bool  # of several processes the one that reports

    @property
    def spec(self) -> str:
        """The base with all adapters."""
        return self.stages[-1].spec


OnProgress = Callable[[AdapterProgress], None]
