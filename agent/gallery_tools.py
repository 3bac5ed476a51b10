"""The tools that search a gallery, as the planner calls them. They join the table when an index is configured."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field

from geosleuth.agent.embedded_tools import Share, countries_hold
from geosleuth.agent.references import References
from geosleuth.agent.tool_images import candidate_images, match_images
from geosleuth.agent.toolbox import Finding, Scene, Search, ToolFunction
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.submap import Submap

By = Literal["countries", "cells"]
Top = Annotated[int, Field(ge=1, le=100)]
Rank = Annotated[int, Field(ge=1)] | None  # of a candidate, as `retrieve` and `compare` have ordered them

_RETRIEVED = 100  # at most, by similarity; geography brings the right one up from here
_KEPT = 40  # after reranking: somewhat more than is ever verified
_BEST = 3  # what a selection brings to the front: more comparisons tell an investigator no more
_LISTED = 5  # candidates that the planner is told of


def submap(scene: Scene, share: Share = 0.95, by: By = "countries") -> Finding:
    """Count the references in the fewest countries, or cells of the gallery, that hold a share of the belief."""
    references = _references(scene)
    selected = _submap(scene, share, by)
    left, all_of_them = references.gallery.count(selected), len(references.gallery)
    words = f"{_parts(selected, share)}; {left:,} of {all_of_them:,} references lie there"
    return Finding(words, figures={"references": left, "parts": len(selected.frame)})


def retrieve(
    scene: Scene,
    share: Share = 0.95,
    by: Literal["countries", "cells", "everything"] = "countries",
    rerank: Literal["belief", "paper", "none"] = "belief",
) -> Finding:
    """Find references that look like the photo where a share of the belief lies; candidates, to be verified next."""
    from geosleuth.tools.retrieval import retrieve as search

    references = _references(scene)
    area = None if by == "everything" else _submap(scene, share, by)
    found = search(scene.photo, references.gallery, references.encoder, submap=area, k=_RETRIEVED)
    candidates = _with_matches(_with_verdicts(_reranked(scene, found.candidates, rerank), scene.candidates), scene)
    where = _parts(area, share) if area is not None and found.submap_reason is None else found.submap_reason
    summary = f"{len(candidates)} candidates among {found.searched:,} of {found.references:,} references: {where}"
    return Finding(
        summary,
        found.evidence,
        candidates=candidates,
        search=Search(searched=found.searched, references=found.references),
        figures={"candidates": [_figures(one) for one in candidates[:_LISTED]], "exact": found.exact},
        images=candidate_images(scene, candidates[:_LISTED]),
    )


def _references(scene: Scene) -> References:
    if scene.references is None:
        raise InputError("an index to search", "none", "Name one with --index, or as `index` in geosleuth.toml.")
    return scene.references


def _submap(scene: Scene, share: float, by: By) -> Submap:
    from geosleuth.tools.submap import select_submap
    from geosleuth.tools.submap_cells import select_cells

    if by == "countries":
        return select_submap(scene.belief(), share=share)
    peak = scene.point() if scene.point else None
    return select_cells(_references(scene).cells, share=share, log_density=scene.log_density, peak=peak)


def _parts(area: Submap, share: float) -> str:
    """Name the parts of a submap, the first of them by name."""
    if area.reason is not None:
        return area.reason
    if not area.countries:
        return f"{len(area.frame)} cells of the gallery hold {share:.4g} of the belief there"
    names = ", ".join(country_name(code) for code in area.countries[:_LISTED])
    more = " and others" if len(area.countries) > _LISTED else ""
    return f"{countries_hold(len(area.countries))} {share:.4g} of the belief: {names}{more}"


def _reranked(scene: Scene, candidates: tuple[Candidate, ...], how: str) -> tuple[Candidate, ...]:
    from geosleuth.tools.reranking import rerank

    if how == "belief" and scene.log_density is not None:
        return rerank(candidates, "belief", log_density=scene.log_density, k=_KEPT)
    if how == "paper" and scene.point is not None:
        return rerank(candidates, "point", point=scene.point(), k=_KEPT)
    return rerank(candidates, "none", k=_KEPT)


def _with_verdicts(new: tuple[Candidate, ...], before: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Keep what is known of references that an earlier search had found: no pair is looked at twice."""
    known = {one.reference_id: one for one in before}
    return tuple(
        one.model_copy(update={"verification": old.verification, "judgement": old.judgement})
        if (old := known.get(one.reference_id)) is not None
        else one
        for one in new
    )


def _with_matches(new: tuple[Candidate, ...], scene: Scene) -> tuple[Candidate, ...]:
    """Add at the end the references that verification had accepted before and that this search left out."""
    found = {one.reference_id for one in new}
    matched = [one for one in scene.candidates if one.verification and one.verification.verdict == "match"]
    missing = [one for one in matched if one.reference_id not in found]
    return new + tuple(one.model_copy(update={"rank": len(new) + i}) for i, one in enumerate(missing, start=1))


def _figures(one: Candidate) -> dict[str, object]:
    return {"rank": one.rank, "uri": one.uri, "country": one.country, "similarity": round(one.similarity, 3)}


def verify(scene: Scene, top: Top = 10, rank: Rank = None) -> Finding:
    """Compare local features of the photo with the best candidates, or the one of a rank; only a match is evidence."""
    from geosleuth.tools.verification import verification_evidence
    from geosleuth.tools.verification import verify as check

    references = _references(scene)
    wanted = _to_verify(scene.candidates, top) if rank is None else _of_rank(scene.candidates, rank)
    if not wanted:
        return Finding("no candidate is left to verify" if rank is None else _known_of(scene.candidates, rank))
    found = check(scene.photo, wanted, references.gallery, matcher=references.matcher, top=len(wanted))
    candidates = _with_verdicts(scene.candidates, found.candidates)
    # Over all candidates of the photo: however many looks it took, it is one photo against one gallery.
    evidence = verification_evidence(candidates, matcher=references.matcher, seconds=found.seconds)
    return Finding(
        _verdicts(found.candidates),
        (evidence,),
        candidates=candidates,
        figures={"verdicts": [_figures(one) for one in found.candidates[:_LISTED]]},
        images=match_images(scene, candidates),
    )


def compare(scene: Scene) -> Finding:
    """Order the candidates, two at a time, by which shows the photo's place better; call it after `verify`."""
    if not scene.candidates:
        return Finding("there is no candidate to compare")
    matched = any(one.verification is not None and one.verification.verdict == "match" for one in scene.candidates)
    if scene.models is not None and scene.models.spec("pairwise") is not None and not matched:
        from geosleuth.agent.model_tools import model_order

        ordered, how = model_order(scene, scene.candidates, best=_BEST)
    else:  # geometry that has matched something knows better than any model
        ordered, how = _order_by_inliers(scene)
    # Without names: what is logged while it happens is not coarsened by a cap.
    summary = f"best {_BEST} of {len(ordered)} candidates, by {how}"
    return Finding(
        summary,
        candidates=ordered,
        figures={"best": [_figures(one) for one in ordered[:_BEST]]},
        images=candidate_images(scene, ordered[:_BEST]),
    )


def _order_by_inliers(scene: Scene) -> tuple[tuple[Candidate, ...], str]:
    from geosleuth.tools.pairwise import Comparisons, InlierJudge, select_best

    comparisons = Comparisons(scene.photo, InlierJudge())
    ordered = select_best(scene.candidates, comparisons, best=_BEST)
    return ordered, f"{comparisons.asked} comparisons ({comparisons.ties} ties)"


def _to_verify(candidates: tuple[Candidate, ...], top: int) -> list[Candidate]:
    """The best `top` that nobody has verified, and the best `top` of the photo's own view: only those can match."""
    ground = [one for one in candidates if one.view == "ground"][:top]
    wanted = {one.reference_id for one in (*candidates[:top], *ground) if one.verification is None}
    return [one for one in candidates if one.reference_id in wanted]


def _of_rank(candidates: tuple[Candidate, ...], rank: int) -> list[Candidate]:
    return [one for one in candidates if one.rank == rank and one.verification is None]


def _known_of(candidates: tuple[Candidate, ...], rank: int) -> str:
    """Say what is known of a candidate that needs no second look."""
    known = [one.verification for one in candidates if one.rank == rank and one.verification is not None]
    if not known:
        return f"there is no candidate {rank}: {len(candidates)} were found"
    return f"candidate {rank} was verified before: {known[0].verdict.replace('_', ' ')}, {known[0].reason}"


def _verdicts(candidates: tuple[Candidate, ...]) -> str:
    counts = Counter(one.verification.verdict for one in candidates if one.verification)
    words = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items())
    return f"{len(candidates)} candidates verified: {words}"


# `submap` here takes the place of the embedded one.
GALLERY_TOOLS: dict[str, ToolFunction] = {
    "submap": submap,
    "retrieve": retrieve,
    "verify": verify,
    "compare": compare,
}
