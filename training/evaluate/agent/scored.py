"""What an evaluation keeps of each photo: the contract between the run, the measures and the report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.tools.evidence import Evidence

Share = Annotated[float, Field(ge=0, le=1)]
Km = Annotated[float, Field(ge=0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Truth(_Frozen):
    """A labelled photo as its data set names it."""

    file: str
    """Relative to the data set's root: names the photo in tables, and pairs it with another run's."""
    sha256: str
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    country: str | None
    """ISO 3166-1 alpha-2; None where the set names none and the position lies in none."""
    city: str | None = None


class Observed(_Frozen):
    """What the agent's tools found in a photo: all that a fusion needs, whatever the calibration."""

    truth: Truth
    evidence: tuple[Evidence, ...]
    """What counted in the answer, in its order."""
    seconds: Annotated[float, Field(ge=0)]
    """Of the run that looked; a later one that reads its notes has these too."""
    calls: dict[str, int]
    """Tool calls by tool."""
    failures: tuple[str, ...] = ()
    """Tools that did not take part."""


class Scored(_Frozen):
    """An answer beside the truth. What is the belief's, is so whatever the status."""

    truth: Truth
    status: Literal["localized", "coarse", "not_locatable"]
    point: tuple[float, float] | None
    """(lat, lon) of the belief's peak; None for a bare prediction that named no position."""
    error_km: Km | None
    """Geodesic from the point to the truth; None without a point."""
    point_country: str | None
    """Country that holds the point, ISO 3166-1 alpha-2."""
    named_country: str | None
    """Country that the answer names: the belief's likeliest, or what a bare prediction said."""
    named_city: str | None = None
    probability: Share | None = None
    """Of the named country; None where the answer gives none."""
    truth_probability: Share | None = None
    """Of the true country."""
    in_50: bool | None = None
    in_90: bool | None = None
    """Whether the credible region holds the true position; None for a bare prediction."""
    area_50_km2: Annotated[float, Field(ge=0)] | None = None
    area_90_km2: Annotated[float, Field(ge=0)] | None = None
    entropy_bits: float | None = None
    seconds: Annotated[float, Field(ge=0)] = 0.0
    calls: Annotated[int, Field(ge=0)] = 0
