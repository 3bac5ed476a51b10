"""What the teacher is asked about a pair: why the verdict that it is told is right, or its own verdict and why.

Both from arXiv 2509.07450, section 4.1 (the teacher is given the true label); the wording is ours. The words before the
question are the verifier's own, so that both look for the same things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.comparison_prompts import prompt
from geosleuth.tools.gleam_x import one_line
from geosleuth.tools.quoting import neutralised
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.training.gleam_x.record import Label, Language, PairRecord, Reasons
from geosleuth.training.gleam_x.record_file import picture_path

NAMED = 3  # features of each kind
_LONGEST = 400  # characters of a line, as `Reasons` allows
_QUOTED = 4000  # characters of a bad answer that the teacher is shown again

TOLD: dict[Language, dict[Label, str]] = {
    "en": {
        "match": "The candidate shows the same place as the photo. That is certain.",
        "no_match": "The candidate shows another place than the photo. That is certain.",
    },
    "zh": {
        "match": "候选图与照片是同一个地方，这一点是确定的。",
        "no_match": "候选图与照片不是同一个地方，这一点是确定的。",
    },
}
_WHY: dict[Language, str] = {
    "en": (
        "Explain it to a reader who has only the two pictures. Answer in JSON with these keys and nothing else: "
        "agreeing (a list of up to three features that both pictures show), disagreeing (a list of up to three in "
        "which they differ), conclusion (one short sentence: whether it is the same place, and by what one sees it). "
        "At most six words a feature. Name only what can be seen in the pictures, and where. The reader does not know "
        "what you were told: never mention that you were told anything, nor a label. Write in English."
    ),
    "zh": (
        "请向只看得到这两张图的读者说明理由。只用 JSON 回答，键为 agreeing（两张图都有的特征，列表，最多三项）、"
        "disagreeing（两张图不同的特征，列表，最多三项）、conclusion（一句简短的结论：是否为同一个地方，凭什么看出来）。"
        "每项特征不超过十个字。只写图中看得见的东西及其位置。读者不知道你事先得到的信息：不要提到它，也不要提到标签。"
        "用中文书写。"
    ),
}
_JUDGE: dict[Language, str] = {
    "en": (
        "Does the candidate show the same place as the photo, and why? Answer in JSON with these keys and "
        "nothing else: same_place (true or false), agreeing (a list of up to three features that both pictures show), "
        "disagreeing (a list of up to three in which they differ), conclusion (one short sentence: whether it is the "
        "same place, and by what one sees it). At most six words a feature. Name only what can be seen in the "
        "pictures, and where. Write in English."
    ),
    "zh": (
        "候选图与照片是同一个地方吗？为什么？只用 JSON 回答，键为 same_place（true 或 false）、agreeing（"
        "两张图都有的特征，列表，最多三项）、disagreeing（两张图不同的特征，列表，最多三项）、conclusion（一句简短的结论："
        "是否为同一个地方，凭什么看出来）。每项特征不超过十个字。只写图中看得见的东西及其位置。用中文书写。"
    ),
}
_AGAIN: dict[Language, str] = {
    "en": "That cannot be used: {problems}. Answer with the JSON object only, complete and corrected, in English.",
    "zh": "这个回答不能用（{problems}）。请只回答完整、改正后的 JSON 对象，用中文书写。",
}


class Told(BaseModel):
    """What a teacher writes who knows the label."""

    model_config = ConfigDict(extra="ignore")

    agreeing: list[str]
    disagreeing: list[str]
    conclusion: str

    @property
    def verdict(self) -> Label | None:
        """Its own verdict: it was not asked for one."""
        return None


class Judged(BaseModel):
    """What one writes who does not; the verdict comes first, as the verifier's does."""

    model_config = ConfigDict(extra="ignore")

    same_place: bool
    agreeing: list[str]
    disagreeing: list[str]
    conclusion: str

    @property
    def verdict(self) -> Label | None:
        """Its own verdict."""
        return "match" if self.same_place else "no_match"


class UnreadableError(InputError):
    """A picture of a pair cannot be had; nothing was asked."""


@dataclass(frozen=True, eq=False)
class PairPictures:
    """Both pictures of a pair, with the SHA-256 of their files."""

    photo: Pixels
    candidate: Pixels
    digests: dict[int, str]  # by the id of an array, which lives as long as this


def open_pictures(record: PairRecord, root: Path) -> PairPictures:
    """Decode both pictures.

    Raises:
        UnreadableError: One is not there, is damaged, or would be outside of the root.
    """
    try:
        photo, candidate = (load_photo(picture_path(root, one)) for one in (record.query_path, record.satellite_path))
    except InputError as error:
        raise UnreadableError(error.wanted, error.found, error.remedy) from error
    except DAMAGED as error:
        found = f"{type(error).__name__}: {error}"
        raise UnreadableError(f"the pictures of {record.pair_id}", found, "Replace the file.") from error
    digests = {id(photo.pixels): photo.sha256, id(candidate.pixels): candidate.sha256}
    return PairPictures(photo.pixels, candidate.pixels, digests)


def teacher_prompt(record: PairRecord, pictures: PairPictures, *, with_label: bool = True) -> Prompt:
    """Ask why the label is right; or, without it, for the teacher's own verdict and why."""
    asked = f"{TOLD[record.lang][record.label]} {_WHY[record.lang]}" if with_label else _JUDGE[record.lang]
    shown = (record.reference_view, pictures.candidate)
    return prompt(pictures.photo, shown, question=asked, photo_view=record.query_view)


def again(before: Prompt, answer: str, problems: Sequence[str], language: Language) -> Prompt:
    """Ask once more, with what was wrong with the answer."""
    asked = _AGAIN[language].format(problems="; ".join(problems))
    said = Turn("assistant", (neutralised(answer[:_QUOTED].strip()) or "(nothing)",))
    return Prompt((*before.turns, said, Turn("user", (neutralised(asked),))))


def reasons_of(written: Told | Judged) -> Reasons | None:
    """The answer as a record keeps it: one line each, inert as text of a lesson; None without a conclusion."""
    conclusion = _line(written.conclusion)
    if not conclusion:
        return None
    agreeing, disagreeing = (
        tuple(kept for one in lines[:NAMED] if (kept := _line(one)))
        for lines in (written.agreeing, written.disagreeing)
    )
    return Reasons(agreeing=agreeing, disagreeing=disagreeing, conclusion=conclusion)


def _line(text: str) -> str:
    return neutralised(one_line(text, _LONGEST)).strip()
