"""A candidate: a reference that may show the place of the photo, and what verification said of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.gallery.reference import Reference, View

Verdict = Literal["match", "no_match", "not_applicable", "unreadable"]


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
    captured_at: str | None = None
    licence: str | None = None
    sha256: str = ""
    """Of the reference's image when it was indexed."""
    similarity: float
    """Cosine similarity of the embeddings, in [-1, 1]."""
    score: float
    """What the ranking is by: the similarity, or that and the geography; higher is better."""
    verification: Verification | None = None

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
            sha256=self.sha256,
        )
