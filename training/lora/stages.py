"""One stage: its lessons measured, its adapter trained on those before it, and written."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.loaded import out_of_memory
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.interruption import Interruption, interruption
from geosleuth.training.gleam_c.run_folder import RunFolder
from geosleuth.training.lora.adapter_file import write_adapter
from geosleuth.training.lora.adapter_trainer import make_trainer
from geosleuth.training.lora.card import adapter_card
from geosleuth.training.lora.config import AdapterConfig, StageConfig
from geosleuth.training.lora.encoding import LessonEncoder
from geosleuth.training.lora.lessons_of import StageLessons
from geosleuth.training.lora.progress import AdapterProgress, OnProgress, StageReport
from geosleuth.training.lora.run_folder import StageFolder, write_json
from geosleuth.training.lora.sampling import EpochOrder, shares
from geosleuth.training.lora.survey import Encoded, Steady, Survey, survey
from geosleuth.training.lora.trained_model import Base, load_trained_base, stack
from geosleuth.training.lora.watch import Watch, last_checkpoint, remove_checkpoints, step_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class StageRun:
    """A stage of a run, begun or taken up again."""

    config: AdapterConfig
    stage: StageConfig
    before: tuple[str, ...]  # specs of the adapters below, in order
    folder: StageFolder
    group: Processes
    on_progress: OnProgress

    @property
    def spec(self) -> str:
        """What asks the model as it is trained here."""
        return "+".join((self.config.base, *self.before, f"dir:{self.folder.adapter}"))

    def done(self) -> StageReport:
        """Report a stage that another session trained."""
        known: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(self.folder.report.read_text(encoding="utf-8"))
        return StageReport(
            name=self.stage.name,
            adapter=self.folder.adapter,
            spec=self.spec,
            steps=known.get("steps", 0),
            lessons=known.get("lessons", 0),
            left_out=known.get("left_out", {}),
            first_loss=known.get("first_loss"),
            last_loss=known.get("last_loss"),
            seconds=known.get("seconds", 0.0),
            tokens_per_s=0.0,
            images_per_s=0.0,
            padding=known.get("padding", 0.0),
            resumed_at=known.get("steps", 0),
            was_done=True,
            notes=tuple(known.get("notes", ())),
        )

    def run(self, lessons: StageLessons) -> StageReport:
        """Train the stage to its end.

        Raises:
            InputError: The base or an adapter cannot be loaded, no lesson can be used, the memory does not suffice, or
                the loss is no number any more.
            KeyboardInterrupt: The run was asked to end; what was done is kept.
        """
        torch = import_vlm("torch")
        begun = last_checkpoint(self.folder.work, clean=False) is not None
        self._same_lessons(lessons.about(), begun=begun)
        torch.manual_seed(self.stage.seed)  # the new adapter is drawn from here
        base = load_trained_base(self.config, self.group.device)
        stack(base, self.before, self.stage.lora)
        with interruption() as asked:  # not before: what is loaded can be thrown away at once
            return self._taught(lessons, base, asked, begun=begun)

    def _taught(self, lessons: StageLessons, base: Base, asked: Interruption, *, begun: bool) -> StageReport:
        encoder = LessonEncoder(base.processor, base.end_tokens, self.config.max_pixels)
        encoded = Encoded(lessons, encoder, self.config.max_length)
        measured = survey(
            encoded,
            self.folder.lessons,
            self.group,
            workers=self.config.machine.workers,
            again=not begun,
            ends=lambda: asked.asked,
            tell=self._reading,
        )
        for reason, count in measured.left_out.items():
            logger.warning(
                "%s: %d of %d lessons are left out, %s; the first: %s",
                *(self.stage.name, count, len(lessons), reason, measured.examples[reason]),
            )
        order = self._order(lessons, measured)
        resumed_at, trainer = self._train(base, Steady(encoded, measured), order, asked)
        report = self._report(trainer, measured, resumed_at, lessons.notes)
        if self.group.is_first:
            card = adapter_card(self.config, self.stage, self.before, report, lessons.about())
            write_json(self.folder.report, {**asdict(report), "adapter": str(report.adapter)})
            write_adapter(base.model, base.folder, self.folder.adapter, card)
            remove_checkpoints(self.folder.work)
        self.group.wait()
        return report

    def _same_lessons(self, about: Mapping[str, Any], *, begun: bool) -> None:
        """Note what the lessons are, or compare them with those that the stage began with.

        Where there is no checkpoint, nothing was learned of the others, and what was measured of them is thrown away.
        What a file does not show, `Steady` does: each lesson is compared with what was measured of it.

        Raises:
            InputError: They are others: what was measured, and the order of an epoch, would be another's.
        """
        now = json.loads(json.dumps(about, default=str))
        kept = self.folder.work / "lessons.json"
        before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else now
        self.group.wait()
        if before != now and begun:
            found = f"others than {kept} says"
            remedy = "Name another --out, or put the files back that the run began with."
            raise InputError(f"the lessons that the stage {self.stage.name} began with", found, remedy)
        if self.group.is_first:
            if before != now and self.folder.lessons.exists():
                shutil.rmtree(self.folder.lessons)
            self.folder.lessons.mkdir(parents=True, exist_ok=True)
            write_json(kept, now)
        self.group.wait()

    def _reading(self, done: int, total: int) -> None:
        if self.group.is_first:
            self.on_progress(AdapterProgress("reading", self.stage.name, done, total))

    def _order(self, lessons: StageLessons, measured: Survey) -> EpochOrder:
        ends = [0, *lessons.ends]
        usable = [
            measured.usable[(measured.usable >= start) & (measured.usable < end)] for start, end in pairwise(ends)
        ]
        machine = self.config.machine
        return EpochOrder(
            shares(usable, [source.weight for source in lessons.sources]),
            self.stage.seed,
            lengths=measured.lengths if machine.group_by_length else None,
            unit=machine.batch_size * self.group.count,
        )

    def _train(self, base: Base, data: Steady, order: EpochOrder, asked: Interruption) -> tuple[int, Any]:
        log = RunFolder(self.folder.work)
        checkpoint = last_checkpoint(self.folder.work, clean=self.group.is_first)
        step = 0 if checkpoint is None else step_of(checkpoint)
        board: Any = contextlib.nullcontext()
        if self.group.is_first:
            log.keep_metrics_until(step)
            board = log.board(step)
        self.group.wait()
        with board as writer:

            def note(at: int, values: dict[str, float]) -> None:
                log.add_metrics(at, values)
                for name, value in values.items():
                    writer.add_scalar(name, value, at)

            minutes = self.config.machine.checkpoint_minutes
            watch = Watch(self.stage.name, self.group, asked, minutes, self.on_progress, note)
            watch.seconds_before = max((line["seconds"] for line in self._metrics()), default=0.0)
            callbacks = [watch.callback()]
            trainer = make_trainer(self.config, self.stage, base, data, order, self.folder.work, callbacks, self.group)
            watch.trainer = trainer
            with _still(), _memory_suffices(self.config):
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        if trainer.state.global_step < trainer.state.max_steps:
            raise KeyboardInterrupt
        trainer.rates = (watch.rate("n_tokens"), watch.rate("n_pictures"))
        return step, trainer

    def _metrics(self) -> list[dict[str, float]]:
        if not self.folder.metrics.exists():
            return []
        return [json.loads(line) for line in self.folder.metrics.read_text(encoding="utf-8").splitlines()]

    def _report(self, trainer: Any, measured: Survey, resumed_at: int, notes: tuple[str, ...]) -> StageReport:
        metrics = self._metrics() if self.group.is_first else []
        losses = [line["loss"] for line in metrics]
        tenth = max(1, len(losses) // 10)
        seen = trainer.seen
        return StageReport(
            name=self.stage.name,
            adapter=self.folder.adapter,
            spec=self.spec,
            steps=trainer.state.global_step,
            lessons=len(measured.usable),
            left_out=measured.left_out,
            first_loss=float(np.mean(losses[:tenth])) if losses else None,
            last_loss=float(np.mean(losses[-tenth:])) if losses else None,
            seconds=max((line["seconds"] for line in metrics), default=0.0),
            tokens_per_s=trainer.rates[0],
            images_per_s=trainer.rates[1],
            padding=1 - seen["n_tokens"] / seen["n_padded"] if seen["n_padded"] else 0.0,
            resumed_at=resumed_at,
            was_done=False,
            notes=notes,
        )


@contextlib.contextmanager
def _still() -> Iterator[None]:
    """Let transformers say nothing on stderr: what a user must know, we say."""
    logs = import_vlm("transformers").utils.logging
    before = logs.get_verbosity()
    logs.set_verbosity_error()
    try:
        yield
    finally:
        logs.set_verbosity(before)


@contextlib.contextmanager
def _memory_suffices(config: AdapterConfig) -> Iterator[None]:
    """Say what to do where it does not."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if "out of memory" not in str(error).lower() and not isinstance(error, MemoryError):
            raise
        raise _too_large(config, error) from error


def _too_large(config: AdapterConfig, error: BaseException) -> InputError:
    said = out_of_memory(config.base, "the device", error)
    remedy = (
        'Lower machine.batch_size and raise machine.accumulation, lower max_pixels, or set machine.quantise = "4bit".'
    )
    return InputError(f"memory to train on {config.base}", said.found, f"{remedy} `--estimate` says what is needed.")


def specs_before(config: AdapterConfig, out: Path, stages: Sequence[StageConfig]) -> tuple[str, ...]:
    """Name the adapters that lie below the stage after `stages`."""
    return (*config.adapters_before, *(f"dir:{out / stage.name}" for stage in stages))
