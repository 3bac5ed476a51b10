"""A run's state on disk: weights, optimiser and counters, in safetensors and JSON; whole or not at all.

    checkpoints/000012/weights.safetensors     encoder and log scale
    checkpoints/000012/optimiser.safetensors   `NUMBER.exp_avg`, `NUMBER.exp_avg_sq`, `NUMBER.step` per parameter
    checkpoints/000012/state.json              `Counters`
    checkpoints/000012/neighbours.safetensors  what batches are made of until the next refresh; absent before

No random state is kept: what is drawn depends on the seed and the step alone.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from geosleuth.indexes.encoders.torch_features import import_extra
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import flush_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHTS, _OPTIMISER, _STATE, _NEIGHBOURS = (
    "weights.safetensors",
    "optimiser.safetensors",
    "state.json",
    "neighbours.safetensors",
)


class Counters(BaseModel):
    """Where a run stands."""

    model_config = ConfigDict(extra="forbid")

    epoch: int = 0
    step: int = 0  # of the epoch: how many of its batches are done
    total_steps: int = 0
    pairs: int = 0  # that were trained on, over all epochs
    seconds: float = 0.0  # of all sessions
    due: bool = False  # whether the epoch that ended is still to be measured, and its look-alikes to be found
    best: float | None = None  # mean recall@1 over the validation sets, of the encoder that is exported


def save(folder: Path, module: Any, optimiser: Any, counters: Counters, neighbours: NDArray[np.int32] | None) -> None:
    """Write a checkpoint below `folder`, then remove the ones before it.

    Raises:
        InputError: The disk is full, or does not take it; the checkpoint before is kept.
    """
    before = _numbered(folder)
    final = folder / f"{int(before[-1].name) + 1 if before else 1:06d}"
    scratch = folder / f".{final.name}.part"
    try:
        for stale in folder.glob(".*.part"):  # of a run that was killed while it wrote
            shutil.rmtree(stale)
        scratch.mkdir(parents=True)
        _write(scratch, module, optimiser, counters, neighbours)
        scratch.rename(final)
        flush_folder(folder)
    except (OSError, import_extra("safetensors").SafetensorError) as error:
        shutil.rmtree(scratch, ignore_errors=True)
        remedy = "Make room; the same command then goes on from the checkpoint before."
        raise InputError(f"room for a checkpoint in {folder}", str(error), remedy) from error
    for path in before:
        shutil.rmtree(path)


def _write(folder: Path, module: Any, optimiser: Any, counters: Counters, neighbours: NDArray[np.int32] | None) -> None:
    files = import_extra("safetensors.torch")
    files.save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, folder / _WEIGHTS)
    files.save_file(_optimiser_tensors(optimiser), folder / _OPTIMISER)
    if neighbours is not None:
        import_extra("safetensors.numpy").save_file({"neighbours": neighbours}, folder / _NEIGHBOURS)
    (folder / _STATE).write_text(counters.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())


def _numbered(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("[0-9]*") if path.name.isdigit())


def load(folder: Path, module: Any, optimiser: Any) -> tuple[Counters, NDArray[np.int32] | None] | None:
    """Put the newest checkpoint below `folder` into `module` and `optimiser`; None where there is none.

    Raises:
        InputError: It is damaged, or of another network.
    """
    newest = next(reversed(_numbered(folder)), None)
    if newest is None:
        return None
    files = import_extra("safetensors.torch")
    try:
        counters = Counters.model_validate_json((newest / _STATE).read_bytes())
        module.load_state_dict(files.load_file(newest / _WEIGHTS))
        _restore_optimiser(optimiser, files.load_file(newest / _OPTIMISER))
        path = newest / _NEIGHBOURS
        kept = import_extra("safetensors.numpy").load_file(path)["neighbours"] if path.exists() else None
    except (OSError, ValidationError, RuntimeError, KeyError, import_extra("safetensors").SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        remedy = "Begin anew in another folder; the encoder of this one, if there is one, is dir:RUN."
        raise InputError(f"the checkpoint {newest}", f"one that cannot be read ({reason})", remedy) from error
    return counters, kept


def _optimiser_tensors(optimiser: Any) -> dict[str, Any]:
    state = optimiser.state_dict()["state"]
    return {f"{number}.{name}": value for number, one in state.items() for name, value in one.items()}


def _restore_optimiser(optimiser: Any, tensors: dict[str, Any]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
