"""Reranking by a vision-language model: the modes of arXiv 2603.27251 behind one function.

A pointwise mode scores every candidate by itself, all in one batch; a pairwise mode compares two at a time, in both
orders. The paper finds that pointwise modes harm and pairwise ones help: `rerank_gate.py` measures which is true here.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.comparison_prompts import (
    DIRECT,
    LIKERT,
    NO,
    REASONING_TOKENS,
    SAME_PLACE,
    SCORE_BEGUN,
    YES,
    Pictures,
    Strategy,
    answering,
    prompt,
    read_score,
    reasoning,
    yes_log_odds,
)
from geosleuth.tools.pairwise import Comparisons, VlmJudge, select_best

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.indexes.gallery.reference import View
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model import Prompt, VisionLanguageModel

    Shown = tuple[View, Pixels]

logger = logging.getLogger(__name__)

AMONG = 10  # candidates that are looked at: N of the paper
_SCORE_TOKENS = 16  # '87}' is four; the rest is for models that begin the JSON anew
_LIKERT = ("1", "2", "3", "4", "5")
_SIDE_PX = 1024  # shorter side of a reference's picture as it is decoded; models take less


@dataclass(frozen=True)
class Reranked:
    """The candidates in their new order, and what it took."""

    candidates: tuple[Candidate, ...]
    asked: int  # prompts given to the model
    comparisons: int  # pairs compared; 0 for the pointwise modes
    ties: int  # comparisons without a winner: both orders asked, the answers differed
    failures: int  # comparisons, or candidates, that got no answer and so left the order of retrieval
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)  # by reference id; pointwise modes only


def rerank_with(
    model: VisionLanguageModel,
    photo: Photo,
    candidates: Sequence[Candidate],
    pictures: Pictures,
    strategy: Strategy,
    *,
    best: int = 3,
    among: int = AMONG,
    early_stop: bool = True,
) -> Reranked:
    """Order the first candidates by what a model sees in them; those behind stay behind, and nothing is lost.

    Pointwise: the first `among` by falling score, equal ones as retrieval has them; a candidate without a score stays
    at its very place, and the others are ordered around it. Pairwise: the best few of them come first, the others keep
    their order.

    Args:
        model: As this photo's investigation sees it.
        photo: The photo in question.
        candidates: In the order of retrieval.
        pictures: Reads a candidate's picture, and raises InputError where it cannot.
        strategy: How the model is asked.
        best: How many a pairwise mode brings to the front.
        among: How many candidates the model looks at.
        early_stop: Spare a pairwise mode the comparisons of a candidate that `stands_out`.
    """
    started = time.perf_counter()
    front, behind = list(candidates[:among]), list(candidates[among:])
    if strategy in ("pairwise", "pairwise_reasoned"):
        judge = VlmJudge(model, pictures, reasoned=strategy == "pairwise_reasoned")
        comparisons = Comparisons(photo, judge)
        ordered = select_best(front, comparisons, best=best, early_stop=early_stop)
        counts = (judge.asked, comparisons.asked, comparisons.ties, comparisons.failures)
        scores: dict[str, float] = {}
    else:
        scores, asked = _scored(model, photo, front, pictures, strategy)
        ordered = by_score(front, scores)
        counts = (asked, 0, 0, len(front) - len(scores))
    return Reranked(_numbered((*ordered, *behind)), *counts, time.perf_counter() - started, scores)


def by_score(candidates: Sequence[Candidate], scores: Mapping[str, float]) -> tuple[Candidate, ...]:
    """Sort stably by falling score; a candidate without one stays at its place in the list."""
    ranked = iter(sorted((c for c in candidates if c.reference_id in scores), key=lambda c: -scores[c.reference_id]))
    return tuple(next(ranked) if one.reference_id in scores else one for one in candidates)


def gallery_pictures(gallery: Gallery) -> Pictures:
    """Read the candidates' pictures from the gallery that they were found in."""
    return lambda candidate: gallery.picture(candidate.reference).pixels_at(_SIDE_PX)


def _numbered(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    return tuple(one.model_copy(update={"rank": rank}) for rank, one in enumerate(candidates, start=1))


def readable(candidates: Sequence[Candidate], pictures: Pictures) -> list[tuple[Candidate, Pixels]]:
    """The candidates whose pictures can be read, with these; the log tells how many cannot, but names no file."""
    shown = []
    for one in candidates:
        try:
            shown.append((one, pictures(one)))
        except InputError:
            continue
    if len(shown) < len(candidates):
        unread = len(candidates) - len(shown)
        logger.warning("Of %d candidates, %d are not compared: no picture can be read", len(candidates), unread)
    return shown


def _scored(
    model: VisionLanguageModel, photo: Photo, candidates: Sequence[Candidate], pictures: Pictures, strategy: Strategy
) -> tuple[dict[str, float], int]:
    """Scores by reference id of those that got one, and the number of prompts."""
    shown = readable(candidates, pictures)
    if not shown:
        return {}, 0
    asked = len(shown) * (2 if strategy == "yes_no_reasoned" else 1)
    try:
        values = _POINTWISE[strategy](model, photo.pixels, [(one.view, picture) for one, picture in shown])
    except InputError as error:
        kind = type(error).__name__  # its words may name files of references
        logger.warning("None of %d candidates could be scored (%s): the order of retrieval stands", len(shown), kind)
        return {}, asked
    return {one.reference_id: v for (one, _), v in zip(shown, values, strict=True) if not math.isnan(v)}, asked


def _direct(model: VisionLanguageModel, photo: Pixels, shown: Sequence[Shown]) -> list[float]:
    """A number from 0 to 100 that the model writes; NaN where it writes none."""
    prompts = [prompt(photo, one, question=DIRECT, begun=SCORE_BEGUN) for one in shown]
    values = []
    for replies in model.generate(prompts, max_tokens=_SCORE_TOKENS):
        try:
            values.append(read_score(replies[0].text, finished=replies[0].finished))
        except InputError:
            values.append(math.nan)
    if unread := sum(map(math.isnan, values)):
        logger.warning("Of %d candidates, %d got no readable score and keep their places", len(values), unread)
    return values


def _likert(model: VisionLanguageModel, photo: Pixels, shown: Sequence[Shown]) -> list[float]:
    """The expected value of 1 to 5 over the probabilities of these five answers."""
    prompts = [prompt(photo, one, question=LIKERT, begun=SCORE_BEGUN) for one in shown]
    shares = model.score(prompts, _LIKERT).probabilities
    return [float(value) for value in shares @ np.arange(1.0, 6.0)]


def _yes_no(model: VisionLanguageModel, photo: Pixels, shown: Sequence[Shown]) -> list[float]:
    """Log odds of yes to no, which order like the softmax of the two and do not run out of digits."""
    return _yes_odds(model, [prompt(photo, one, question=SAME_PLACE) for one in shown])


def _yes_no_reasoned(model: VisionLanguageModel, photo: Pixels, shown: Sequence[Shown]) -> list[float]:
    """The same after reasons that the model has written."""
    begun = [reasoning(photo, one) for one in shown]
    reasons = model.generate(begun, max_tokens=REASONING_TOKENS)
    pairs = zip(begun, reasons, strict=True)
    return _yes_odds(model, [answering(one, said[0].text, question=SAME_PLACE) for one, said in pairs])


def _yes_odds(model: VisionLanguageModel, prompts: Sequence[Prompt]) -> list[float]:
    return [float(value) for value in yes_log_odds(model.score(prompts, YES + NO))]


_POINTWISE: Mapping[str, Callable[[VisionLanguageModel, Pixels, Sequence[Shown]], list[float]]] = {
    "direct": _direct,
    "likert": _likert,
    "yes_no": _yes_no,
    "yes_no_reasoned": _yes_no_reasoned,
}
