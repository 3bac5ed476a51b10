"""How fast a run would be: a few of its steps, timed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from geosleuth.training.gleam_c.config import GleamCConfig
from geosleuth.training.gleam_c.loop import train

_STEPS = 12  # some two seconds at the claims' sizes


def pairs_per_second(config: GleamCConfig) -> float:
    """Train a few steps of a run into a folder that is thrown away, from random weights."""
    begun = config.model_copy(
        update={
            "max_steps": _STEPS,
            "epochs": 1,
            "model": config.model.model_copy(update={"weights": "none"}),
            "validation": (),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        return train(begun, Path(folder) / "run").pairs_per_s
