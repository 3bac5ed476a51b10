"""AdamW, as a run steps it: warm-up and cosine, clipped gradients, a bounded temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosleuth.indexes.encoders.torch_features import import_torch
from geosleuth.training.gleam_c.loss import clamp_log_scale
from geosleuth.training.gleam_c.schedule import learning_rate

if TYPE_CHECKING:
    from geosleuth.training.gleam_c.config import GleamCConfig


def adamw(module: Any, config: GleamCConfig) -> Any:
    """Return the optimiser of a run."""
    return import_torch().optim.AdamW(_groups(module, config.optimiser.weight_decay), lr=config.optimiser.lr)


def descend(module: Any, optimiser: Any, loss: Any, progress: float, config: GleamCConfig) -> None:
    """Take a step down the loss's gradient.

    Args:
        module: A `contrast` module.
        optimiser: Of `adamw`.
        loss: Of a batch.
        progress: Share 0 to 1 of the run that is done after this step.
        config: Of the run.
    """
    torch, settings = import_torch(), config.optimiser
    warmup = min(1.0, settings.warmup_epochs / config.epochs)
    for one in optimiser.param_groups:
        one["lr"] = learning_rate(progress, peak=settings.lr, warmup=warmup)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if settings.clip_value is not None:
        torch.nn.utils.clip_grad_value_(module.parameters(), settings.clip_value)
    optimiser.step()
    clamp_log_scale(module.log_scale, config.loss.max_scale)


def _groups(module: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels alone: norms, biases and the temperature have no size to be kept small."""
    decayed = [p for p in module.parameters() if p.ndim > 1]
    others = [p for p in module.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
