"""One training of one adapter, or of several on top of each other: what tables share is trained once. Resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from geosleuth.training.lora.config import AdapterConfig, LoraSettings, MachineConfig, StageConfig
from geosleuth.training.lora.lesson import Lessons
from geosleuth.training.lora.train import train_adapters

# 8 % of the small model's parameters; the published rank of 64 is 2 % of Qwen's 7 B, which know more of what is asked.
LORA = LoraSettings(r=16, alpha=32.0, dropout=0.0)
LEARNING_RATE = 2e-3  # the base's own; the published 1e-5 is for 7 B parameters that know the world
BATCH = 32


@dataclass(frozen=True)
class Run:
    """An adapter: what it is taught, how long, and what lies below it."""

    name: str
    data: str  # names the lessons in `Material`
    steps: int
    seed: int
    before: Run | None = None

    @property
    def lessons(self) -> int:
        """Of this run alone."""
        return self.steps * BATCH

    @property
    def below(self) -> tuple[Run, ...]:
        """The runs that this one lies on, the lowest first, and itself."""
        return (*(self.before.below if self.before else ()), self)

    def key(self) -> str:
        """Name it by all that it is made with, but for the base and the towns, after which its folder is named."""
        said = [(one.data, one.steps, one.seed, LORA.model_dump(), LEARNING_RATE, BATCH) for one in self.below]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def folder(self, runs: Path) -> Path:
        """Where it lies."""
        return runs / self.key()

    def spec(self, base: Path, runs: Path) -> str:
        """Return the model with the adapter."""
        return "+".join([f"dir:{base}", *(f"dir:{one.folder(runs) / one.name}" for one in self.below)])


def train_run(run: Run, base: Path, runs: Path, opened: Mapping[str, Callable[[], Lessons | list[Lessons]]]) -> Path:
    """Train a run whose lower ones are there; one that is finished is left as it is."""
    config = AdapterConfig(
        name=run.name,
        base=f"dir:{base}",
        adapters_before=tuple(f"dir:{one.folder(runs) / one.name}" for one in run.below[:-1]),
        stages=(
            StageConfig(
                name=run.name,
                epochs=1000.0,  # ended by the steps
                max_steps=run.steps,
                learning_rate=LEARNING_RATE,
                warmup_ratio=0.05,
                weight_decay=0.0,
                seed=run.seed,
                lora=LORA,
            ),
        ),
        machine=MachineConfig(
            batch_size=BATCH, accumulation=1, precision="float32", gradient_checkpointing=False, workers=0, threads=1
        ),
    )
    folder = run.folder(runs)
    train_adapters(config, folder, lessons={run.name: opened[run.data]()})
    return folder
