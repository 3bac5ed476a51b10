"""The learning rate over a run: linear warm-up, then a cosine to 0."""

from __future__ import annotations

import math


def learning_rate(progress: float, *, peak: float, warmup: float) -> float:
    """Return the learning rate at `progress`, the share 0 to 1 of the run that is done.

    Args:
        progress: Counted in steps, or in epochs and shares of them: epochs of similarity sampling differ in length.
        peak: The rate after the warm-up.
        warmup: Share of the run that warms up.
    """
    if progress < warmup:
        return peak * progress / warmup
    rest = (progress - warmup) / max(1e-12, 1 - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))
