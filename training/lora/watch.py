"""What happens between the steps of a stage: metrics, progress, checkpoints by time, an end when one is asked for."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.interruption import Interruption
from geosleuth.training.lora.progress import AdapterProgress, OnProgress

logger = logging.getLogger(__name__)

_WHOLE = "whole"  # a file in a checkpoint that was written to its end, by all processes
_PREFIX = "checkpoint-"
_AGREED_STEPS = 5  # several processes agree on an end every few steps: each time they wait for each other


class Watch:
    """One stage's clock and counters; `callback` gives transformers what it calls."""

    def __init__(
        self,
        stage: str,
        group: Processes,
        asked: Interruption,
        minutes: float,
        tell: OnProgress,
        log: Callable[..., None],
    ) -> None:
        self.stage, self.group, self.asked, self.tell, self.log = stage, group, asked, tell, log
        self.save_every_s = 60 * minutes
        self.trainer: Any = None
        self.seconds_before = 0.0  # of sessions before this one
        self.began = self.saved = time.monotonic()
        self.first_step = 0

    @property
    def seconds(self) -> float:
        """Of this session's training."""
        return time.monotonic() - self.began

    def rate(self, name: str) -> float:
        """Tokens or pictures per second of all processes, taken to have as much to do as this one."""
        return float(self.trainer.seen[name] * self.group.count / max(self.seconds, 1e-9))

    def callback(self) -> Any:
        """Return a callback of transformers."""
        watch = self

        class Callback(import_vlm("transformers").TrainerCallback):  # type: ignore[misc]  # imported late
            def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
                watch.began = watch.saved = time.monotonic()
                watch.first_step = state.global_step

            def on_epoch_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
                watch.trainer.order.set_epoch(int(state.epoch or 0))

            def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
                watch.decide(state, control)

            def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
                if logs and "loss" in logs:
                    watch.note(state, logs)

            def on_save(self, args: Any, state: Any, _control: Any, **_: Any) -> None:
                watch.group.wait()  # each process writes the state of its own generators
                if watch.group.is_first:
                    mark_whole(Path(args.output_dir) / f"{_PREFIX}{state.global_step}")
                watch.saved = time.monotonic()

        return Callback()

    def decide(self, state: Any, control: Any) -> None:
        """Save if it is time, or if somebody wants the run to end."""
        if state.global_step >= state.max_steps or (self.group.count > 1 and state.global_step % _AGREED_STEPS):
            return
        ends = self.group.agree(self.asked.asked)
        if ends:
            logger.warning("Asked to end: a checkpoint is written after step %d.", state.global_step)
        if ends or self.group.agree(time.monotonic() - self.saved > self.save_every_s):
            control.should_save = True
        control.should_training_stop = control.should_training_stop or ends

    def note(self, state: Any, logs: dict[str, float]) -> None:
        """Write a step down.

        Raises:
            InputError: The loss is no number any more.
        """
        step, loss = state.global_step, logs["loss"]
        if not math.isfinite(loss):
            remedy = "Begin anew in another folder with a lower learning_rate; the last checkpoint is kept."
            raise InputError("a loss that is a number", f"{loss} at step {step} of {self.stage}", remedy)
        if not self.group.is_first:
            return
        values = {
            "loss": loss,
            "lr": logs["learning_rate"],
            "grad_norm": logs.get("grad_norm", 0.0),
            "tokens_per_s": self.rate("n_tokens"),
            "images_per_s": self.rate("n_pictures"),
            "seconds": self.seconds_before + self.seconds,
        }
        self.log(step, values)
        eta_s = self.seconds / max(1, step - self.first_step) * (state.max_steps - step)
        speeds = values["tokens_per_s"], values["images_per_s"]
        self.tell(AdapterProgress("training", self.stage, step, state.max_steps, loss, *speeds, eta_s))


def mark_whole(checkpoint: Path) -> None:
    """Say that a checkpoint is written to its end."""
    with appearing(checkpoint / _WHOLE) as scratch:
        scratch.write_text("", encoding="utf-8")


def last_checkpoint(work: Path, *, clean: bool) -> Path | None:
    """Find the newest whole checkpoint.

    Args:
        work: The stage's folder.
        clean: Remove those that a killed run left unfinished.
    """
    whole = []
    for path in work.glob(f"{_PREFIX}*"):
        if (path / _WHOLE).exists():
            whole.append(path)
        elif clean:
            shutil.rmtree(path)
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """Step after which a checkpoint was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def remove_checkpoints(work: Path) -> None:
    """Remove all checkpoints of a stage that is done."""
    for path in work.glob(f"{_PREFIX}*"):
        shutil.rmtree(path)
