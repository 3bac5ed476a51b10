"""Teach a small model with all of its weights, from nothing: what a real base brings from its own makers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.lora.collate import COUNTS, Collate
from geosleuth.training.lora.encoding import LessonEncoder, Row
from geosleuth.training.lora.lesson import Lessons

_LEARNING_RATE = 2e-3  # of AdamW at its peak: high, as small models take it
_WEIGHT_DECAY = 0.05
_WARM_UP = 0.1  # share of the steps
_CLIP = 1.0  # norm of the gradient
_SAID_EVERY = 20  # steps
_ANY_SIZE = 1 << 30  # px: the pictures of towns are small, and stay as they are


logger = logging.getLogger(__name__)


class Taught(NamedTuple):
    """How far it is."""

    step: int
    steps: int
    loss: float  # mean since the last time


def teach(
    untrained: Path,
    lessons: Lessons,
    out: Path,
    *,
    steps: int,
    batch: int = 32,
    seed: int = 0,
    on_progress: Callable[[Taught], Any] | None = None,
) -> Path:
    """Train a model's every weight on lessons, and write it whole.

    Args:
        untrained: Folder that `write_base` wrote.
        lessons: Drawn by chance, all before any a second time.
        out: Folder to be made.
        steps: Of the optimiser.
        batch: Lessons a step.
        seed: Of their order.
        on_progress: Told every 20 steps.

    Raises:
        InputError: `out` is there already or cannot be made, or no lesson can be read.
    """
    scratch = begun(out)
    torch, transformers = import_vlm("torch"), import_vlm("transformers")
    torch.manual_seed(seed)
    processor = transformers.AutoProcessor.from_pretrained(untrained)
    model = transformers.AutoModelForImageTextToText.from_pretrained(untrained, dtype=torch.float32).train()
    collate = Collate(processor.tokenizer.pad_token_id)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, steps + 1, pct_start=_WARM_UP)
    losses = []
    rows = _rows(lessons, LessonEncoder(processor, [processor.tokenizer.eos_token_id], _ANY_SIZE), batch, seed)
    for step in range(1, steps + 1):
        taken = collate(next(rows))
        for name in COUNTS:
            taken.pop(name)
        labels = taken.pop("shift_labels")
        taken.pop("labels")
        logits = model(**taken).logits
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        losses.append(loss.item())
        if on_progress and (step % _SAID_EVERY == 0 or step == steps):
            on_progress(Taught(step, steps, float(np.mean(losses[-_SAID_EVERY:]))))
    model.save_pretrained(scratch)
    processor.save_pretrained(scratch)
    scratch.replace(out)
    return out


def begun(out: Path) -> Path:
    """Make the folder that becomes `out` in the end, before the work that goes into it.

    Raises:
        InputError: `out` is there already, or cannot be made.
    """
    if out.exists():
        raise InputError("a folder that is not there yet", str(out), "Name another, or delete it.")
    scratch = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"a folder {out} that can be made", f"{error}", "Name another with --out.") from error
    return scratch


def _rows(lessons: Lessons, encoder: LessonEncoder, batch: int, seed: int) -> Iterator[list[list[Row]]]:
    """Give batches without end; lessons whose picture cannot be read are left out, and counted in the log."""
    rng = np.random.default_rng(seed)
    taken: list[list[Row]] = []
    while True:
        read, left_out = 0, ""
        for index in rng.permutation(len(lessons)):
            try:
                taken.append(encoder.encode(lessons[int(index)]))
            except InputError as error:
                left_out = left_out or f"{len(lessons)} lessons; the first that cannot be read: {error}"
                continue
            read += 1
            if len(taken) == batch:
                yield taken
                taken = []
        if not read:
            raise InputError("lessons whose pictures can be read", f"none of {left_out}", "Draw the towns again.")
        if left_out:
            logger.warning("%d of %s", len(lessons) - read, left_out)
