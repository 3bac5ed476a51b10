"""Symmetric InfoNCE with a learned temperature (Sample4Geo, GLEAM), over the rows of one or several processes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.gleam_c.gather import gathered

if TYPE_CHECKING:
    from torch import Tensor

# The logit of a column that is left out. Logits lie within +-max_scale (100), so exp() of the difference is exactly 0;
# -inf would make 0 x inf = NaN where label smoothing weighs it with 0.
_LEFT_OUT = -1e9


def symmetric_info_nce(
    queries: Tensor,
    references: Tensor,
    scale: Tensor,
    *,
    label_smoothing: float = 0.1,
    valid: Tensor | None = None,
    rank: int = 0,
    world_size: int = 1,
    local: bool = True,
    gather_gradients: bool = True,
) -> Tensor:
    """Compare every query with every reference of the batch: row i of one belongs to row i of the other.

    The loss of all N valid rows of all processes is L = 1/(2N) sum_i [CE(query i -> references) + CE(reference i ->
    queries)]. Process k returns L_k such that the mean of the L_k over the W processes is L, and so is the mean of
    their gradients, which DistributedDataParallel takes, when features are gathered with gradients:

    - local: L_k = W/(2N) times the sum over its own rows, all columns. The weight is W/N and not 1/n_k, so that it is
      exact also when the processes have different numbers n_k of valid rows. (The mean of the L_k is 1/W sum_k W/(2N)
      [rows of k] = L; the gather's backward pass adds up what row i does to every L_k.)
    - not local: L_k = L, computed W times over. (Backward adds up W equal gradients per row, which the mean divides
      by W; a process's parameters only see its own rows, so that the sum over the processes is the gradient of L.)

    Computed in float32, under autocast too.

    Args:
        queries: (b, d) unit rows.
        references: (b, d) unit rows.
        scale: () 1 / temperature.
        label_smoothing: The share of a row's target that is spread evenly over all valid columns, its own included
            (torch's definition).
        valid: (b,) bool; False leaves out a pair as row and as column. None: all are. Given by all processes or none.
            Without any valid row the loss and all gradients are 0.
        rank: Of this process.
        world_size: Number of processes; more than one are torch.distributed's, each with b rows.
        local: Own rows against all columns, instead of all against all in every process.
        gather_gradients: False: the other processes' rows are constants, and the gradient is not that of L.

    Returns:
        ().
    """
    torch = import_torch()
    with torch.autocast(queries.device.type, enabled=False):
        ok = torch.ones(len(queries), dtype=torch.bool, device=queries.device) if valid is None else valid
        # Zeros, so that a NaN of a left-out row cannot spread through the products.
        own = torch.where(ok[:, None, None], torch.stack((queries.float(), references.float()), 1), 0.0)
        everything, columns = own, ok
        if world_size > 1:
            everything = gathered(own, gradients=gather_gradients)  # both in one message
            columns = gathered(ok, gradients=False) if valid is not None else ok.repeat(world_size)
        rows, weight, first = (ok, world_size, rank * len(ok)) if local else (columns, 1, 0)
        (q, r), (all_q, all_r) = (own if local else everything).unbind(1), everything.unbind(1)
        targets = torch.arange(len(rows), device=rows.device) + first
        each = _cross_entropies(scale.float() * q @ all_r.T, targets, columns, label_smoothing)
        each = each + _cross_entropies(scale.float() * r @ all_q.T, targets, columns, label_smoothing)
        loss: Tensor = torch.where(rows, each, 0.0).sum() * weight / (2 * columns.sum().clamp(min=1))
        return loss


def _cross_entropies(logits: Tensor, targets: Tensor, columns: Tensor, label_smoothing: float) -> Tensor:
    """Return (n,) of logits (n, m) over the valid columns; torch's own smooths over the others too."""
    logs = logits.masked_fill(~columns, _LEFT_OUT).log_softmax(1)
    hit = logs.gather(1, targets[:, None])[:, 0]
    spread = logs.masked_fill(~columns, 0.0).sum(1) / columns.sum().clamp(min=1)
    return -(1 - label_smoothing) * hit - label_smoothing * spread


def initial_log_scale(temperature: float) -> float:
    """Return ln(1 / temperature), where the learned logarithm of the scale starts."""
    return -math.log(temperature)


def clamp_log_scale(log_scale: Tensor, max_scale: float) -> None:
    """Keep exp(log_scale) at most max_scale, in place; call it after each optimiser step.

    Clamped after the step and not in the forward pass: there the gradient beyond the limit would be 0 for good.
    """
    torch = import_torch()
    with torch.no_grad():
        log_scale.clamp_(max=math.log(max_scale))
