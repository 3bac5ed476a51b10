"""All processes' rows in every process, with the gradient flowing back to where each row came from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import import_torch

if TYPE_CHECKING:
    from torch import Tensor


def gathered(x: Tensor, *, gradients: bool = True) -> Tensor:
    """Return the rows of all processes in the order of their ranks; `x` itself where there is one process.

    Works on gloo and NCCL. Every process must call it, with as many rows.

    Args:
        x: (b, ...) this process's rows.
        gradients: The gradient of a row is the sum over the processes of theirs: a reduce-scatter on the way back.
            False: the others' rows are constants here, and what a row does to the others' losses is lost; no
            communication on the way back.

    Returns:
        (world * b, ...).
    """
    distributed = import_torch().distributed
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return x
    if gradients and x.requires_grad:
        return _all_gather().apply(x)
    everything = _everything(x.detach())
    if x.requires_grad:
        first = distributed.get_rank() * len(x)
        everything[first : first + len(x)] = x  # the values are the same; the own rows keep their gradient
    return everything


def _everything(x: Tensor) -> Tensor:
    distributed = import_torch().distributed
    out = x.new_empty((distributed.get_world_size() * len(x), *x.shape[1:]))
    distributed.all_gather_into_tensor(out, x.contiguous())
    return out


@cache
def _all_gather() -> Any:
    """Make the function on first use: its base class is torch's.

    torch's own ones were measured beside it (2.15, two gloo processes, 64 to 512 rows of 2048): those of
    `_functional_collectives` took 1.1 to 8 times as long and are private, those of `distributed.nn` are deprecated.
    """
    torch = import_torch()

    class AllGather(torch.autograd.Function):  # type: ignore[misc, name-defined]  # torch is imported only here
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004  torch's signature
            return _everything(x)

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
            distributed = torch.distributed
            own = gradient.new_empty((len(gradient) // distributed.get_world_size(), *gradient.shape[1:]))
            distributed.reduce_scatter_tensor(own, gradient.contiguous())  # sums
            return own

    return AllGather
