"""The answer: where the photo was taken, how sure, and every piece of evidence that says so.

`Localization` is a public format: its JSON schema is docs/localization.schema.json, and a test compares the two.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Support

Status = Literal["localized", "coarse", "not_locatable"]
Probability = Annotated[float, Field(ge=0, le=1)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class _Part(BaseModel):
    """A frozen part of the answer; unknown keys are errors, so that the schema is the whole truth."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,  # every key is always written
    )


class Point(_Part):
    """A position in WGS 84 degrees."""

    lat: Latitude
    lon: Longitude


class CountryShare(_Part):
    """One country and the share of the belief that lies in it."""

    code: str
    """ISO 3166-1 alpha-2."""
    name: str
    probability: Probability


class City(_Part):
    """The city that the belief points to."""

    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    lat: Latitude
    lon: Longitude
    probability: Probability
    population: int | None = None


class Geometry(_Part):
    """A GeoJSON geometry in (lon, lat) order, cut at the date line."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any]


class RegionProperties(_Part):
    """What a region holds."""

    share: Probability
    """Share of the belief inside: 0.5 or 0.9."""
    area_km2: Annotated[float, Field(ge=0)]


class RegionFeature(_Part):
    """One credible region as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    geometry: Geometry
    properties: RegionProperties


class Regions(_Part):
    """The credible regions as a GeoJSON FeatureCollection, the smallest share first."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[RegionFeature, ...] = ()


class WeighedEvidence(_Part):
    """One piece of evidence and what it was worth to the answer."""

    tool: str
    type: str
    """Kind of clue, such as "reading.language"."""
    claim: str
    """A sentence that a person can check."""
    contribution_bits: float
    """log2 of the belief around the answer with this evidence over the same without it; below 0: it speaks against."""
    likelihood: Literal["over_regions", "near_points", "nothing"]
    support: tuple[Support, ...] = ()
    seconds: Annotated[float, Field(ge=0)] = 0.0
    weights: str | None = None
    group: str | None = None
    """Evidence of one group shares a source and counts about once."""
    step: int | None = None
    """The step of the trace that found it."""
    id: str = ""
    """Twelve hex digits; the same finding has the same after every run."""
    photo: int | None = None
    """Index into `photos`; None: the investigator's, who speaks of the scene."""
    left_out: bool = False
    """The investigator wants the answer without it; then its contribution is 0."""


class Contradiction(_Part):
    """Two findings that cannot both be right."""

    claim: str
    bits: float
    """How strongly the weaker side speaks against the answer, above 0."""
    evidence: tuple[int, ...]
    """Indexes into `evidence`."""


class ToolFailure(_Part):
    """Why a call brought nothing."""

    kind: Literal["raised", "refused", "malformed", "limit"]
    """raised: the tool failed; refused: a repeated call; malformed: no such tool or arguments; limit: time or steps."""
    reason: str
    error: str | None = None
    """Name of the exception, where one was raised."""


class TraceStep(_Part):
    """One step of the loop: who called which tool with what, and what came of it."""

    step: Annotated[int, Field(ge=1)]
    tool: str
    args: dict[str, Any] = Field(default_factory=dict)
    result: str
    seconds: Annotated[float, Field(ge=0)]
    by: str
    """Name of the planner that asked for it, or "perceive" for what is always looked at first."""
    ok: bool = True
    """False: the tool failed or the call was not made; `failure` says why and `note` what was done about it."""
    failure: ToolFailure | None = None
    note: str | None = None
    thought: str | None = None
    """The planner's words when it asked for this step, cut at 1,000 characters: a model's words, no evidence."""
    photo: Annotated[int, Field(ge=0)] = 0
    """Which photo it looked at: an index into `photos`."""
    turn: Annotated[int, Field(ge=1)] = 1
    """Which time the investigator asked; what depends on the new words runs again, and all else stands."""


class Closing(_Part):
    """What the planner said: a model's words, no evidence. The answer is drawn from the belief, never from them."""

    words: str
    """Its words when it concluded, cut at 2,000 characters; empty where it never did, or said nothing."""
    by: str
    """Name of the planner."""
    unbacked: tuple[str, ...] = ()
    """Places, positions and percentages in `words` that no tool's finding and not the answer bears out."""
    unbacked_thoughts: tuple[str, ...] = ()
    """The same of its thoughts along the way: guesses that came to nothing, as a rule."""


class ComparedReference(Candidate):
    """A reference of the gallery that was compared with the photo, and what came of it."""

    distance_km: Annotated[float, Field(ge=0)] | None = None
    """From the answer's point to the reference; None where there is no point."""
    photo: Annotated[int, Field(ge=0)] = 0
    """Which photo it was compared with: an index into `photos`."""
    number: Annotated[int, Field(ge=1)] = 1
    """Its place in this list, as a person is told it; `rank` is that of the search for one photo."""


class LocatabilityScore(_Part):
    """How much the photo shows that a place could be told from; names its backend because scales differ in kind."""

    score: Probability
    backend: str
    parts: dict[str, float] = Field(default_factory=dict)
    reason: str = ""
    """What the score rests on, in a sentence; also where it says little."""
    weights: str = ""
    """Which model and which hash; empty for the embedded score."""


class PhotoFacts(_Part):
    """Which photo this answer is about."""

    name: str
    sha256: str
    size: tuple[int, int]
    """Width and height in pixels, upright, as the tools saw it."""
    edits: tuple[str, ...] = ()
    """How it was turned and cropped first ("rotated by 90 degrees"); `sha256` is of the untouched file."""


class Choice(_Part):
    """One possible answer to a question."""

    key: str
    text: str


class AskedQuestion(_Part):
    """What a person could tell from the photo, and no tool that ran here can: an answer would be evidence."""

    key: str
    """As `Agent.localize(observations={key: option})` takes it."""
    text: str
    options: tuple[Choice, ...]
    expected_bits: Annotated[float, Field(ge=0)]
    """How much an answer is expected to tell about the country, given the belief."""
    source: str
    """Of the table behind it."""


class Localization(_Part):
    """Where a photo was taken, with what probability, and why."""

    status: Status
    """localized: the country is probable; coarse: evidence, but too weak for that; not_locatable: none."""
    reason: str
    """The status in words, with the figures that decided it."""
    point: Point | None
    radius_km: Annotated[float, Field(ge=0)] | None
    """Distance from the point within which half of the belief lies."""
    country: CountryShare | None
    """The country of `point`."""
    countries: tuple[CountryShare, ...]
    """The ten most likely countries, ranked, whatever the status."""
    city: City | None
    regions: Regions
    evidence: tuple[WeighedEvidence, ...]
    contradictions: tuple[Contradiction, ...] = ()
    candidates: tuple[ComparedReference, ...] = ()
    """The best references of the last search, those that verification accepted first; empty without an index."""
    trace: tuple[TraceStep, ...]
    closing: Closing | None = None
    """What a planner that is a model said; None where the rules planned."""
    entropy_bits: float
    """Entropy of the belief over its cells."""
    locatability: LocatabilityScore | None
    photo: PhotoFacts
    """The first of `photos`."""
    photos: tuple[PhotoFacts, ...] = ()
    """All photos of the scene, in the order in which they were looked at."""
    questions: tuple[AskedQuestion, ...] = ()
    """What to ask a person next, the most telling first."""
    backends: dict[str, str]
    """Per role and model, what ran: the spec, or the weights and their hash."""
    precision_cap_km: float | None = None
    """If set, point, radius and city were coarsened to this many km on purpose."""
    seconds: Annotated[float, Field(ge=0)]
    version: str
    notes: tuple[str, ...] = ()


def published_schema() -> str:
    """Return the text of docs/localization.schema.json (JSON Schema 2020-12)."""
    schema = Localization.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"
