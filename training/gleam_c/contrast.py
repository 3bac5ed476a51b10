"""What is trained: the shared encoder and the temperature, from pictures to the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.gleam_c.loss import initial_log_scale, symmetric_info_nce

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import LossConfig
    from geosleuth.training.gleam_c.distributed import Processes


def contrast(encoder: Any, config: LossConfig, processes: Processes) -> Any:
    """Return a torch module whose forward maps a batch to its loss.

    The loss is inside, so that one call of DistributedDataParallel's forward covers all parameters, the temperature
    among them. Its `encoder` is the shared encoder, its `log_scale` the learned ln(1 / temperature).
    """
    torch = import_torch()

    class Contrast(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch is imported only here
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.log_scale = torch.nn.Parameter(torch.tensor(initial_log_scale(config.temperature)))

        def forward(self, queries: Any, query_rows: Any, references: Any, valid: Any) -> Any:
            """Return the loss of n pairs.

            Args:
                queries: Groups of pictures (m, 3, h, w) uint8, each of one size; n in all.
                query_rows: (n,) which row of the batch each picture of the groups is.
                references: The same for the references, in the batch's order: one group.
                valid: (n,) bool.
            """
            features = self.encoder([*queries, *references])
            count = len(valid)
            ordered = torch.empty_like(features[:count]).index_copy(0, query_rows, features[:count])
            return symmetric_info_nce(
                ordered,
                features[count:],
                self.log_scale.exp(),
                label_smoothing=config.label_smoothing,
                valid=valid,
                rank=processes.rank,
                world_size=processes.count,
                local=config.local,
                gather_gradients=config.gather_gradients,
            )

    return Contrast()
