"""The training loop of both phases.

An epoch is a fixed order of batches: of places near each other until the first refresh, of places that look alike to
the encoder from then on. Everything that is drawn depends on the seed, the epoch, the step and the pair alone, so a run
that is taken up again computes what it would have computed.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_extra, import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c import checkpoint
from geosleuth.training.gleam_c.contrast import contrast
from geosleuth.training.gleam_c.distributed import Processes, processes
from geosleuth.training.gleam_c.export import export_encoder
from geosleuth.training.gleam_c.interruption import interruption
from geosleuth.training.gleam_c.model_card import model_card
from geosleuth.training.gleam_c.optimiser import adamw, descend
from geosleuth.training.gleam_c.pictures import pair_loader
from geosleuth.training.gleam_c.progress import OnProgress, RunReport, TrainingProgress
from geosleuth.training.gleam_c.refresh import gps_batch_neighbours, similar_neighbours
from geosleuth.training.gleam_c.run_folder import RunFolder, opened
from geosleuth.training.gleam_c.sampling import batches, of_rank
from geosleuth.training.gleam_c.shared_encoder import shared_encoder
from geosleuth.training.gleam_c.training_data import open_training_data
from geosleuth.training.gleam_c.validation import Validation, scalars

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import GleamCConfig

logger = logging.getLogger(__name__)

_LOG_STEPS = 10  # a line of metrics for so many steps: often enough for a curve, and the GPU is seldom waited for


def train(config: GleamCConfig, out: Path, *, on_progress: OnProgress = lambda _: None) -> RunReport:
    """Train, or go on with the run in `out`; torchrun starts it in several processes.

    Raises:
        InputError: A data set, weights or a package are missing; `out` is of another run, or in use; the loss diverged.
        KeyboardInterrupt: Interrupted; what was done is kept, and the same call goes on.
    """
    with processes() as group, contextlib.ExitStack() as stack:
        if config.batch_size % group.count:
            remedy = "Change batch_size: it is over all processes."
            raise InputError(f"a batch_size that {group.count} processes share", str(config.batch_size), remedy)
        folder = stack.enter_context(opened(out, config)) if group.is_first else RunFolder(out)
        group.wait()
        if config.machine.threads is not None:
            import_torch().set_num_threads(config.machine.threads)
        return _Run(config, folder, group, on_progress).run()


class _Run:
    """The state of a run between its steps."""

    def __init__(self, config: GleamCConfig, folder: RunFolder, group: Processes, on_progress: OnProgress) -> None:
        torch = import_torch()
        self.config, self.folder, self.group, self.on_progress = config, folder, group, on_progress
        self.data = open_training_data(config.data)
        self.sizes = config.input.sizes()
        self.amp = config.machine.amp == "bf16" and group.device.type == "cuda"
        torch.manual_seed(config.seed)
        self.module = contrast(shared_encoder(config.model, config.input), config.loss, group).to(group.device)
        self.optimiser = adamw(self.module, config)
        self.validation = Validation(config, group, self.module.encoder, self.sizes, amp=self.amp)
        kept = checkpoint.load(folder.checkpoints, self.module, self.optimiser)
        self.counters, self.neighbours = kept or (checkpoint.Counters(), None)
        self.resumed_at = self.counters.total_steps
        self.broken: set[str] = set()
        self.trained_s, self.trained_pairs = 0.0, 0  # of this session
        self.seconds_before, self.began, self.saved = self.counters.seconds, time.monotonic(), time.monotonic()
        if config.machine.compile:
            self.module.encoder.compile()  # in place: the names of the weights stay
        self.parallel = self.module if group.count == 1 else _parallel(self.module, group)

    def run(self) -> RunReport:
        """Train to the end."""
        if self.group.is_first:
            self.folder.write_about([repr(self.data.pairs), *self.validation.said])
            self.folder.keep_metrics_until(self.counters.total_steps)
        with interruption() as asked, self._board() as self.board:
            self.asked = asked
            while not self._done():
                self._epoch()
        return self._report()

    def _done(self) -> bool:
        limit = self.config.max_steps
        return self.counters.epoch >= self.config.epochs or (limit is not None and self.counters.total_steps >= limit)

    def _epoch(self) -> None:
        counters, config = self.counters, self.config
        order = self._batches()
        loader = pair_loader(
            self.data.pairs,
            of_rank(order, self.group.rank, self.group.count),
            self.data.references[self.data.places],
            sizes=self.sizes,
            augment=config.augment,
            seed=config.seed,
            epoch=counters.epoch,
            first_step=counters.step,
            workers=config.machine.workers,
        )
        self.module.train()
        began, at_start = time.monotonic(), counters.step
        with contextlib.closing(loader):
            for batch in loader:
                loss = self._step(batch, len(order))
                counters.step += 1
                counters.total_steps += 1
                counters.pairs += config.batch_size
                self.trained_pairs += config.batch_size
                self._tell(loss, len(order), at_start, time.monotonic() - began)
                if self.group.agree(self.asked.asked):
                    self._save()
                    raise KeyboardInterrupt
                if self.group.agree(time.monotonic() - self.saved > 60 * config.checkpoint_minutes):
                    self._save()
                if config.max_steps is not None and counters.total_steps >= config.max_steps:
                    break
        self.trained_s += time.monotonic() - began
        counters.epoch, counters.step = counters.epoch + 1, 0
        if self._done() or counters.epoch % config.sampling.refresh_epochs == 0:
            self._evaluate()
            if not self._done():
                self._refresh()
        self._save()

    def _batches(self) -> NDArray[np.int64]:
        sampling, config = self.config.sampling, self.config
        if self.neighbours is None and sampling.gps_neighbours:
            self.neighbours = gps_batch_neighbours(self.data, sampling.neighbours)
        order = batches(
            self.data.places,
            self.neighbours,
            batch_size=config.batch_size,
            select=sampling.select,
            seed=config.seed,
            epoch=self.counters.epoch,
            weights=self.data.weights,
        )
        if len(order) == 0:
            found = f"{len(self.data.places):,} pairs, which fill no batch of {config.batch_size}"
            raise InputError("at least one batch of pairs of different places", found, "Lower batch_size.")
        return order

    def _step(self, batch: Any, steps: int) -> Any:
        torch, config, counters = import_torch(), self.config, self.counters
        if config.max_steps is not None:
            progress = (counters.total_steps + 1) / config.max_steps
        else:
            progress = (counters.epoch + (counters.step + 1) / steps) / config.epochs
        # Dropout and stochastic depth draw from here: the same after a resumption, another in each process.
        torch.manual_seed((config.seed * 1_000_003 + counters.total_steps) * 4096 + self.group.rank)
        device = self.group.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.amp):
            loss = self.parallel(
                [group.to(device, non_blocking=True) for group in batch.queries],
                batch.query_rows.to(device),
                [group.to(device, non_blocking=True) for group in batch.references],
                batch.valid.to(device),
            )
        descend(self.module, self.optimiser, loss, progress, config)
        self._note_broken(batch.broken)
        return loss.detach()

    def _note_broken(self, paths: tuple[str, ...]) -> None:
        new = [path for path in paths if path not in self.broken]
        if new:
            self.broken.update(new)
            self.folder.add_broken(new)
            if len(self.broken) == len(new):
                logger.warning("Pictures that cannot be decoded are left out; %s lists them", self.folder.path)

    def _tell(self, loss: Any, steps: int, at_start: int, seconds: float) -> None:
        counters, config = self.counters, self.config
        if counters.total_steps % _LOG_STEPS and counters.step != steps:
            return
        mean = self._mean(loss)
        if not math.isfinite(mean):
            remedy = "Begin anew in another folder with a lower optimiser.lr; the last checkpoint is kept."
            raise InputError("a loss that is a number", f"{mean} at step {counters.total_steps}", remedy)
        done = counters.step - at_start
        rate = done * config.batch_size / seconds
        left = (
            config.max_steps - counters.total_steps
            if config.max_steps is not None
            else (config.epochs - counters.epoch) * steps - counters.step
        )
        if not self.group.is_first:
            return
        self.on_progress(
            TrainingProgress(
                "training",
                counters.epoch + 1,
                config.epochs,
                counters.step,
                steps,
                mean,
                rate,
                left * config.batch_size / rate,
            )
        )
        scale = float(self.module.log_scale.detach().exp())
        self._log({"loss": mean, "lr": self.optimiser.param_groups[0]["lr"], "scale": scale, "pairs_per_s": rate})

    def _mean(self, loss: Any) -> float:
        torch = import_torch()
        if self.group.count > 1:
            torch.distributed.all_reduce(loss)
            loss = loss / self.group.count
        return float(loss)

    def _log(self, values: dict[str, float]) -> None:
        step = self.counters.total_steps
        self.folder.add_metrics(step, {"epoch": self.counters.epoch + 1, **values})
        for name, value in values.items():
            self.board.add_scalar(name, value, step)

    def _evaluate(self) -> None:
        """Measure the validation sets, and export the encoder if it is the best so far, or there are none."""
        found = self.validation.measure(self._embedding)
        if not self.group.is_first:
            return
        if found:
            self._log(scalars(found))
            mean = float(np.mean([one.overall.recall[1] for one in found]))
            if self.counters.best is not None and mean <= self.counters.best:
                return
            self.counters.best = mean
        about = f"GLEAM-C run {self.config.name}, step {self.counters.total_steps}, seed {self.config.seed}"
        export_encoder(self.module.encoder, self.folder.encoder, about=about)
        self.folder.write_card(model_card(self.config, self.counters, [repr(self.data.pairs)], found))

    def _refresh(self) -> None:
        if self.config.sampling.dss:
            self.neighbours = similar_neighbours(
                self.data, self.validation.encode, self.group, self.config.sampling.neighbours
            )

    def _embedding(self, done: int, total: int) -> None:
        if self.group.is_first:
            self.on_progress(
                TrainingProgress(
                    "embedding", min(self.counters.epoch, self.config.epochs), self.config.epochs, done, total
                )
            )

    def _save(self) -> None:
        self.counters.seconds = self.seconds_before + time.monotonic() - self.began
        if self.group.is_first:
            checkpoint.save(self.folder.checkpoints, self.module, self.optimiser, self.counters, self.neighbours)
        self.group.wait()
        self.saved = time.monotonic()

    @contextlib.contextmanager
    def _board(self) -> Iterator[Any]:
        if not self.group.is_first:
            yield None
            return
        board = import_extra("torch.utils.tensorboard").SummaryWriter(
            str(self.folder.path / "tensorboard"), purge_step=self.counters.total_steps + 1
        )
        with contextlib.closing(board):
            yield board

    def _report(self) -> RunReport:
        return RunReport(
            self.folder.path,
            self.counters.total_steps,
            self.counters.pairs,
            self.counters.seconds,
            self.trained_pairs / self.trained_s if self.trained_s else 0.0,
            self.counters.best,
            len(self.broken),
            self.resumed_at,
            self.group.is_first,
        )


def _parallel(module: Any, group: Processes) -> Any:
    torch = import_torch()
    ids = [group.device.index] if group.device.type == "cuda" else None
    return torch.nn.parallel.DistributedDataParallel(module, device_ids=ids)
