"""`train`: a run of GLEAM-C, begun or taken up again, in one process or in several."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.distributed import processes
from geosleuth.training.gleam_c.progress import OnProgress, RunReport
from geosleuth.training.gleam_c.run import Run
from geosleuth.training.gleam_c.run_folder import RunFolder, opened

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import DataConfig, GleamCConfig

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def train(config: GleamCConfig, out: Path, *, on_progress: OnProgress = lambda _: None) -> RunReport:
    """Train, or go on with the run in `out`; torchrun starts it in several processes.

    Raises:
        InputError: A data set, weights or a package are missing; `out` is of another run, or in use; the disk is full;
            the loss diverged.
        KeyboardInterrupt: Interrupted; what was done is kept, and the same call goes on.
    """
    with processes() as group, contextlib.ExitStack() as stack:
        if config.batch_size % group.count:
            remedy = "Change batch_size: it is over all processes."
            raise InputError(f"a batch_size that {group.count} processes share", str(config.batch_size), remedy)
        config = _absolute(config)
        folder, refused = RunFolder(out), None
        if group.is_first:
            try:
                folder = stack.enter_context(opened(out, config))
            except InputError as error:
                refused = error
        if group.agree(refused is not None):  # all end, or the others would wait for the first for ever
            raise refused or InputError("a run that the first process opened", "one that it refused", "See there.")
        if config.machine.threads is not None:
            import_torch().set_num_threads(config.machine.threads)
        try:
            return Run(config, folder, group, on_progress).run()
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            remedy = "Make room; the same command goes on from the last checkpoint."
            raise InputError(f"room for the run in {out}", str(error), remedy) from error


def _absolute(config: GleamCConfig) -> GleamCConfig:
    """Name the data sets so that a run which is taken up from another folder finds the same ones."""

    def one(data: DataConfig) -> DataConfig:
        return data.model_copy(update={"root": data.root.expanduser().absolute()})

    return config.model_copy(
        update={"data": tuple(map(one, config.data)), "validation": tuple(map(one, config.validation))}
    )
