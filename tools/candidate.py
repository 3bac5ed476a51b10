"""A candidate: a reference that may show the place of the photo, and what verification and a model said of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from geosleuth.indexes.gallery.reference import Reference, View

Verdict = Literal["match", "no_match", "not_applicable", "unreadable"]
Language = Literal["en", "zh"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Verification(_Frozen):
    """What a matcher found between the photo and one reference."""

    verdict: Verdict
    """not_applicable: the pair is of different views; unreadable: the reference's image is gone or damaged."""
    reason: str
    """The verdict in words, with the figures that decided it."""
    matcher: str
    """Which one, and its version or weights."""
    inliers: Annotated[int, Field(ge=0)] = 0
    """Feature matches that agree with one geometry."""
    matched: Annotated[int, Field(ge=0)] = 0
    """Feature matches that the geometry was asked about; those at one place of both frames are left out."""
    points: tuple[tuple[float, float, float, float], ...] = ()
    """Inliers as (x, y) in the photo and (x, y) in the reference, pixels of the upright images; at most 100."""


class Explanation(_Frozen):
    """Why two pictures do or do not show one place, in a model's words: its reading, and no evidence."""

    agreeing: tuple[str, ...]
    """Features that the model sees in both pictures."""
    disagreeing: tuple[str, ...]
    """Features in which they differ."""
    conclusion: str
    """One sentence."""
    language: Language
    """Of the words: English or Chinese."""
    contradicts: bool
    """The model, asked again after its reasons, said the opposite of the verdict: trust neither."""
    weights: str
    """Which model wrote it, and which hash."""


class Judgement(_Frozen):
    """What a vision-language model said of the photo and one reference: do they show the same place?"""

    verdict: Literal["match", "no_match", "unreadable"]
    """unreadable: the reference's image is gone or damaged, or the model gave no answer."""
    reason: str
    """The verdict in words, with the figure that decided it."""
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of a match; None where there is no verdict. The model's own share of yes and no unless `calibrated`."""
    calibrated: bool = False
    """The probability was fitted on labelled pairs; otherwise it only says which way the model leans."""
    log_ratio: FiniteFloat | None = None
    """ln P(this answer | same place) / P(this answer | another place), bounded; None unless calibrated."""
    weights: str
    """Which model, and which hash."""
    explanation: Explanation | None = None
    """Only of the candidates that a person will read about."""


class Candidate(_Frozen):
    """One reference, ranked."""

    rank: Annotated[int, Field(ge=1)]
    reference_id: str
    uri: str
    source: int = 0
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    view: View
    country: str | None = None
    heading_deg: float | None = None
    extent_m: float | None = None
    """Side of a tile on the ground in metres; None where the source does not say."""
    captured_at: str | None = None
    licence: str | None = None
    sha256: str = ""
    """Of the reference's image when it was indexed."""
    similarity: float
    """Cosine similarity of the embeddings, in [-1, 1]."""
    score: float
    """What the ranking is by: the similarity, or that and the geography; higher is better."""
    verification: Verification | None = None
    judgement: Judgement | None = None
    """A model's opinion; None where none was asked."""

    @classmethod
    def of(cls, reference: Reference, *, rank: int, similarity: float, score: float) -> Candidate:
        """Make a candidate that nobody has verified yet."""
        return cls(
            rank=rank,
            reference_id=reference.id,
            uri=reference.uri,
            source=reference.source,
            lat=reference.lat,
            lon=reference.lon,
            view=reference.view,
            country=reference.country,
            heading_deg=reference.heading_deg,
            extent_m=reference.extent_m,
            captured_at=reference.captured_at,
            licence=reference.licence,
            sha256=reference.sha256,
            similarity=similarity,
            score=score,
        )

    @property
    def reference(self) -> Reference:
        """The reference again, as far as a gallery needs it to find the picture."""
        return Reference(
            id=self.reference_id,
            uri=self.uri,
            source=self.source,
            lat=self.lat,
            lon=self.lon,
            view=self.view,
            country=self.country,
            extent_m=self.extent_m,
            sha256=self.sha256,
        )
