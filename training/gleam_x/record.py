"""A pair of pictures with its verdict and, where it has one, its explanation: a line of a JSONL file.

Paths are relative to the root of the data set that the pictures are of, with forward slashes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.gallery.reference import View

Label = Literal["match", "no_match"]
Language = Literal["en", "zh"]
Line = Annotated[str, Field(min_length=1, max_length=400)]


class Reasons(BaseModel):
    """Why: the keys that the verifier writes (`tools.gleam_x.WHY`); its fourth, same_place, is the label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agreeing: tuple[Line, ...] = ()  # features that both pictures show, up to three
    disagreeing: tuple[Line, ...] = ()  # in which they differ, up to three
    conclusion: Line


class PairRecord(BaseModel):
    """One pair in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair_id: str  # the same in both languages
    query_path: str
    query_view: View
    query_modality: str  # as the data set calls it: "panorama", "drone", "night panorama", ...
    satellite_path: str
    reference_view: View = "satellite"  # of the picture at satellite_path: some data sets search other views
    label: Label
    lang: Language = "en"
    explanation: Reasons | None = None
    teacher: str | None = None  # spec of the model that wrote the explanation
    teacher_label: Label | None = None  # the teacher's own verdict, where it was not told the label
    source_dataset: str
    hard_negative_rank: int | None = None  # among the references that are wrong, 1 the most similar; None of a match
    human_revised: bool = False
