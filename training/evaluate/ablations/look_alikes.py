"""Look-alikes: a photo whose place has a twin elsewhere, both in the gallery, or the twin alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.tools.reranking import rerank
from geosleuth.tools.verification import is_match
from geosleuth.training.evaluate.ablations.arm import Ablation, ArmResult, Results, Values, flag
from geosleuth.training.evaluate.ablations.decision import accepted, first
from geosleuth.training.evaluate.ablations.query import NEAR_M, is_right, without
from geosleuth.training.evaluate.ablations.setup import VERIFIED
from geosleuth.training.evaluate.ablations.submaps import first_countries

if TYPE_CHECKING:
    from geosleuth.indexes.geodesy import LatLon
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.ablations.setup import Look

ALONE, SUBMAP, BELIEF = "similarity alone", "likeliest country", "reranked by the belief"
BOTH, TWIN_ONLY = "both in the gallery", "the place itself missing"
_OWN_M = 1000.0  # what is taken out with the place: its neighbourhood


def run(look: Look) -> Results:
    """Search with and without the prior, with the place in the gallery and without.

    Raises:
        InputError: The query has no twin.
    """
    twin = look.query.twin
    if twin is None:
        remedy = "Name a manifest of pairs by --twins."
        raise InputError("a photo whose place has a twin", look.query.name, remedy)
    results: dict[str, ArmResult] = {}
    for way, candidates in _ways(look):
        left = without(candidates, look.query.position, _OWN_M)
        for situation, some in ((BOTH, candidates), (TWIN_ONLY, left)):
            results[f"{way}: {situation}"] = ArmResult(values=_values(look, twin, some))
    return results


def _ways(look: Look) -> Iterator[tuple[str, tuple[Candidate, ...]]]:
    yield ALONE, look.found
    if look.setup.prior is not None:
        opinion = look.opinion
        yield SUBMAP, look.search(first_countries(opinion, 1, look.setup.buffer_km)).candidates
        yield BELIEF, rerank(look.found, "belief", log_density=opinion.log_density)


def _values(look: Look, twin: LatLon, candidates: Sequence[Candidate]) -> Values:
    verified = look.verified(candidates)[:VERIFIED]
    matched = [one for one in verified if is_match(one)]
    here = any(_at(look, one, look.query.position) for one in matched)
    there = any(_at(look, one, twin) for one in matched)
    return {
        **_where(look, twin, first(candidates), "first"),
        **_where(look, twin, accepted(verified), "verified"),
        "both accepted": flag(here and there),
        "only the twin accepted": flag(there and not here),
    }


def _where(look: Look, twin: LatLon, answer: Candidate | None, who: str) -> Values:
    here = answer is not None and _at(look, answer, look.query.position)
    there = answer is not None and not here and _at(look, answer, twin)
    return {
        f"{who}: the place": flag(here),
        f"{who}: the twin": flag(there),
        f"{who}: elsewhere": flag(answer is not None and not here and not there),
        f"{who}: none": flag(answer is None),
    }


def _at(look: Look, candidate: Candidate, position: LatLon) -> bool:
    return is_right(candidate, position, max(NEAR_M, look.setup.within_m))


TABLE = Ablation(
    "look_alikes",
    "(h) Look-alikes",
    "A place has a twin elsewhere: is the twin taken for it, and does the prior tell them apart?",
    run,
    baseline=None,
    primary="verified: the twin",
    pairs=tuple(
        (f"{way}: {situation}", f"{ALONE}: {situation}") for situation in (BOTH, TWIN_ONLY) for way in (SUBMAP, BELIEF)
    ),
    note=(
        "At the place, at the twin: within 100 m. The place itself missing: no candidate within 1 km of the truth is "
        "left. By construction local features cannot tell twins apart: only what is known beside them can."
    ),
)
