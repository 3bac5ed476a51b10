"""transformers' Trainer for one adapter: our order of lessons, our loss over the learned tokens alone, our files.

Checkpoints hold the trained weights as safetensors; the optimiser's and the generators' state transformers reads with
`weights_only`, so that nothing is ever unpickled.
"""

from __future__ import annotations

import logging
import math
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.tools.vlm.quiet import quiet
from geosleuth.training.lora.collate import COUNTS, REFUSED, Collate
from geosleuth.training.lora.trained_model import Base, trained_weights

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.distributed import Processes
    from geosleuth.training.lora.config import AdapterConfig, StageConfig
    from geosleuth.training.lora.sampling import EpochOrder

logger = logging.getLogger(__name__)

_CHECKPOINTS = 2  # kept: the one before is there while the next is written
_PREFETCHED = 2  # batches that each worker holds ready; one of ten lessons with large pictures has 150 MB
WEIGHTS = "trained.safetensors"


def make_trainer(
    config: AdapterConfig,
    stage: StageConfig,
    base: Base,
    data: Any,
    order: EpochOrder,
    work: Path,
    watch: Sequence[Any],
    group: Processes,
) -> Any:
    """Make a Trainer that reports to nobody, pushes nothing and prints nothing.

    Args:
        config: Of the run.
        stage: To be trained.
        base: With the adapters on it.
        data: Lessons by number, each a list of rows or the error that ends the run.
        order: Of the epochs; whoever calls sets the epoch.
        work: Where checkpoints go.
        watch: Callbacks of transformers.
        group: The processes.
    """
    transformers = import_vlm("transformers")
    with quiet():
        trainer = _trainer_class()(
            model=base.model,
            args=_arguments(config, stage, base, work, steps_of(stage, config, order, group)),
            data_collator=Collate(base.pad_token),
            train_dataset=data,
            callbacks=list(watch),
        )
    trainer.order, trainer.group = order, group
    trainer.loss_is_scaled_for_ga = True
    trainer.model_accepts_loss_kwargs = True  # so that the learned tokens of a whole step are counted
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def steps_of(stage: StageConfig, config: AdapterConfig, order: EpochOrder, group: Processes) -> int:
    """Count the steps of a stage: those of its epochs, or `max_steps` where that is fewer."""
    batches = len(order) // (config.machine.batch_size * group.count)
    steps = math.ceil(stage.epochs * math.ceil(batches / config.machine.accumulation))
    return steps if stage.max_steps is None else min(steps, stage.max_steps)


def rate_at(step: int, steps: int, warm_up: int, schedule: str) -> float:
    """Return the share of the learning rate in a step, from 0: no step has a rate of 0, not even the only one.

    Those of transformers begin a warm-up with 0, and of a run of one step nothing would come.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return {"constant_with_warmup": 1.0, "linear": 1 - done, "cosine": 0.5 * (1 + math.cos(math.pi * done))}[schedule]


def _arguments(config: AdapterConfig, stage: StageConfig, base: Base, work: Path, steps: int) -> Any:
    machine = config.machine
    arguments = import_vlm("transformers").TrainingArguments(
        output_dir=str(work),
        per_device_train_batch_size=machine.batch_size,
        gradient_accumulation_steps=machine.accumulation,
        max_steps=steps,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup_ratio,  # below 1: of all steps, rounded up
        optim="adamw_torch",
        weight_decay=stage.weight_decay,
        adam_beta2=stage.adam_beta2,
        max_grad_norm=stage.max_grad_norm,
        seed=stage.seed,
        bf16=base.precision == "bf16",
        use_cpu=base.model.device.type == "cpu",
        activation_checkpointing=machine.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},  # the other form needs inputs that are trained
        save_strategy="no",  # by time: see `watch.py`
        save_total_limit=_CHECKPOINTS,
        logging_steps=1,
        logging_nan_inf_filter=False,  # a loss that is no number ends the run
        log_level="error",
        log_level_replica="error",
        disable_tqdm=True,
        report_to="none",
        push_to_hub=False,
        remove_unused_columns=False,
        dataloader_num_workers=machine.workers,
        ddp_find_unused_parameters=stage.lora.vision,  # a batch without a picture leaves the tower's unused
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # else several GPUs without torchrun would share a batch row by row
    return arguments


def _trainer_class() -> Any:
    torch, transformers = import_vlm("torch"), import_vlm("transformers")
    safetensors = import_vlm("safetensors.torch")

    class AdapterTrainer(transformers.Trainer):  # type: ignore[misc, name-defined]  # imported late
        """See the module."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.order: Any = None
            self.group: Any = None
            self.lr_scheduler: Any
            self.seen: Counter[str] = Counter()  # in this process and session

        def get_train_dataloader(self) -> Any:
            workers = self.args.dataloader_num_workers
            if workers:
                import cv2

                cv2.setNumThreads(1)  # a forked worker would have none of this process's threads, and wait for them
            loader = torch.utils.data.DataLoader(
                self.train_dataset,
                batch_size=self.args.per_device_train_batch_size,
                sampler=self.order,
                collate_fn=self.data_collator,
                num_workers=workers,
                prefetch_factor=_PREFETCHED if workers else None,
                pin_memory=torch.cuda.is_available(),
                worker_init_fn=begin_worker,
            )
            return self.accelerator.prepare(loader)

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            if self.lr_scheduler is None:
                warm_up, kind = self.args.get_warmup_steps(num_training_steps), str(self.args.lr_scheduler_type.value)
                self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                    optimizer or self.optimizer, lambda step: rate_at(step, num_training_steps, warm_up, kind)
                )
                self._created_lr_scheduler = True
            return self.lr_scheduler

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
            batches = []
            for batch in epoch_iterator:
                batches.append(batch)
                if len(batches) == num_batches or REFUSED in batch:
                    break
            refused = next((batch[REFUSED] for batch in batches if REFUSED in batch), None)
            if refused is not None and not self.group.is_first:
                logger.error("%s", refused)  # it is the first one's words that a user reads
            if self.group.agree(refused is not None):
                remedy = "See what it says above."
                raise refused or InputError("lessons", "one that another process refused", remedy)
            return batches, self._get_num_items_in_batch(batches, device)

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            inputs = dict(inputs)
            self.seen.update({name: inputs.pop(name) for name in COUNTS})
            inputs.pop("labels")
            targets = inputs.pop("shift_labels")
            outputs = model(**inputs, use_cache=False)
            loss = torch.nn.functional.cross_entropy(outputs.logits.float(), targets, reduction="sum")
            # Over all learned tokens of the step, whichever batch and process they are in; DDP takes the mean.
            count = len(targets) if num_items_in_batch is None else num_items_in_batch
            loss = loss / count * (self.accelerator.num_processes if num_items_in_batch is not None else 1)
            return (loss, outputs) if return_outputs else loss

        def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
            if not self.args.should_save:
                return
            folder = Path(output_dir or self.args.output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            state = {name: weight.detach().cpu().contiguous() for name, weight in trained_weights(self.model).items()}
            safetensors.save_file(state, folder / WEIGHTS)

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            state = safetensors.load_file(Path(resume_from_checkpoint) / WEIGHTS)
            weights = trained_weights(model or self.model)
            if state.keys() != weights.keys():
                raise ValueError("a checkpoint of another adapter")
            with torch.no_grad():
                for name, weight in weights.items():
                    weight.copy_(state[name])

    return AdapterTrainer


def begin_worker(_: int) -> None:
    """Run first in a process that decodes: signals are for the training process, which ends its workers."""
    import cv2

    cv2.setNumThreads(1)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
