"""From a model's log odds of yes to the probability of a match: Platt scaling, fitted on labelled pairs.

Models lean to "no match", since one difference is sooner found than all the rest compared: that lean is the intercept.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.json_file import read_json

if TYPE_CHECKING:
    from geosleuth.tools.vlm.model import VisionLanguageModel

logger = logging.getLogger(__name__)

FILE_NAME = "gleam_x_calibration.json"
LARGEST_LOGIT = 30.0  # a softmax of 32 bits has no more digits; it bounds answers that were given no share at all
_STEPS = 100  # Newton takes some ten
_HALVINGS = 30  # of a step that overshoots
_CONVERGED = 1e-9  # gain in the mean log-likelihood, nats


class MatchCalibration(BaseModel):
    """P(match) = 1 / (1 + exp(-(slope * logit + intercept)))."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1
    slope: Annotated[FiniteFloat, Field(gt=0)]
    intercept: FiniteFloat
    matches: Annotated[int, Field(ge=1)]
    """Labelled pairs of one place."""
    others: Annotated[int, Field(ge=1)]
    """Labelled pairs of two places."""
    weights: str
    """Which model, and which hash: another one leans in another way."""
    sample: str
    """Which pairs."""
    date: str
    """ISO 8601."""

    def probability(self, logit: float) -> float:
        """P(match) among pairs such as those of the sample."""
        return float(_sigmoid(self._log_odds(logit)))

    def log_ratio(self, logit: float) -> float:
        """Ln P(this answer | same place) / P(this answer | another place): posterior odds over the sample's odds.

        Bounded by what the sample can show: where none of n pairs of other places says yes, up to 3 / n of all may
        still do (the rule of three, 95 %), so no yes is worth more than n / 3; a no likewise.
        """
        value = self._log_odds(logit) - math.log(self.matches / self.others)
        return float(np.clip(value, -math.log(max(self.matches / 3.0, 1.0)), math.log(max(self.others / 3.0, 1.0))))

    def _log_odds(self, logit: float) -> float:
        return self.slope * float(np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT)) + self.intercept


def fit_calibration(
    logits: Sequence[float], labels: Sequence[bool], *, weights: str, sample: str, date: str
) -> MatchCalibration:
    """Fit slope and intercept by Newton's method (Platt 1999; Lin, Lin and Weng 2007).

    The targets are (n + 1) / (n + 2) and 1 / (m + 2) for n matches and m others, in place of 1 and 0: they keep the
    slope finite where the sample is separable.

    Args:
        logits: Ln P(yes) / P(no) of each pair.
        labels: Whether the pair shows one place.
        weights: Which model gave the logits.
        sample: Which pairs, in words.
        date: ISO 8601.

    Raises:
        InputError: One of the two labels is missing, or yes is no likelier for matches than for others.
    """
    x, match = np.clip(np.asarray(logits, dtype=np.float64), -LARGEST_LOGIT, LARGEST_LOGIT), np.asarray(labels, bool)
    matches, others = int(match.sum()), int((~match).sum())
    if not (matches and others):
        found = f"{matches} of one place and {others} of two"
        raise InputError("labelled pairs of both kinds", found, "Name photos of places that the index holds.")
    target = np.where(match, (matches + 1.0) / (matches + 2.0), 1.0 / (others + 2.0))
    slope, intercept = _newton(x, target)
    if slope <= 0:
        remedy = "Use another model or adapter for the role gleam_x."
        raise InputError("a model that says yes sooner to matches", f"a slope of {slope:.3g}", remedy)
    return MatchCalibration(
        slope=slope, intercept=intercept, matches=matches, others=others, weights=weights, sample=sample, date=date
    )


def _newton(x: NDArray[np.float64], target: NDArray[np.float64]) -> tuple[float, float]:
    """Minimise the cross-entropy of sigmoid(slope * x + intercept); convex, so a step is only ever too long."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    share = float(target.mean())
    found = np.array([0.0, math.log(share / (1.0 - share))])
    loss = _loss(design @ found, target)
    for _ in range(_STEPS):
        p = _sigmoid(design @ found)
        # A little on the diagonal keeps it invertible where all logits are one number.
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (target - p))
        for _ in range(_HALVINGS):
            after = _loss(design @ (found + step), target)
            if after <= loss:
                break
            step = step / 2.0
        else:
            break
        found, gained, loss = found + step, loss - after, after
        if gained < _CONVERGED:
            break
    return float(found[0]), float(found[1])


def _sigmoid(z: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)) that does not overflow, however steep a calibration is."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(z))), dtype=np.float64)


def _loss(z: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float((np.logaddexp(0.0, z) - target * z).mean())


def load_calibration(path: str | Path) -> MatchCalibration:
    """Read a calibration.

    Raises:
        InputError: It is missing, or none.
    """
    remedy = "Fit one by `python -m geosleuth.training.evaluate gleam-x ... --out FILE`."
    return read_json(path, MatchCalibration, "a calibration of matches", remedy)


def calibration_for(model: VisionLanguageModel) -> MatchCalibration | None:
    """Find the calibration that lies beside a model's last adapter in a folder, or in the folder of its base.

    One that was fitted with other weights is left alone, and the log says so.

    Raises:
        InputError: The file there is damaged.
    """
    backend = parse_backend(model.spec)
    last = backend.adapters[-1] if backend.adapters else backend
    path = Path(last.name).expanduser() / FILE_NAME
    if last.base != "dir" or not path.is_file():
        return None
    calibration = load_calibration(path)
    if calibration.weights != model.weights:
        logger.warning("%s was fitted with %s, not with %s: not used", path, calibration.weights, model.weights)
        return None
    return calibration
