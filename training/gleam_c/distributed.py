"""The processes of a run: one, or those that torchrun started, over gloo on CPUs and NCCL on GPUs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among its like."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes: files, logs and progress are the first one's alone."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            import_torch().distributed.barrier()

    def agree(self, value: bool) -> bool:
        """Return whether any process says yes."""
        if self.count == 1:
            return value
        torch = import_torch()
        flag = torch.tensor([int(value)], device=self.device)
        torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
        return bool(flag.item())

    def from_first(self, array: NDArray[Any] | None, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Give every process the array of the first one; the others pass None."""
        if self.count == 1:
            if array is None:
                raise ValueError("the first process brings the array")
            return array
        torch = import_torch()
        tensor = torch.from_numpy(np.ascontiguousarray(array) if array is not None else np.empty(shape, dtype))
        tensor = tensor.to(self.device)
        torch.distributed.broadcast(tensor, src=0)
        result: NDArray[Any] = tensor.cpu().numpy()
        return result

    def to_first(self, rows: NDArray[np.float32], lengths: list[int]) -> NDArray[np.float32] | None:
        """Collect rows (n, d), of `lengths` per process, one below the other in the first process; None in the others.

        Only the first one holds them all: at SetVL's size they are 2 GB.
        """
        if self.count == 1:
            return rows
        torch = import_torch()
        longest = max(lengths)
        padded = torch.zeros((longest, rows.shape[1]), device=self.device)
        padded[: len(rows)] = torch.from_numpy(rows).to(self.device)
        parts = [torch.empty_like(padded) for _ in lengths] if self.is_first else None
        torch.distributed.gather(padded, parts, dst=0)
        if parts is None:
            return None
        joined: NDArray[np.float32] = np.concatenate(
            [part[:length].cpu().numpy() for part, length in zip(parts, lengths, strict=True)]
        )
        return joined


def share(total: int, processes: Processes) -> slice:
    """Return which of `total` rows are this process's: contiguous, sizes differ by one at most."""
    return _share(total, processes.rank, processes.count)


def share_lengths(total: int, processes: Processes) -> list[int]:
    """Return how many rows each process has."""
    slices = [_share(total, rank, processes.count) for rank in range(processes.count)]
    return [one.stop - one.start for one in slices]


def _share(total: int, rank: int, count: int) -> slice:
    return slice(total * rank // count, total * (rank + 1) // count)


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Join the processes that torchrun started, for as long as the context lasts; alone without torchrun."""
    torch = import_torch()
    has_gpu = torch.cuda.is_available()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(0, 1, torch.device("cuda" if has_gpu else "cpu"))
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if has_gpu else torch.device("cpu")
    if has_gpu:
        torch.cuda.set_device(device)
    # A group of the caller's own (a test) is joined, and left as it is.
    own = not torch.distributed.is_initialized()
    if own:
        torch.distributed.init_process_group("nccl" if has_gpu else "gloo")
    try:
        yield Processes(torch.distributed.get_rank(), torch.distributed.get_world_size(), device)
    finally:
        if own:
            torch.distributed.destroy_process_group()
