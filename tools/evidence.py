"""What a tool says about the place of a photo: a claim, its likelihood, and what supports it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OverRegions(_Frozen):
    """A likelihood that is constant inside each region.

    `log_ratios[r]` is ln P(clue | the photo is in r) / P(clue | reference), natural logarithm; only differences
    between regions matter. Keys are ISO 3166-1 alpha-2 codes ("DE") or 3166-2 ("DE-BY"); a division overrides its
    country. Regions that are not named have `otherwise`.
    """

    kind: Literal["over_regions"] = "over_regions"
    log_ratios: dict[str, FiniteFloat]
    otherwise: FiniteFloat = 0.0
    wrong: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 1e-4
    """Share of such findings that are wrong in a way the ratios do not say (a bug, a forged sign), so that none costs
    the truth more than 13 bits; 0 where the ratios say it themselves."""


class NearPlace(_Frozen):
    """One component of `NearPoints`: a Gaussian bump around a place."""

    lat: Annotated[FiniteFloat, Field(ge=-90, le=90)]
    lon: Annotated[FiniteFloat, Field(ge=-180, le=180)]
    spread_km: Annotated[FiniteFloat, Field(gt=0)]  # standard deviation of the distance, per axis
    weight: FiniteFloat  # likelihood of the clue at the place, over the floor; below 0: speaks against it
    name: str | None = None


class NearPoints(_Frozen):
    """A likelihood that is high near some places: floor + sum of weight * exp(-(distance / spread_km)^2 / 2).

    `weight / floor` is thus the likelihood ratio "at this place" against "anywhere else". Ambiguity is kept: all 34
    Springfields are 34 components.
    """

    kind: Literal["near_points"] = "near_points"
    places: Annotated[tuple[NearPlace, ...], Field(min_length=1)]
    floor: Annotated[FiniteFloat, Field(gt=0)]

    @model_validator(mode="after")
    def _stays_a_likelihood(self) -> NearPoints:
        if self.floor + sum(min(place.weight, 0.0) for place in self.places) <= 0:
            raise ValueError("negative weights must leave the likelihood above 0: their sum must be above -floor")
        return self


class Nothing(_Frozen):
    """The tool looked and learned nothing about the place; `reason` says why."""

    kind: Literal["nothing"] = "nothing"
    reason: str


Likelihood = Annotated[OverRegions | NearPoints | Nothing, Field(discriminator="kind")]


class Support(_Frozen):
    """What a person can look at to check a claim."""

    box: tuple[tuple[float, float], ...] | None = None  # corners (x, y) in pixels of the upright photo
    text: str | None = None  # as read
    script: str | None = None  # ISO 15924, such as Cyrl
    language: str | None = None  # ISO 639, such as uk
    rule: str | None = None  # the rule that was applied, in words
    source: str | None = None  # the table or package that the rule comes from
    reference: str | None = None  # id of the gallery's reference that was compared


class Evidence(_Frozen):
    """One finding of one tool.

    `type` names the kind of clue ("reading.language"): the belief's calibrated temperature is looked up by it.
    `group` names the source that it shares with other evidence (the same line, the same language): a group counts
    once. None means independent of all others.
    """

    tool: str
    type: str
    claim: str
    likelihood: Likelihood
    group: str | None = None
    support: tuple[Support, ...] = ()
    seconds: Annotated[float, Field(ge=0)] = 0.0
    weights: str | None = None  # model and hash, where a model was used

    @model_validator(mode="after")
    def _type_belongs_to_tool(self) -> Evidence:
        if self.type.split(".")[0] != self.tool:
            raise ValueError(f"type {self.type!r} must begin with the tool's name {self.tool!r}")
        return self
