"""`train_adapters`: a LoRA training, begun or taken up again, in one process or in several."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.gleam_c.distributed import processes
from geosleuth.training.lora.config import AdapterConfig
from geosleuth.training.lora.lesson import Lessons
from geosleuth.training.lora.lessons_of import stage_lessons
from geosleuth.training.lora.progress import AdapterReport, OnProgress
from geosleuth.training.lora.run_folder import AdapterRunFolder, opened
from geosleuth.training.lora.stages import StageRun, specs_before

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# safetensors and torch raise errors of their own with the system's in their words; torch's archives often none at all.
_NO_ROOM_WORDS = (*(f"os error {number}" for number in _NO_ROOM), *map(os.strerror, _NO_ROOM), "inline_container")


def train_adapters(
    config: AdapterConfig,
    out: Path,
    *,
    lessons: Mapping[str, Lessons | Sequence[Lessons]] | None = None,
    on_progress: OnProgress | None = None,
) -> AdapterReport:
    """Train the stages that are not done yet, or go on with the one in hand; torchrun starts it in several processes.

    Args:
        config: Of the run.
        out: Its folder; each stage's adapter is the folder with the stage's name in there.
        lessons: Of stages by name, in place of the files that their settings name.
        on_progress: Told in the first process.

    Raises:
        InputError: Data, weights or a package are missing; `out` is of another run, or in use; the memory or the disk
            does not suffice; the loss diverged.
        KeyboardInterrupt: Interrupted; what was done is kept, and the same call goes on.
    """
    torch = import_vlm("torch")
    given = dict(lessons or {})
    unknown = sorted(given.keys() - {stage.name for stage in config.stages})
    if unknown:
        raise InputError("lessons for stages of the run", f"some for {', '.join(unknown)}", "Name a stage of it.")
    with processes() as group, contextlib.ExitStack() as stack:
        folder, refused = AdapterRunFolder(out), None
        if group.is_first:
            try:
                folder = stack.enter_context(opened(out, config))
            except InputError as error:
                refused = error
        if group.agree(refused is not None):  # all end, or the others would wait for the first for ever
            raise refused or InputError("a run that the first process opened", "one that it refused", "See there.")
        if config.machine.threads is not None:
            torch.set_num_threads(config.machine.threads)
        tell = on_progress or (lambda _: None)
        runs = [
            StageRun(
                config,
                stage,
                specs_before(config, out, config.stages[:i]),
                folder.stage(stage.name),
                group,
                tell,
            )
            for i, stage in enumerate(config.stages)
        ]
        todo = {
            run.stage.name: stage_lessons(run.stage, given.get(run.stage.name))
            for run in runs
            if not run.folder.is_done
        }
        if group.is_first:  # what is wrong with the data was said before the folder becomes this run's
            folder.begin(config, {name: data.about() for name, data in todo.items()})
        group.wait()
        try:
            reports = [run.run(todo[run.stage.name]) if run.stage.name in todo else run.done() for run in runs]
        except Exception as error:
            if not _is_no_room(error):
                raise
            remedy = "Make room; the same command goes on from the last checkpoint."
            raise InputError(f"room for the run in {out}", str(error), remedy) from error
        return AdapterReport(out, config.base, tuple(reports), group.is_first)


def _is_no_room(error: Exception) -> bool:
    if isinstance(error, InputError):
        return False
    return getattr(error, "errno", None) in _NO_ROOM or any(words in str(error) for words in _NO_ROOM_WORDS)
