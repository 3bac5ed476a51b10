"""The processes of a run: one, or those that torchrun started, over gloo on CPUs and NCCL on GPUs."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.torch_features import import_torch

if TYPE_CHECKING:
    import torch

_CHUNK_BYTES = 2**24  # of each process's rows, sent at once: little beside the whole, and long enough for the network


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

    def gathered(self, names: Iterable[str]) -> set[str]:
        """Return the names of all processes."""
        if self.count == 1:
            return set(names)
        parts: list[list[str]] = [[] for _ in range(self.count)]
        import_torch().distributed.all_gather_object(parts, sorted(names))
        return {name for part in parts for name in part}

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

    def to_first(self, rows: NDArray[Any], lengths: list[int]) -> NDArray[Any] | None:
        """Collect rows (n, ...), of `lengths` per process, in their order in the first process; None in the others.

        Only the first one holds them all: 480,000 x 1024 in float32, SetVL's photos, are 2 GB. Beside the result it
        holds its own rows and one chunk of each process, 16 MiB each.
        """
        if self.count == 1:
            return rows
        torch = import_torch()
        size = max(1, _CHUNK_BYTES // max(1, rows.itemsize * math.prod(rows.shape[1:])))  # the same in each process
        whole = np.empty((sum(lengths), *rows.shape[1:]), rows.dtype) if self.is_first else None
        firsts = np.cumsum([0, *lengths])
        for start in range(0, max(lengths), size):
            chunk = np.zeros((min(size, max(lengths) - start), *rows.shape[1:]), rows.dtype)
            mine = rows[start : start + size]
            chunk[: len(mine)] = mine
            sent = torch.from_numpy(chunk).to(self.device)
            parts = [torch.empty_like(sent) for _ in lengths] if whole is not None else None
            torch.distributed.gather(sent, parts, dst=0)
            for part, first, length in zip(parts or [], firsts, lengths, strict=False):
                count = min(size, length - start)
                if whole is not None and count > 0:
                    whole[first + start : first + start + count] = part[:count].cpu().numpy()
        return whole


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
