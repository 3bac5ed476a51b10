"""What a run will need, counted without running it: arithmetic and memory of a step, on tensors without content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.gleam_c.shared_encoder import shared_encoder

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import GleamCConfig

_BACKWARD = 2.0  # a backward pass has two matrix products for each of the forward pass
_ADAMW_BYTES = 16  # per parameter in float32: weight, gradient, two moments
_PAIRS = 2  # that are run through the network: one would hide what is shared between pictures


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a step of one pair needs; a batch needs as many times as much."""

    parameters: int
    flops_per_pair: float  # forward and backward, one multiply-add counted as two
    activation_bytes_per_pair: int  # kept between forward and backward
    fixed_bytes: int  # weights, gradients and AdamW's moments

    def bytes(self, pairs: int) -> int:
        """Memory of a step with so many pairs in a process; what libraries take beside it is not counted."""
        return self.fixed_bytes + pairs * self.activation_bytes_per_pair


def estimate(config: GleamCConfig) -> Estimate:
    """Count a step's work for a panorama and a tile, whatever sets the run has: no data set is opened.

    Panoramas are the largest queries with the usual sizes, so the figures are upper bounds for sets without them.
    Memory is an upper bound: in float32 and with attention as plain matrix products. bf16 keeps from half of it up, and
    fused attention of a GPU keeps no matrices. Weights are drawn at random: nothing is fetched.
    """
    torch = import_torch()
    from torch.utils.flop_counter import FlopCounterMode

    model = config.model.model_copy(update={"weights": "none"})
    encoder: Any = shared_encoder(model, config.input).to("meta")  # type: ignore[attr-defined]  # a torch module
    sizes = config.input.sizes()
    groups = [
        torch.empty((_PAIRS, 3, *sizes[view]), dtype=torch.uint8, device="meta") for view in ("panorama", "satellite")
    ]
    kept: dict[int, int] = {}
    weights = {id(parameter) for parameter in encoder.parameters()}

    def keep(tensor: Any) -> Any:
        if id(tensor) not in weights:
            storage = tensor.untyped_storage()
            kept[storage._cdata] = storage.nbytes()
        held.append(tensor)  # or its storage's number is given to the next one
        return tensor

    held: list[Any] = []
    counter = FlopCounterMode(display=False)
    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with counter, hooks:
        encoder(groups)
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    return Estimate(
        parameters,
        counter.get_total_flops() * (1 + _BACKWARD) / _PAIRS,
        sum(kept.values()) // _PAIRS,
        parameters * _ADAMW_BYTES,
    )
