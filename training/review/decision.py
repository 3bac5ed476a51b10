"""What a reviewer says of an item: a line of a decisions file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.item import Kind
from geosleuth.training.review.scales import HIGHEST, LOWEST

Note = Annotated[str, Field(max_length=500)]
Stars = Annotated[int, Field(ge=LOWEST, le=HIGHEST)]
Why = Literal[
    "label_wrong", "absent", "contradicts", "given_away", "language", "vague", "picture_missing", "no_place", "other"
]
WHY: dict[Why, str] = {
    "label_wrong": "The label is wrong",
    "absent": "Names something that is in neither picture",
    "contradicts": "Contradicts the label or itself",
    "given_away": "Shows that its writer was told the label",
    "language": "Wrong language, or unreadable",
    "vague": "Says nothing that can be checked",
    "picture_missing": "A picture is missing or damaged",
    "no_place": "The photo shows no place",
    "other": "Something else (say what)",
}
REJECTABLE: dict[Kind, tuple[Why, ...]] = {
    "pair": (
        "label_wrong", "absent", "contradicts", "given_away", "language", "vague", "picture_missing", "other",
    ),
    "reasons": ("picture_missing", "no_place", "language", "other"),  # what is merely poor gets low ratings
}  # fmt: skip


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str  # its id
    at: AwareDatetime
    blind: bool = True  # before this reviewer could see what another said of the item: agreement counts only these
    via: Literal["page", "label-studio"] = "page"


class Accept(_Said):
    """A pair's explanation is good as it is."""

    verdict: Literal["accept"] = "accept"
    note: Note = ""


class Edit(_Said):
    """A pair's explanation is good once it reads like this; the original stays in the item."""

    verdict: Literal["edit"] = "edit"
    edited: Reasons
    note: Note = ""


class Reject(_Said):
    """The item is not to be used."""

    verdict: Literal["reject"] = "reject"
    why: Why
    note: Note = ""

    @model_validator(mode="after")
    def _told(self) -> Reject:
        if self.why == "other" and not self.note.strip():
            raise ValueError("'other' needs a note that says what")
        return self


class Rate(_Said):
    """How good the reasons are; see `scales.SCALES`."""

    verdict: Literal["rate"] = "rate"
    presence: Stars
    logic: Stars
    help: Stars
    note: Note = ""


class Undo(_Said):
    """Takes back the reviewer's last decision of the item; the one before it, if any, counts again."""

    verdict: Literal["undo"] = "undo"


Decision = Accept | Edit | Reject | Rate
Line = Decision | Undo
read_line: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="verdict")])
ALLOWED: dict[Kind, tuple[str, ...]] = {
    "pair": ("accept", "edit", "reject", "undo"),
    "reasons": ("rate", "reject", "undo"),
}


def what_it_says(decision: Decision) -> dict[str, object]:
    """Return a decision without when and how it was made: two are the same if this is."""
    return decision.model_dump(mode="json", exclude={"at", "blind", "via"})
