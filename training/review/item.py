"""What a person judges: a pair with its explanation, or a photo with the reasons that a model gave for its place."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from geosleuth.training.gleam_x.record import PairRecord, Reasons

Kind = Literal["pair", "reasons"]


class Shown(NamedTuple):
    """A picture of an item."""

    title: str
    path: str  # below the review's root, with forward slashes


class PairItem(BaseModel):
    """Two pictures, whether they show one place, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pair"] = "pair"
    id: Annotated[str, Field(min_length=1, max_length=400)]
    record: PairRecord

    @model_validator(mode="after")
    def _explained(self) -> PairItem:
        if self.record.explanation is None:
            raise ValueError("the pair has no explanation")
        return self

    @property
    def explanation(self) -> Reasons:
        """What is to be judged."""
        if self.record.explanation is None:  # the validator has seen to it
            raise ValueError("the pair has no explanation")
        return self.record.explanation

    @property
    def pictures(self) -> tuple[Shown, ...]:
        """Return the photo, then the reference, whatever it was taken from."""
        record = self.record
        reference = Shown(f"Reference: {record.reference_view}", record.satellite_path)
        return Shown(f"Photo: {record.query_modality}", record.query_path), reference


class ReasonsItem(BaseModel):
    """A photo, and what a model answered to GeoReasoner's question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["reasons"] = "reasons"
    id: Annotated[str, Field(min_length=1, max_length=400)]
    path: Annotated[str, Field(min_length=1)]  # below the review's root
    country: Annotated[str, Field(max_length=200)] = ""  # as it was written; empty: not said
    city: Annotated[str, Field(max_length=200)] = ""
    reasons: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...], Field(min_length=1)]
    model: str | None = None  # spec of who answered

    @property
    def pictures(self) -> tuple[Shown, ...]:
        """Return the photo."""
        return (Shown("Photo", self.path),)


Item = PairItem | ReasonsItem
read_item: TypeAdapter[Item] = TypeAdapter(Annotated[Item, Field(discriminator="kind")])


def pair_item(record: PairRecord) -> PairItem:
    """Return the pair as an item; a pair stands once in each language."""
    return PairItem(id=f"{record.pair_id} ({record.lang})", record=record)
