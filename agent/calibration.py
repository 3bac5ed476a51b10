"""How far each type of evidence is to be believed, fitted on labelled photos."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """Constants that weigh the tools' likelihoods against each other.

    `python -m geosleuth.training.evaluate fit` makes them; `source` says from which photos, when, at which commit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperatures: dict[str, float]
    """Factor on the log-likelihoods of a type of evidence ("reading.language"); 1 where a type is not named."""
    correlation: float = Field(ge=0, le=1)
    """Of evidence that shares a group: the r-th strongest counts (1 - correlation)^r, r from 0."""
    source: str

    def temperature(self, evidence_type: str) -> float:
        """The factor on log-likelihoods of this type."""
        return self.temperatures.get(evidence_type, 1.0)


@lru_cache(maxsize=1)
def load_calibration() -> Calibration:
    """The calibration that ships with the package."""
    text = resources.files("geosleuth.agent").joinpath("data/calibration.json").read_text(encoding="utf-8")
    return Calibration(**json.loads(text))
