"""GLEAM-X: does a reference show the photo's place, yes or no, and why (arXiv 2509.07450).

The verdict of all candidates comes first, from the probability of one word, as one batch; reasons are written only for
those that a person will read about. A model's words are its reading of the pictures: evidence is the calibrated
probability alone.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate, Explanation, Judgement, Language
from geosleuth.tools.comparison_prompts import NO, SAME_PLACE, YES, Pictures, answering, prompt, yes_log_odds
from geosleuth.tools.match_calibration import LARGEST_LOGIT, MatchCalibration
from geosleuth.tools.quoting import LONGEST

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model import Prompt, VisionLanguageModel

# Six features of eight tokens, a sentence of thirty, and the JSON around them.
EXPLANATION_TOKENS = 128
_NAMED = 3  # features of each kind

_CONCLUSION_LONGEST = 240  # characters: one sentence
_HAN = re.compile(r"[\u4e00-\u9fff]")
WHY: dict[Language, str] = {
    "en": (
        "Why? Answer in JSON with the keys agreeing (up to three features that both pictures show), disagreeing (up to "
        "three in which they differ), conclusion (one short sentence), same_place (true or false: your answer now). At "
        "most six words a feature. Name only what can be seen, and where. Write in English."
    ),
    "zh": (
        "为什么？用 JSON 回答，键为 agreeing（两张图都有的特征，最多三项）、disagreeing（两张图不同的特征，最多三项）、"
        "conclusion（一句简短的结论）、same_place（true 或 false：你现在的答案）。每项特征不超过十个字。"
        "只写看得见的东西及其位置。用中文书写。"
    ),
}


def judge_matches(
    model: VisionLanguageModel,
    photo: Photo,
    candidates: Sequence[Candidate],
    pictures: Pictures,
    *,
    calibration: MatchCalibration | None = None,
) -> list[Judgement]:
    """Judge all candidates in one batch: one answer word each, nothing is written.

    Args:
        model: As this photo's investigation sees it.
        photo: Taken from the ground.
        candidates: References to be compared with it.
        pictures: Reads a candidate's picture, and raises InputError where it cannot.
        calibration: From `calibration_for`; None leaves the model's own leaning as it is.

    Returns:
        One judgement per candidate, in their order; a picture that cannot be read makes one without a verdict.

    Raises:
        InputError: The model cannot be reached or run.
    """
    read = [_picture(one, pictures) for one in candidates]
    pairs = zip(candidates, read, strict=True)
    logits = iter(match_logits(model, photo, [(c, picture) for c, picture in pairs if not isinstance(picture, str)]))
    return [
        _no_verdict(picture, model.weights)
        if isinstance(picture, str)
        else _judgement(next(logits), model.weights, calibration)
        for picture in read
    ]


def match_logits(model: VisionLanguageModel, photo: Photo, shown: Sequence[tuple[Candidate, Pixels]]) -> list[float]:
    """Ln P(yes) / P(no) of each pair, what a calibration is fitted to; NaN where the model gave neither a share."""
    prompts = [match_prompt(photo.pixels, one, picture) for one, picture in shown]
    return [float(value) for value in yes_log_odds(model.score(prompts, YES + NO))] if prompts else []


def match_prompt(photo: Pixels, candidate: Candidate, picture: Pixels) -> Prompt:
    """Ask for the verdict; adapters are trained with the same words."""
    return pair_prompt(photo, picture, view=candidate.view)


def pair_prompt(photo: Pixels, picture: Pixels, *, view: View, photo_view: View = "ground") -> Prompt:
    """Ask for the verdict of two pictures, of which training data have other views than the ground's."""
    return prompt(photo, (view, picture), question=SAME_PLACE, photo_view=photo_view)


class _Written(BaseModel):
    """What the model is asked to write, in this order: an answer after its reasons may differ from the one before."""

    model_config = ConfigDict(extra="ignore")

    agreeing: list[str]
    disagreeing: list[str]
    conclusion: str
    same_place: bool


def explain(
    model: VisionLanguageModel,
    photo: Photo,
    candidate: Candidate,
    picture: Pixels,
    verdict: Literal["match", "no_match"],
    *,
    language: Language = "en",
) -> Explanation:
    """Write down why a verdict was given; takes a hundred times as long as the verdict, so only for finalists.

    The model goes on from its own answer, so that all it has read of the pictures is there already.

    Raises:
        InputError: The model cannot be reached or run, or writes nothing readable.
    """
    from geosleuth.tools.vlm.structured import Unreadable, answer_as

    answer = YES[0] if verdict == "match" else NO[0]
    asked = answering(match_prompt(photo.pixels, candidate, picture), answer, question=WHY[language])
    written = answer_as(model, [asked], _Written, max_tokens=EXPLANATION_TOKENS)[0][0]
    if isinstance(written, Unreadable):
        raise InputError("an explanation in JSON", written.problem, "Use a larger model for the role gleam_x.")
    agreeing, disagreeing = _features(written.agreeing), _features(written.disagreeing)
    # A verdict whose only reasons speak against it is contradicted too, whatever the last word says.
    against, for_it = (disagreeing, agreeing) if verdict == "match" else (agreeing, disagreeing)
    conclusion = one_line(written.conclusion, _CONCLUSION_LONGEST)
    return Explanation(
        agreeing=agreeing,
        disagreeing=disagreeing,
        conclusion=conclusion,
        language="zh" if _HAN.search(conclusion) else "en",  # as written: a small model may not do as it is told
        contradicts=written.same_place != (verdict == "match") or bool(against and not for_it),
        weights=model.weights,
    )


def _features(written: Sequence[str]) -> tuple[str, ...]:
    plain = (one_line(one, LONGEST) for one in written[:_NAMED])
    return tuple(one for one in plain if one)


def one_line(text: str, longest: int) -> str:
    """One line without control and direction characters: a model can be made to write them."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def _picture(candidate: Candidate, pictures: Pictures) -> Pixels | str:
    """The picture, or why there is none."""
    try:
        return pictures(candidate)
    except InputError as error:
        return str(error)


def _judgement(logit: float, weights: str, calibration: MatchCalibration | None) -> Judgement:
    if math.isnan(logit):
        return _no_verdict("the model answered neither yes nor no", weights)
    logit = float(np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))
    if calibration is None:
        probability = 1.0 / (1.0 + math.exp(-logit))
        how = "of its yes and no; not calibrated"
    else:
        probability = calibration.probability(logit)
        how = f"calibrated on {calibration.matches + calibration.others} labelled pairs"
    return Judgement(
        verdict="match" if probability >= 0.5 else "no_match",
        reason=f"the model gives {probability:.2f} to the same place, {how}",
        probability=probability,
        calibrated=calibration is not None,
        log_ratio=None if calibration is None else calibration.log_ratio(logit),
        weights=weights,
    )


def _no_verdict(reason: str, weights: str) -> Judgement:
    return Judgement(verdict="unreadable", reason=reason, weights=weights)
