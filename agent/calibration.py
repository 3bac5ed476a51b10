"""How far each type of evidence is to be believed, fitted on labelled photos."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

from geosleuth.indexes.json_file import read_json
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, Nothing

Count = Annotated[int, Field(ge=0)]
Temperature = Annotated[FiniteFloat, Field(ge=0)]
_OF_A_MODEL = "prior"  # tool whose evidence is a model's opinion: what holds for one model says nothing about another
_RECORDED = ", recorded in "  # stands in `Evidence.weights` between a recorded model's name and its file


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Frozen):
    """A figure with its 95 % bootstrap interval; no bounds where it has none."""

    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None


class FitRecord(_Frozen):
    """On which photos a calibration was fitted, and what it was worth on those that it had not seen."""

    data: str
    date: str  # ISO 8601, UTC
    commit: str | None
    photos: Count
    photos_sha256: str | None = None  # of all of them, whatever their order: a check on the same ones can be told
    countries: Count
    folds: Count
    by: str  # photos that share this are in one fold: "country", or "photo"
    types: dict[str, Count]  # photos that have each type of evidence
    with_evidence: Interval  # share of photos where any tool found something
    gain_bits: Interval  # held out: log2 of the density at the truth over the start's, mean over photos with evidence
    shipped_bits: Interval  # the same with the calibration that ships, which was fitted on other photos or on these
    in_50: Interval  # held out: share of all photos whose true position the region holds
    in_90: Interval
    median_area_90_km2: Annotated[FiniteFloat, Field(ge=0)]


class ErrorShare(_Frozen):
    """A part of a model's points: so many lie about so far from the truth."""

    share: Annotated[FiniteFloat, Field(ge=0, lt=1)]
    spread_km: Annotated[FiniteFloat, Field(gt=0)]  # standard deviation per axis


class ModelWeights(_Frozen):
    """How one model errs, and how its evidence counts; see `agent/opinion.py`."""

    hit_rate: Annotated[FiniteFloat, Field(gt=0, lt=1)] | None = None
    """Share of right countries, as far as the point does not say the same; None: the likelihood is the tool's."""
    errors: tuple[ErrorShare, ...] = ()
    """Of points; what the shares lack to 1 falls anywhere. Empty: the likelihood is the tool's."""
    temperatures: dict[str, Temperature] = {}
    """Factor on the log-likelihoods of a type; 1 where a type is not named."""

    @model_validator(mode="after")
    def _leaves_a_rest(self) -> ModelWeights:
        if sum(error.share for error in self.errors) >= 1.0:
            raise ValueError("the shares of errors must leave something to points that say nothing")
        return self


class Calibration(_Frozen):
    """Constants that weigh the tools' likelihoods against each other.

    `geosleuth calibrate` makes them; `source` says from which photos, when, at which commit, and `record` what they
    were worth there.
    """

    temperatures: dict[str, Temperature]
    """Factor on the log-likelihoods of a type of evidence ("reading.language"); 1 where a type is not named."""
    correlation: Annotated[FiniteFloat, Field(ge=0, le=1)]
    """Of evidence that shares a group: the r-th strongest counts (1 - correlation)^r, r from 0."""
    source: str
    models: dict[str, ModelWeights] = {}
    """By `model_of`: they stand in for the constants above where this model plays the prior."""
    errors_of_others: tuple[ErrorShare, ...] = ()
    """How far points lie of models that are not among these; empty: their likelihoods are the tool's."""
    record: FitRecord | None = None

    @field_validator("temperatures")
    @classmethod
    def _captions_count_little(cls, temperatures: dict[str, float]) -> dict[str, float]:
        """Whoever writes over a photo can know how often captions were true: what they count is no measured rate."""
        return {kind: min(value, 1.0) if kind == CAPTION else value for kind, value in temperatures.items()}

    def temperature(self, evidence: Evidence) -> float:
        """The factor on the log-likelihoods of this evidence."""
        return self._of(evidence).temperatures.get(evidence.type, 1.0)

    def counted(self, evidence: Evidence) -> Evidence:
        """The evidence with the likelihood that it counts with: a model's by how it errs, or others of its kind do."""
        model = model_of(evidence)
        if model is None:
            return evidence
        weights = self.models.get(model) or ModelWeights(errors=self.errors_of_others)
        from geosleuth.agent.opinion import as_counted

        return evidence.model_copy(update={"likelihood": as_counted(evidence.likelihood, weights)})

    def source_of(self, evidence: Evidence) -> str | None:
        """What a finding shares with others that are no witnesses of their own, see `source_of`."""
        return source_of(evidence, fitted=model_of(evidence) in self.models)

    def _of(self, evidence: Evidence) -> Calibration | ModelWeights:
        model = model_of(evidence)
        return self if model is None else self.models.get(model, self)

    def notes_on(self, evidence: Iterable[Evidence]) -> tuple[str, ...]:
        """Say which models play the prior whose answers this calibration has not seen."""
        models = (model_of(one) for one in evidence if not isinstance(one.likelihood, Nothing))
        strangers = [one for one in dict.fromkeys(models) if one is not None and one not in self.models]
        if not self.models and not self.errors_of_others:  # nothing was said of any model: nothing to mistake
            return ()
        fitted = ", ".join(self.models) or "other models"
        return tuple(
            f"How often {name} errs was not measured: the calibration ({self.source}) was fitted on the answers of "
            f"{fitted}. `geosleuth calibrate` measures it on labelled photos."
            for name in strangers
        )


def model_of(evidence: Evidence) -> str | None:
    """Name the model whose opinion this is, by its weights where they ran here; None for what no model thinks.

    Recorded answers go by the model's name: the file that they are in says nothing about how the model errs.
    """
    if evidence.tool != _OF_A_MODEL:
        return None
    if evidence.weights is None:
        return evidence.group or evidence.type
    name, recorded, _ = evidence.weights.rpartition(_RECORDED)
    return name if recorded else evidence.weights


def source_of(evidence: Evidence, *, fitted: bool) -> str | None:
    """Name what a finding shares with others that are no witnesses of their own; None: with none.

    What a model says of the country and of the point is one opinion. Where its temperatures were fitted they hold that
    already, so that each type is discounted among its own alone: the same model's words about another photo.
    """
    apart = fitted and evidence.group is not None and model_of(evidence) is not None
    return f"{evidence.group}: {evidence.type}" if apart else evidence.group


def load_calibration(path: str | Path | None = None) -> Calibration:
    """Read a calibration; None is the one that ships with the package.

    Raises:
        InputError: The file is missing, or holds something else.
    """
    if path is None:
        return _shipped()
    remedy = "Fit one by `geosleuth calibrate ... --out FILE`, or leave out the setting `calibration`."
    return read_json(path, Calibration, "a calibration of the belief", remedy)


@lru_cache(maxsize=1)
def _shipped() -> Calibration:
    text = resources.files("geosleuth.agent").joinpath("data/calibration.json").read_text(encoding="utf-8")
    return Calibration.model_validate_json(text)
