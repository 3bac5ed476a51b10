"""A run between its steps: the training loop of both phases.

An epoch is a fixed order of batches: of places near each other until the first refresh, of places that look alike to
the encoder from then on. Everything that is drawn depends on the seed, the epoch, the step and the pair alone, so a run
that is taken up again computes what it would have computed.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c import checkpoint
from geosleuth.training.gleam_c.contrast import contrast
from geosleuth.training.gleam_c.distributed import Processes
from geosleuth.training.gleam_c.export import export_encoder
from geosleuth.training.gleam_c.interruption import interruption
from geosleuth.training.gleam_c.model_card import model_card
from geosleuth.training.gleam_c.optimiser import adamw, descend
from geosleuth.training.gleam_c.pictures import pair_loader
from geosleuth.training.gleam_c.progress import OnProgress, RunReport, TrainingProgress
from geosleuth.training.gleam_c.refresh import gps_batch_neighbours, similar_neighbours
from geosleuth.training.gleam_c.run_folder import RunFolder
from geosleuth.training.gleam_c.sampling import batches, of_rank
from geosleuth.training.gleam_c.shared_encoder import shared_encoder
from geosleuth.training.gleam_c.training_data import open_training_data
from geosleuth.training.gleam_c.validation import Validation, scalars

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import GleamCConfig

logger = logging.getLogger(__name__)

_LOG_STEPS = 10  # a line of metrics for so many steps: often enough for a curve, and the GPU is seldom waited for


class Run:
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
        self.validation = Validation(
            config, group, self.module.encoder, self.sizes, amp=self.amp, on_progress=self._embedding
        )
        kept = checkpoint.load(folder.checkpoints, self.module, self.optimiser)
        self.counters, self.neighbours = kept or (checkpoint.Counters(), None)
        self.resumed_at = self.counters.total_steps
        self.broken = folder.broken() if group.is_first else set()
        self.loss: Any = None  # of the last step
        self.warned = False  # of pictures that cannot be decoded
        self.trained_s, self.trained_pairs = 0.0, 0  # of this session
        self.seconds_before, self.began, self.saved = self.counters.seconds, time.monotonic(), time.monotonic()
        if config.machine.compile:
            self.module.encoder.compile()  # in place: the names of the weights stay
        self.parallel = self.module if group.count == 1 else _parallel(self.module, group)

    def run(self) -> RunReport:
        """Train to the end."""
        if not self._is_trained():
            self._batches()  # what is wrong with the data is said before the folder becomes this run's
        if self.group.is_first:
            self.folder.write_settings(self.config)
            self._say_data()
            self.folder.keep_metrics_until(self.counters.total_steps)
        first = self.group.is_first
        board: Any = self.folder.board(self.counters.total_steps) if first else contextlib.nullcontext()
        with interruption() as self.asked, board as self.board:
            while True:
                if self.counters.due:
                    self._end_epoch()
                if self._is_trained():
                    return self._report()
                self._epoch()

    def _say_data(self) -> None:
        said = [*self.data.said, *self.validation.said]
        self.folder.write_about(said)
        for line in said:
            logger.log(logging.WARNING if self.data.pairs.skipped else logging.INFO, "%s", line)

    def _is_trained(self) -> bool:
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
                self.loss = self._step(batch, len(order))
                counters.step += 1
                counters.total_steps += 1
                counters.pairs += config.batch_size
                self.trained_pairs += config.batch_size
                self._tell(len(order), at_start, time.monotonic() - began)
                if counters.step == len(order) or self._is_trained():
                    break
                self._save_if_asked()
        self.trained_s += time.monotonic() - began
        counters.epoch, counters.step = counters.epoch + 1, 0
        counters.due = self._is_trained() or counters.epoch % config.sampling.refresh_epochs == 0
        if counters.due:  # measuring takes long, and must not lose the epoch
            self._save()

    def _save_if_asked(self) -> None:
        """Save if it is time, or if somebody wants the run to end.

        Several processes must agree, for which a GPU is waited for: they do so every few steps.
        """
        if self.group.count > 1 and self.counters.total_steps % _LOG_STEPS:
            return
        ends = self.group.agree(self.asked.asked)
        if ends or self.group.agree(time.monotonic() - self.saved > 60 * self.config.checkpoint_minutes):
            self._save()
        if ends:
            raise KeyboardInterrupt

    def _end_epoch(self) -> None:
        """Measure and export the encoder, and find what looks alike to it."""
        self._evaluate()
        if self.config.sampling.dss and not self._is_trained():
            self.neighbours = similar_neighbours(
                self.data, self.validation.encode, self.group, self.config.sampling.neighbours
            )
        self.counters.due = False
        self._save()

    def _batches(self) -> NDArray[np.int64]:
        sampling, config = self.config.sampling, self.config
        if self.neighbours is None and sampling.gps_neighbours:
            self.neighbours = gps_batch_neighbours(self.data, sampling.neighbours)
        return batches(
            self.data.places,
            self.neighbours,
            batch_size=config.batch_size,
            select=sampling.select,
            seed=config.seed,
            epoch=self.counters.epoch,
            weights=self.data.weights,
        )

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

    def _note_broken(self, paths: Iterable[str]) -> None:
        new = set(paths) - self.broken
        if new and not self.warned:
            logger.warning(
                "Pictures that cannot be decoded are left out; broken.json in %s lists them", self.folder.path
            )
            self.warned = True
        self.broken |= new

    def _tell(self, steps: int, at_start: int, seconds: float) -> None:
        counters, config = self.counters, self.config
        if counters.total_steps % _LOG_STEPS and counters.step != steps:
            return
        mean = self._checked_loss()
        rate = (counters.step - at_start) * config.batch_size / seconds
        left = (config.epochs - counters.epoch) * steps - counters.step
        if config.max_steps is not None:
            left = config.max_steps - counters.total_steps
        if not self.group.is_first:
            return
        eta_s = left * config.batch_size / rate
        epoch, epochs = counters.epoch + 1, config.epochs
        self.on_progress(TrainingProgress("training", epoch, epochs, counters.step, steps, mean, rate, eta_s))
        scale = float(self.module.log_scale.detach().exp())
        self._log({"loss": mean, "lr": self.optimiser.param_groups[0]["lr"], "scale": scale, "pairs_per_s": rate})

    def _checked_loss(self) -> float:
        """Return the mean of all processes' last losses.

        Raises:
            InputError: It is no number; what is kept is from before.
        """
        loss = self.loss.clone()
        if self.group.count > 1:
            import_torch().distributed.all_reduce(loss)
        mean = float(loss) / self.group.count
        if not math.isfinite(mean):
            raise self._diverged(f"a loss of {mean}")
        return mean

    def _diverged(self, found: str) -> InputError:
        remedy = "Begin anew in another folder with a lower optimiser.lr; the last checkpoint is kept."
        return InputError("a loss and weights that are numbers", f"{found} at step {self.counters.total_steps}", remedy)

    def _log(self, values: dict[str, float]) -> None:
        step = self.counters.total_steps
        epoch = self.counters.epoch + (not self.counters.due)  # the one in hand, or that has just ended
        self.folder.add_metrics(step, {"epoch": epoch, **values})
        for name, value in values.items():
            self.board.add_scalar(name, value, step)

    def _evaluate(self) -> None:
        """Measure the validation sets, and export the encoder if it is the best so far, or there are none."""
        found = self.validation.measure()
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
        self.folder.write_card(model_card(self.config, self.counters, self.data.said, found))

    def _embedding(self, done: int, total: int) -> None:
        if self.asked.asked:  # the epoch was saved before, and its end is done anew
            raise KeyboardInterrupt
        if self.group.is_first:
            self.on_progress(TrainingProgress("embedding", self.counters.epoch, self.config.epochs, done, total))

    def _save(self) -> None:
        self.counters.seconds = self.seconds_before + time.monotonic() - self.began
        if self.loss is not None:  # what is no number must not take the place of good weights
            self._checked_loss()
            if not all(bool(weights.isfinite().all()) for weights in self.module.parameters()):
                raise self._diverged("infinite weights")
        self._note_broken(self.group.gathered(self.broken | self.validation.broken))
        if self.group.is_first:
            checkpoint.save(self.folder.checkpoints, self.module, self.optimiser, self.counters, self.neighbours)
            if self.broken:
                self.folder.write_broken(self.broken)
        self.group.wait()
        self.saved = time.monotonic()

    def _report(self) -> RunReport:
        return RunReport(
            self.folder.path,
            self.counters.total_steps,
            self.counters.pairs,
            self.counters.seconds,
            self.trained_pairs / self.trained_s if self.trained_s else 0.0,
            self.counters.best,
            len(self.broken),
            len(self.data.pairs.skipped),
            self.resumed_at,
            self.group.is_first,
        )


def _parallel(module: Any, group: Processes) -> Any:
    torch = import_torch()
    ids = [group.device.index] if group.device.type == "cuda" else None
    return torch.nn.parallel.DistributedDataParallel(module, device_ids=ids)
