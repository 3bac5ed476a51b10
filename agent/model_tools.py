"""The tools that ask a model, as the planner calls them. They join the table where a model plays their role."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, cast

from pydantic import Field

from geosleuth.agent.toolbox import Finding, Scene, ToolFunction
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate, Judgement, Language

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from geosleuth.agent.models import PhotoModels
    from geosleuth.tools.comparison_prompts import Pictures
    from geosleuth.tools.reranking_strategies import Reranked
    from geosleuth.tools.vlm.model import VisionLanguageModel

JudgedTop = Annotated[int, Field(ge=1, le=20)]

_EXPLAINED = 3  # finalists: a person reads no more, and each costs a hundred times its verdict


def gleam_x(scene: Scene, top: JudgedTop = 10) -> Finding:
    """Ask a model whether the best candidates, seen from any side, show the photo's place, and why; call it last."""
    from geosleuth.tools.gleam_x import judge_matches
    from geosleuth.tools.match_calibration import calibration_for
    from geosleuth.tools.match_evidence import match_evidence

    if not scene.candidates:
        return Finding("there is no candidate to judge")
    wanted = [one for one in scene.candidates[:top] if one.judgement is None]  # no pair is judged twice
    foreign = {one.reference_id for one in scene.candidates if _in_another_language(one, scene.explains_in)}
    if not wanted and not foreign:
        return Finding("no candidate is left to judge")
    started = time.perf_counter()
    models, pictures = scene_models(scene), scene_pictures(scene)
    model = models.vlm("gleam_x")
    calibration = calibration_for(model)
    said = judge_matches(model, scene.photo, wanted, pictures, calibration=calibration) if wanted else []
    candidates = _with_judgements(scene.candidates, wanted, said)
    new = {one.reference_id for one in wanted} | foreign
    candidates = _explained(scene, model, candidates, new, pictures, scene.explains_in)
    evidence = match_evidence(candidates, seconds=time.perf_counter() - started)
    return Finding(_judged(candidates, len(wanted)), (evidence,), candidates=candidates)


def model_order(scene: Scene, candidates: Sequence[Candidate], *, best: int) -> tuple[tuple[Candidate, ...], str]:
    """Order candidates as the model of the role pairwise does, unless the gate is shut; say what happened."""
    from geosleuth.tools.rerank_gate import gate_allows, read_gate
    from geosleuth.tools.reranking_strategies import rerank_with

    models = scene_models(scene)
    strategy, gate = models.settings.strategy, models.settings.rerank_gate
    if gate is not None:
        read_gate(gate)  # a file that is missing is said before a model's weights are read
    model = models.vlm("pairwise")
    if gate is not None:
        decision = gate_allows(gate, strategy, model.weights)
        if not decision.allowed:
            return tuple(candidates), f"the order of retrieval stands, for the gate is shut: {decision.reason}"
    found = rerank_with(model, scene.photo, candidates, scene_pictures(scene), strategy, best=best)
    measured = "" if gate is not None else "; no gate says that it helps"
    return found.candidates, f"{_cost(found)}, by {strategy.replace('_', ' ')}{measured}"


def scene_models(scene: Scene) -> PhotoModels:
    """The models of the scene.

    Raises:
        InputError: There are none.
    """
    if scene.models is None:
        raise InputError("a model for this tool", "none", "Name one in geosleuth.toml, see docs/models.md.")
    return scene.models


def scene_pictures(scene: Scene) -> Pictures:
    """Read candidates' pictures from the scene's gallery.

    Raises:
        InputError: No index is configured.
    """
    from geosleuth.tools.reranking_strategies import gallery_pictures

    if scene.references is None:
        raise InputError("an index to search", "none", "Name one with --index, or as `index` in geosleuth.toml.")
    return gallery_pictures(scene.references.gallery)


def _cost(found: Reranked) -> str:
    if found.comparisons:
        return f"{found.comparisons} comparisons ({found.ties} ties, {found.failures} failures)"
    return f"{found.asked} questions ({found.failures} failures)"


def _judged(candidates: Sequence[Candidate], new: int) -> str:
    verdicts = [one.judgement.verdict for one in candidates if one.judgement is not None]
    before = f", {new} of them now" if new < len(verdicts) else ""
    return f"{len(verdicts)} candidates judged{before}: {verdicts.count('match')} show the place, by a model's opinion"


def _in_another_language(one: Candidate, language: Language) -> bool:
    """Whether its reasons were written for somebody who reads the other language."""
    words = one.judgement.explanation if one.judgement is not None else None
    return words is not None and words.language != language


def _with_judgements(
    candidates: Sequence[Candidate], judged: Sequence[Candidate], said: Sequence[Judgement]
) -> tuple[Candidate, ...]:
    """All candidates in their order; those that were judged now with what was said of them."""
    new = {one.reference_id: judgement for one, judgement in zip(judged, said, strict=True)}
    return tuple(
        one.model_copy(update={"judgement": new[one.reference_id]}) if one.reference_id in new else one
        for one in candidates
    )


def _explained(
    scene: Scene,
    model: VisionLanguageModel,
    candidates: Sequence[Candidate],
    new: Collection[str],
    pictures: Pictures,
    language: Language,
) -> tuple[Candidate, ...]:
    """Have the finalists among the new ones explained; the others were when they were judged."""
    finalists = _finalists(candidates)
    return tuple(
        _with_reasons(scene, model, one, pictures, language)
        if one.reference_id in finalists and one.reference_id in new
        else one
        for one in candidates
    )


def _finalists(candidates: Sequence[Candidate]) -> set[str]:
    """The likeliest matches, or the likeliest of all where none matches."""

    def likely(one: Candidate) -> float:
        return cast("Judgement", one.judgement).probability or 0.0

    spoke = sorted((one for one in candidates if one.judgement and one.judgement.verdict != "unreadable"), key=likely)
    matched = [one for one in spoke if one.judgement and one.judgement.verdict == "match"]
    return {one.reference_id for one in matched[-_EXPLAINED:] or spoke[-1:]}


def _with_reasons(
    scene: Scene, model: VisionLanguageModel, one: Candidate, pictures: Pictures, language: Language
) -> Candidate:
    from geosleuth.tools.gleam_x import explain

    judgement = one.judgement
    if judgement is None or judgement.verdict == "unreadable":
        return one
    try:
        words = explain(model, scene.photo, one, pictures(one), judgement.verdict, language=language)
    except InputError as error:  # the verdict stands without its reasons
        reason = f"{judgement.reason} (not explained: {error.found})"
        return one.model_copy(update={"judgement": judgement.model_copy(update={"reason": reason})})
    return one.model_copy(update={"judgement": judgement.model_copy(update={"explanation": words})})


# Each joins only where its role is played by a model, and where there is an index to take candidates from.
MODEL_TOOLS: dict[str, ToolFunction] = {"gleam_x": gleam_x}
