"""`Case`: what an investigator asked about the photos of one scene, turn by turn; the content of case.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.localization import Localization
from geosleuth.indexes.photo_edit import Edit

# Patterns, not plain strings: a case.json that somebody changed must not lead to a file outside of its folder.
CaseId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Salt = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PhotoFile = Annotated[str, Field(pattern=r"^photos/[0-9a-f]{64}\.(jpg|png|webp|heic|tif|gif)$")]
AnswerFile = Annotated[str, Field(pattern=r"^answers/[0-9]{4,9}\.json$")]
CaseName = Annotated[str, Field(min_length=1, max_length=200)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CasePhoto(_Frozen):
    """A photo as it was handed over, and how it is to be turned and cropped before anybody looks at it."""

    name: str  # the file's own, without folders: a stranger's words
    sha256: Sha256  # of the untouched bytes
    edit: Edit = Edit()
    file: PhotoFile  # in the case's folder
    added: AwareDatetime


class Turn(_Frozen):
    """One thing that the investigator asked, and where its answer lies."""

    number: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    said: str  # the investigator's own words; empty for the first look
    understood: str  # what was made of them, in words
    inquiry: Inquiry  # all that stands after them
    undo: bool = False  # this turn took back the last change
    answer: AnswerFile | None = None
    answer_sha256: Sha256 | None = None  # of that file
    finished: bool = False  # False: at work, or its program was stopped
    status: str | None = None  # of the answer, with the next three, so that a list of cases opens no answer
    place: str = ""  # "Porto, Portugal"
    country: str = ""  # "Portugal"
    precision_cap_km: float | None = None  # of the answer, as it is stored

    def answered(self, file: str, sha256: str, answer: Localization) -> Turn:
        """Return the turn with its answer, which lies in `file`."""
        from geosleuth.agent.export import place_name

        facts = {
            "answer": file,
            "answer_sha256": sha256,
            "finished": True,
            "status": answer.status,
            "place": place_name(answer) if answer.country else "",
            "country": answer.country.name if answer.country else "",
            "precision_cap_km": answer.precision_cap_km,
        }
        return self.model_copy(update=facts)


class Case(_Frozen):
    """One scene: its photos, and all that was asked about them. Its answers lie beside it."""

    id: CaseId
    name: CaseName
    salt: Salt  # of the hashes of words in the chain of custody; empty in an export under a precision cap
    owner: str  # as `CaseStore` was given it
    created: AwareDatetime
    changed: AwareDatetime
    photos: tuple[CasePhoto, ...] = ()
    turns: tuple[Turn, ...] = ()
    versions: dict[str, str] = {}  # of geosleuth and what it stands on, at the last turn
    settings: dict[str, Any] = {}  # resolved, those that decide an answer; never a secret
    custody_lines: Annotated[int, Field(ge=0)] = 0  # of custody.jsonl, so that a shortened one is noticed
    custody_head: str = ""  # SHA-256 of the last of them
    format: Literal[1] = 1

    @property
    def inquiry(self) -> Inquiry:
        """What stands now: the last turn's, without the calls that were of that turn alone."""
        return self.turns[-1].inquiry.model_copy(update={"calls": ()}) if self.turns else Inquiry()

    @property
    def last_finished(self) -> Turn | None:
        """The last turn that has an answer."""
        return next((turn for turn in reversed(self.turns) if turn.finished), None)

    @model_validator(mode="after")
    def _numbered(self) -> Case:
        if [turn.number for turn in self.turns] != list(range(1, len(self.turns) + 1)):
            raise ValueError("turns must be numbered from 1 without a gap")
        return self


class CaseSummary(_Frozen):
    """A case as a list shows it."""

    id: str
    name: str
    changed: AwareDatetime
    photos: int = 0
    turns: int = 0
    place: str = ""  # the last answer's; empty where there is none
    status: str | None = None  # the last answer's
    damaged: str | None = None  # why it cannot be opened; all else is then a guess
