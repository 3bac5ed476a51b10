"""Reranking by a judge: each candidate by itself, or two at a time; a model's looks, or agreeing local features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from geosleuth.tools.pairwise import Comparisons, InlierJudge, VlmJudge, select_best
from geosleuth.tools.reranking_strategies import AMONG, by_score, gallery_pictures, rerank_with
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, Values, recall
from geosleuth.training.evaluate.ablations.one_order import Counted, OneOrderJudge

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.tools.comparison_prompts import Strategy
    from geosleuth.tools.pairwise import Judge
    from geosleuth.training.evaluate.ablations.setup import Look

RETRIEVAL = "retrieval"
INLIERS, INLIER_PAIRS = "features, pointwise", "features, pairwise"
BOTH_ORDERS, ONE_ORDER = "pairwise, both orders", "pairwise, one order"
_REASONED = "pairwise with reasons, both orders"
_POINTWISE: Mapping[Strategy, str] = {
    "direct": "pointwise, score 0 to 100",
    "likert": "pointwise, Likert 1 to 5",
    "yes_no": "pointwise, yes or no",
    "yes_no_reasoned": "pointwise, reasons, then yes or no",
}


def run(look: Look) -> Results:
    """Rerank the first ten in every way."""
    front = look.found[:AMONG]
    scores = {one.reference_id: one.similarity for one in front}
    results = {RETRIEVAL: _result(look, front, {"calls": 0.0}, scores)}
    results.update(_by_features(look, front))
    if look.setup.judge is not None:
        results.update(_by_model(look, front))
    return results


def _by_features(look: Look, front: Sequence[Candidate]) -> Iterator[tuple[str, ArmResult]]:
    verified = look.verified(front)
    inliers = {one.reference_id: float(one.verification.inliers) for one in verified if one.verification}
    matched = float(len(verified))
    yield INLIERS, _result(look, by_score(verified, inliers), {"calls": matched}, inliers)
    ordered, values = _compared(look, verified, InlierJudge())
    yield INLIER_PAIRS, _result(look, ordered, {**values, "calls": matched})


def _by_model(look: Look, front: Sequence[Candidate]) -> Iterator[tuple[str, ArmResult]]:
    judge = look.setup.judge
    assert judge is not None  # noqa: S101  # `run` has seen to it
    pictures = gallery_pictures(look.setup.gallery)
    for strategy in look.setup.strategies:
        if strategy in _POINTWISE:
            # Afresh for each: a model's cache and its budget of requests are a photo's.
            made = rerank_with(judge.for_photo(), look.photo, front, pictures, strategy)
            values: Values = {"calls": float(made.asked), "failures": float(made.failures)}
            yield _POINTWISE[strategy], _result(look, made.candidates, values, made.scores)
    if "pairwise" in look.setup.strategies:
        both = VlmJudge(judge.for_photo(), pictures)
        ordered, values = _compared(look, front, both)
        yield BOTH_ORDERS, _result(look, ordered, {**values, "calls": float(both.asked)})
        once = OneOrderJudge(judge.for_photo(), pictures)
        ordered, values = _compared(look, front, once)
        yield ONE_ORDER, _result(look, ordered, {**values, "calls": float(once.asked)})
    if "pairwise_reasoned" in look.setup.strategies:
        reasoned = VlmJudge(judge.for_photo(), pictures, reasoned=True)
        ordered, values = _compared(look, front, reasoned)
        yield _REASONED, _result(look, ordered, {**values, "calls": float(reasoned.asked)})


def _compared(look: Look, front: Sequence[Candidate], judge: Judge) -> tuple[tuple[Candidate, ...], Values]:
    """Select the best three by pairs, without the agent's early stop: that is another saving than the question."""
    counted = Counted(judge, look.right(front))
    comparisons = Comparisons(look.photo, counted)
    ordered = select_best(front, comparisons)
    values: Values = {"comparisons": float(comparisons.asked), "ties": float(comparisons.ties)}
    values["failures"] = float(comparisons.failures)
    values["right preferred to wrong"] = counted.share
    return ordered, values


def _result(
    look: Look, ordered: Sequence[Candidate], values: Values, scores: Mapping[str, float] | None = None
) -> ArmResult:
    right = look.right(ordered)
    known = scores or {}
    scored = tuple((known[one.reference_id], one.reference_id in right) for one in ordered if one.reference_id in known)
    return ArmResult(values={**recall(look, ordered), **values}, scores=scored)


TABLE = Ablation(
    "reranking",
    "(d, f) Reranking: pointwise against pairwise",
    "Does a judge find the right one among ten, each by itself or two at a time, in both orders or one?",
    run,
    baseline=RETRIEVAL,
    pairs=(
        (INLIER_PAIRS, INLIERS),
        *((BOTH_ORDERS, pointwise) for pointwise in _POINTWISE.values()),
        (BOTH_ORDERS, ONE_ORDER),
    ),
    note=(
        "The first ten of the whole gallery; a selection brings three to the front. AUC: how often a right candidate "
        "scores above a wrong one, ties half; right preferred: the same of comparisons. Calls are of the model, or of "
        "the matcher. Features compare two candidates by their own counts, which no order can change."
    ),
)
