"""Whether a calibration still holds on other photos: the same figures on these, beside those of its own record.

A calibration is a statement about one kind of photo. On another kind tools find other things, and err otherwise; the
belief cannot see that by itself, so labelled photos must tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.calibration import Calibration, FitRecord, Interval, model_of
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Nothing
from geosleuth.training.evaluate.agent.score import score
from geosleuth.training.evaluate.agent.scored import Observed
from geosleuth.training.evaluate.calibration.calibrate import digest, fitness, interval, type_counts
from geosleuth.training.evaluate.calibration.cases import seen_photos
from geosleuth.training.evaluate.calibration.fit import Constants

_Z2 = 1.959964**2  # of 95 %
_FIGURES = {
    "in_50": "in the 50 % region",
    "in_90": "in the 90 % region",
    "gain_bits": "log2 gain at the truth, photos with evidence",
    "with_evidence": "photos with evidence",
}


class Shifted(BaseModel):
    """A figure on the photos of the fit (held out), and on the others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    fitted: Interval
    found: Interval
    change: Interval
    """Found less fitted; without bounds where one of them has none."""

    @property
    def differs(self) -> bool:
        """Whether the 95 % interval of the change leaves out 0."""
        low, high = self.change.low, self.change.high
        return low is not None and high is not None and not low <= 0.0 <= high


class ShiftReport(BaseModel):
    """What has changed between the photos that a calibration was fitted on and others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """Of the calibration."""
    photos: int
    same_photos: bool = False
    """Whether they are those of the fit, which show a calibration as better than it is."""
    figures: tuple[Shifted, ...]
    """Coverage and gain."""
    types: tuple[Shifted, ...]
    """Share of photos that have each type of evidence."""
    strangers: tuple[str, ...]
    """Models that play the prior here and that the calibration has not seen."""

    @property
    def holds(self) -> bool:
        """Whether coverage and gain are those of the fit, as far as these photos tell, and the models the same.

        Types alone are not asked: photos with fewer signs are another kind of photo, but not a wrong calibration.
        """
        return not self.strangers and not any(one.differs for one in self.figures)


def shift(calibration: Calibration, observed: Sequence[Observed], *, processes: int = 1) -> ShiftReport:
    """Compare labelled photos with those of the fit.

    Args:
        calibration: With its record.
        observed: Photos that it was not fitted on: on its own it looks better than it is.
        processes: Photos at once.

    Raises:
        InputError: The calibration has no record, or there are no photos.
    """
    record = calibration.record
    if record is None or not observed:
        wanted, remedy = "a calibration with its record, and photos", "Fit one by `geosleuth calibrate ... --out FILE`."
        found = f"none in that of {calibration.source}" if record is None else "no photo"
        raise InputError(wanted, found, remedy)
    constants = Constants.of(calibration)
    gain: list[float | None] = [None] * len(observed)
    for photo in seen_photos(observed):
        gain[photo.number] = constants.log_gain(photo) / math.log(2)
    measured = fitness(gain, score(observed, calibration, processes=processes))
    pairs = [(words, getattr(record, name), interval(measured[name])) for name, words in _FIGURES.items()]
    said = (e for seen in observed for e in seen.evidence if not isinstance(e.likelihood, Nothing))
    models = dict.fromkeys(model for model in map(model_of, said) if model is not None)
    return ShiftReport(
        source=calibration.source,
        photos=len(observed),
        same_photos=record.photos_sha256 == digest(observed),
        figures=tuple(_shifted(*pair) for pair in pairs),
        types=_types(record, observed),
        strangers=tuple(model for model in models if model not in calibration.models),
    )


def _types(record: FitRecord, observed: Sequence[Observed]) -> tuple[Shifted, ...]:
    here = type_counts(observed)
    return tuple(
        _shifted(name, wilson(record.types.get(name, 0), record.photos), wilson(here.get(name, 0), len(observed)))
        for name in sorted({*record.types, *here})
    )


def wilson(count: int, of: int) -> Interval:
    """A share with Wilson's 95 % score interval (1927), which holds for rare types and for none."""
    value = count / of
    middle = (value + _Z2 / (2 * of)) / (1 + _Z2 / of)
    reach = math.sqrt(_Z2 * (value * (1 - value) / of + _Z2 / (4 * of**2))) / (1 + _Z2 / of)
    return Interval(value=value, low=min(max(middle - reach, 0.0), value), high=max(min(middle + reach, 1.0), value))


def _shifted(name: str, fitted: Interval, found: Interval) -> Shifted:
    """The change of two independent figures, its bounds from theirs (Zou and Donner 2008, MOVER)."""
    value = found.value - fitted.value
    ends = (fitted.low, fitted.high, found.low, found.high)
    if None in ends:
        return Shifted(name=name, fitted=fitted, found=found, change=Interval(value=value))
    low, high, low_found, high_found = (float(end) for end in ends if end is not None)
    below = math.hypot(found.value - low_found, high - fitted.value)
    above = math.hypot(high_found - found.value, fitted.value - low)
    return Shifted(
        name=name, fitted=fitted, found=found, change=Interval(value=value, low=value - below, high=value + above)
    )
