"""Verifier on or off, and what it says where retrieval is wrong: does it accept a false positive?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from geosleuth.tools.gleam_x import match_logits
from geosleuth.tools.reranking_strategies import AMONG, gallery_pictures, readable
from geosleuth.tools.verification import is_match
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, Values, flag
from geosleuth.training.evaluate.ablations.decision import accepted, first, outcome
from geosleuth.training.evaluate.ablations.query import NEAR_M, is_right, without
from geosleuth.training.evaluate.ablations.setup import VERIFIED

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look

OFF, FEATURES, MODEL = "off", "local features", "a model"
AS_FOUND, TAKEN_OUT = "as found", "right ones taken out"
_SURE = math.log(0.9 / 0.1)  # nine to one for the same place: what a reader takes for certain


def run(look: Look) -> Results:
    """Answer from the candidates as they are, and from those that are left when all near the truth are taken out."""
    results: dict[str, ArmResult] = {}
    left = without(look.found, look.query.position, max(NEAR_M, look.setup.within_m))
    for situation, candidates in ((AS_FOUND, look.found), (TAKEN_OUT, left)):
        for who, values in _verifiers(look, candidates):
            results[f"{who}: {situation}"] = ArmResult(values=values)
    return results


def _verifiers(look: Look, candidates: Sequence[Candidate]) -> Iterator[tuple[str, Values]]:
    yield OFF, {**outcome(look, first(candidates)), **_of_first(look, candidates, accepts=bool(candidates))}
    verified = look.verified(candidates)[:VERIFIED]
    believed = bool(verified) and is_match(verified[0])
    yield FEATURES, {**outcome(look, accepted(verified)), **_of_first(look, verified, accepts=believed)}
    if look.setup.judge is not None:
        yield MODEL, _by_model(look, candidates[:AMONG])


def _by_model(look: Look, candidates: Sequence[Candidate]) -> Values:
    judge = look.setup.judge
    assert judge is not None  # noqa: S101  # the caller has seen to it
    shown = readable(candidates, gallery_pictures(look.setup.gallery))
    logits = match_logits(judge.for_photo(), look.photo, shown)
    said = {one.reference_id: logit for (one, _), logit in zip(shown, logits, strict=True) if not math.isnan(logit)}
    yes = [one for one in candidates if said.get(one.reference_id, -math.inf) > 0]
    answer = max(yes, key=lambda one: said[one.reference_id], default=None)
    values = outcome(look, answer)
    sure = answer is not None and said[answer.reference_id] >= _SURE
    values["answered wrong, and sure"] = flag(sure and values["answered wrong"] == 1.0)
    believed = bool(candidates) and said.get(candidates[0].reference_id, -math.inf) > 0
    return {**values, **_of_first(look, candidates, accepts=believed), "calls": float(len(shown))}


def _of_first(look: Look, candidates: Sequence[Candidate], *, accepts: bool) -> Values:
    """What it says of retrieval's first, apart by whether that is right; of neither where it is near."""
    truth, values = look.query.position, dict.fromkeys((_RIGHT_FIRST, _WRONG_FIRST))
    found: Values = {**values}
    if candidates and is_right(candidates[0], truth, look.setup.within_m):
        found[_RIGHT_FIRST] = flag(accepts)
    elif candidates and not is_right(candidates[0], truth, NEAR_M):
        found[_WRONG_FIRST] = flag(accepts)
    return found


_RIGHT_FIRST, _WRONG_FIRST = "accepts the first where it is right", "accepts the first where it is wrong"

TABLE = Ablation(
    "verifier",
    "(e) Verifier on or off",
    "What does a verifier prevent, and how often does it accept a false positive where retrieval is wrong?",
    run,
    baseline=None,
    primary="answered wrong",
    pairs=tuple(
        (f"{one}: {situation}", f"{other}: {situation}")
        for situation in (AS_FOUND, TAKEN_OUT)
        for one, other in ((FEATURES, OFF), (MODEL, OFF), (MODEL, FEATURES))
    ),
    note=(
        "Off: the first candidate is the answer. Local features look at the first 20, a model at the first 10; the "
        "answer is what they accept most surely. Right ones taken out: no candidate within 100 m is left, so that "
        "every answer is wrong. Sure: nine to one or more for the same place."
    ),
)
