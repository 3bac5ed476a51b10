"""Fit how each model errs, then a temperature per type of evidence and the correlation inside a source.

What is maximised is the sum over photos of the log density at the true position, with a penalty that keeps constants of
which few photos speak near the tools' own numbers. A model's opinion is fitted for that model alone, see opinions.py;
temperatures are for tools, and for models where several speak of one photo: they err together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from geosleuth.agent.calibration import Calibration, ErrorShare, ModelWeights, load_calibration
from geosleuth.indexes.geodesy import Floats
from geosleuth.tools.captions import CAPTION
from geosleuth.training.evaluate.calibration.cases import Case, Key, SeenPhoto
from geosleuth.training.evaluate.calibration.opinions import Opinions, rates, weights_of

# Nats per (ln temperature)^2: one standard deviation is a factor 1.6 around the tools' own numbers. So a type that ten
# photos have stays near 1, and one that hundreds have goes where they say.
_PENALTY = 2.0
_RANGE = (0.05, 3.0)  # of a temperature: beyond, a tool is broken, and should be mended rather than scaled
_FEW = 10  # photos; types that fewer have share one temperature, for they say little about it
_CORRELATION = 0.8  # before anything is known
_PENALTY_OF_CORRELATION = 0.5  # nats per square of its logit: one standard deviation is 1, from 0.6 to 0.9
_CORRELATIONS = (0.05, 0.95)  # at 1 a second witness would say nothing at all
_STEPS = (0.4, 0.2, 0.1, 0.05)  # of ln temperature and of the logit; a twentieth is below what photos can tell
_ROUNDS = 20  # of each step; three are the most that street-dev took


@dataclass(frozen=True)
class Constants:
    """What is fitted."""

    temperatures: Mapping[Key, float]
    correlation: float = _CORRELATION
    models: Mapping[str, ModelWeights] = field(default_factory=dict)  # without their temperatures
    others: tuple[ErrorShare, ...] = field(default_factory=lambda: load_calibration().errors_of_others)

    @classmethod
    def of(cls, calibration: Calibration) -> Constants:
        """Those of a calibration."""
        found: dict[Key, float] = {(None, kind): value for kind, value in calibration.temperatures.items()}
        for model, weights in calibration.models.items():
            found |= {(model, kind): value for kind, value in weights.temperatures.items()}
        models = {name: one.model_copy(update={"temperatures": {}}) for name, one in calibration.models.items()}
        return cls(found, calibration.correlation, models, calibration.errors_of_others)

    def calibration(self, source: str) -> Calibration:
        """The same for the agent."""
        rounded = {key: round(value, 3) for key, value in self.temperatures.items()}
        of = {model: {kind: t for (its, kind), t in rounded.items() if its == model} for model in (None, *self.models)}
        models = {name: one.model_copy(update={"temperatures": of[name]}) for name, one in self.models.items()}
        return Calibration(
            temperatures=of[None],
            correlation=round(self.correlation, 3),
            source=source,
            models=models,
            errors_of_others=self.others,
        )

    def log_gain(self, photo: SeenPhoto) -> float:
        """Ln of the belief's density at the truth over the start's."""
        (said, *others) = photo.opinions.values() if photo.opinions else (None,)
        (model, *_) = photo.opinions or ("",)
        alone = said is not None and not others and all(its == model for its, _ in photo.keys)
        if said is not None and alone and model in self.models and not photo.keys & set(self.temperatures):
            return float(Opinions([said]).log_gains(*rates(self.models[model]))[0])  # the same, without the grid
        return photo.case(self.models, self.others).log_gain(self.temperatures, self.correlation)


def fit(photos: Sequence[SeenPhoto], *, laid: Mapping[int, Case] | None = None) -> Constants:
    """Fit on all of these photos; with none, everything counts as its tool has it.

    Args:
        photos: By `seen_photos`.
        laid: By `laid_out_cases` of these photos and others: their models' words are then weighed as all photos have
            it while temperatures are fitted, which these hardly notice, for laying out is what takes time.
    """
    models = model_weights(photos)
    cases = laid_out_cases(photos, models) if laid is None else laid
    search = _Search([cases[photo.number] for photo in photos if photo.number in cases], _free(photos, models), models)
    for step in _STEPS:
        for _ in range(_ROUNDS):
            if not sum(search.tries(number, step) for number in range(len(search.point))):  # each has its try
                break
    return search.constants(search.point)


def laid_out_cases(photos: Sequence[SeenPhoto], models: Mapping[str, ModelWeights]) -> dict[int, Case]:
    """Lay out the photos that have something with a temperature, by their numbers."""
    free = _free(photos, models)
    return {photo.number: photo.case(models) for photo in photos if photo.keys & free}


def _free(photos: Sequence[SeenPhoto], models: Mapping[str, ModelWeights]) -> set[Key]:
    """What has a temperature: tools; models of which several speak, and those that keep their tool's likelihood.

    Captions have none: what they count is a policy, and no rate that photos can tell.
    """
    keys = {key for photo in photos for key in photo.keys if key != (None, CAPTION)}
    return {(model, kind) for model, kind in keys if model is None or len(models) > 1 or models[model].hit_rate is None}


def model_weights(photos: Sequence[SeenPhoto]) -> dict[str, ModelWeights]:
    """Fit each model by its own words; one whose words cannot be weighed so keeps its tool's likelihood."""
    said: dict[str, list[SeenPhoto]] = {}
    for photo in photos:
        for model in photo.opinions:
            said.setdefault(model, []).append(photo)
    out = {}
    for model, about in said.items():
        readable = [one for photo in about if (one := photo.opinions[model]) is not None]
        out[model] = weights_of(readable) if 2 * len(readable) > len(about) else ModelWeights()
    return out


class _Search:
    """A point in the space of temperatures and correlation, with each photo's gain there."""

    def __init__(self, cases: Sequence[Case], free: set[Key], models: Mapping[str, ModelWeights]) -> None:
        self._cases, self._models = cases, models
        self._shared_by = _shared_by(cases, free)
        concerned = [[row for row, case in enumerate(cases) if keys & set(case.keys)] for keys in self._shared_by]
        self._concerned = [*concerned, [row for row, case in enumerate(cases) if case.groups]]
        self._middle = [0.0] * len(self._shared_by) + [_logit(_CORRELATION)]
        lowest, highest = math.log(_RANGE[0]), math.log(_RANGE[1])
        first, last = map(_logit, _CORRELATIONS)
        self._bounds = [(lowest, highest)] * len(self._shared_by) + [(first, last)]
        self._penalty = [_PENALTY] * len(self._shared_by) + [_PENALTY_OF_CORRELATION]
        self.point = list(self._middle)
        self._gains = self._gains_at(self.point, range(len(cases)))

    def constants(self, point: Sequence[float]) -> Constants:
        temperatures = {key: math.exp(x) for keys, x in zip(self._shared_by, point, strict=False) for key in keys}
        return Constants(temperatures, 1.0 / (1.0 + math.exp(-point[-1])), self._models)

    def tries(self, number: int, step: float) -> bool:
        """Move one constant by a step, up or down, if that is better; says whether it moved."""
        rows = self._concerned[number]
        if not rows:
            return False
        low, high = self._bounds[number]
        for moved in (self.point[number] + step, self.point[number] - step):
            at = min(max(moved, low), high)
            candidate = [*self.point[:number], at, *self.point[number + 1 :]]
            gains = self._gains_at(candidate, rows)
            better = float((gains - self._gains[rows]).sum()) - self._cost(number, at)
            if better + self._cost(number, self.point[number]) > 1e-6:
                self.point, self._gains[rows] = candidate, gains
                return True
        return False

    def _gains_at(self, point: Sequence[float], rows: Sequence[int]) -> Floats:
        constants = self.constants(point)
        of = constants.temperatures, constants.correlation
        return np.array([self._cases[row].log_gain(*of) for row in rows], dtype=np.float64)

    def _cost(self, number: int, value: float) -> float:
        return self._penalty[number] * (value - self._middle[number]) ** 2


def _shared_by(cases: Sequence[Case], free: set[Key]) -> list[set[Key]]:
    """Keys that have one temperature; of a model each type has its own, however few photos have it."""
    counts = Counter(key for case in cases for key in set(case.keys) & free)
    own = [{key} for key, count in sorted(counts.items(), key=str) if count >= _FEW or key[0] is not None]
    few = {key for key, count in counts.items() if count < _FEW and key[0] is None}
    return [*own, few] if few else own


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
