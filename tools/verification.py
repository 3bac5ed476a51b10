"""Verification: do the photo and a candidate show the same scene? Local features and geometry decide, no model does."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.tools.candidate import Candidate, Verification
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, Nothing, Support
from geosleuth.tools.matching import Matcher, load_matcher, match_prepared
from geosleuth.tools.positions import density_ratio, photos_per_km2
from geosleuth.tools.quoting import quoted

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.gallery import Gallery
    from geosleuth.indexes.photo import Photo

# Share of the accepted references that are farther than 50 m. Of the 818 ordered pairs of two walks 227 are accepted,
# one of them 50.5 m apart: at most 2.5 % (Wilson, 95 %), and more for pairs of one walk being no independent witnesses.
# Of 8,687 pairs of photos of different places none is accepted: at most 0.04 %, so 0.9 % of 20 candidates.
_WRONG = 0.03
_WRONG_UNMEASURED = 0.10  # of other matchers: a judgement, since the bounds of two_view.py were chosen with SIFT
# Spread per axis in metres, of the accepted pairs by their agreeing matches: 23 m with 24 to 35 of them, 18 with 35 to
# 50, 13 with 50 to 100, 8 with 100 to 200, 5 beyond. 130 / sqrt(n) runs a little above; then the receivers' own error.
_SPREAD_OF_ONE_M = 130.0
_RECEIVER_M = 10.0
_NEIGHBOURHOOD_KM = 0.1
_MOST_NAMED = 3
_SHOWN = 8  # supports: the references that a person would open


class Verified(BaseModel):
    """The candidates with their verdicts, and what follows for the place."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    candidates: tuple[Candidate, ...]
    """In the order given; those beyond the first `top` as they came."""
    evidence: tuple[Evidence, ...]
    """One finding: near the matched references, or nothing and why."""
    seconds: Annotated[float, Field(ge=0)]

    @property
    def matched(self) -> tuple[Candidate, ...]:
        """The candidates that show the photo's scene."""
        return tuple(one for one in self.candidates if is_match(one))


def is_match(candidate: Candidate) -> bool:
    """Whether verification found the photo's scene in it."""
    return candidate.verification is not None and candidate.verification.verdict == "match"


def verify(
    photo: Photo, candidates: Sequence[Candidate], gallery: Gallery, *, matcher: str = "embedded", top: int = 20
) -> Verified:
    """Check whether the first candidates show the same scene as the photo; use it on whatever retrieval has found.

    Only ground-level references can be checked so: seen from above, a scene has no local features in common. The
    answer does not depend on the number of cores.

    Raises:
        InputError: The matcher cannot be loaded, or the photo is damaged.
    """
    started = time.perf_counter()
    loaded = load_matcher(matcher)
    query = loaded.prepare(photo.pixels)
    reading = Lock()  # a source need not stand several readers; matching is what takes the time

    def check(candidate: Candidate) -> Candidate:
        return candidate.model_copy(update={"verification": _check(candidate, gallery, loaded, query, reading)})

    with ThreadPoolExecutor(max_workers=min(8, core_count())) as workers:
        checked = [*workers.map(check, candidates[:top]), *candidates[top:]]
    seconds = time.perf_counter() - started
    evidence = verification_evidence(checked, matcher=matcher, seconds=seconds)
    return Verified(candidates=tuple(checked), evidence=(evidence,), seconds=seconds)


def _check(candidate: Candidate, gallery: Gallery, matcher: Matcher, query: Any, reading: Lock) -> Verification:
    if candidate.view != "ground":
        reason = f"a {candidate.view} picture and a photo from the ground have no local features in common"
        return Verification(verdict="not_applicable", reason=reason, matcher=matcher.name)
    try:
        with reading:
            picture = gallery.picture(candidate.reference)
        pixels = picture.pixels
    except InputError as error:
        return Verification(verdict="unreadable", reason=str(error), matcher=matcher.name)
    matches = match_prepared(matcher, query, matcher.prepare(pixels))
    return Verification(
        verdict=matches.verdict,
        reason=matches.geometry.reason,
        matcher=matcher.name,
        inliers=matches.inliers,
        matched=len(matches.pairs) - matches.geometry.left_out,
        points=matches.points(),
    )


def verification_evidence(candidates: Sequence[Candidate], *, matcher: str, seconds: float) -> Evidence:
    """One finding for all that was verified: places that contradict one another share one likelihood."""
    verified = [one for one in candidates if one.verification is not None]
    matched = sorted(filter(is_match, verified), key=lambda one: (-_inliers(one), one.rank))
    claim = _match_claim(matched) if matched else _no_match_claim(verified)
    likelihood = _near(matched, measured=matcher == "embedded") if matched else Nothing(reason=claim)
    supports = tuple(
        Support(
            reference=one.reference_id,
            source=one.uri,
            rule=one.verification.reason if one.verification else None,
        )
        for one in matched[:_SHOWN]
    )
    return Evidence(
        tool="verification",
        type="verification.match",
        claim=claim,
        likelihood=likelihood,
        group="verification",  # a second look at the same gallery is no second witness
        support=supports,
        seconds=seconds,
        weights=load_matcher(matcher).name,
    )


def spread_km(inliers: int) -> float:
    """How far from a matched reference the photo was taken, per axis: the more agrees, the nearer."""
    return math.hypot(_RECEIVER_M, _SPREAD_OF_ONE_M / math.sqrt(max(inliers, 1))) / 1000.0


def _near(matched: Sequence[Candidate], *, measured: bool) -> NearPoints:
    """A place per match. Shares go by the square of the inliers: on the walks their middle is then nearest, 4 m off."""
    total = sum(_inliers(one) ** 2 for one in matched)
    places = []
    for one in matched:
        spread, here = spread_km(_inliers(one)), LatLon(one.lat, one.lon)
        ratio = density_ratio(spread, _WRONG if measured else _WRONG_UNMEASURED, photos_per_km2(here))
        share = _inliers(one) ** 2 / total
        places.append(
            NearPlace(lat=one.lat, lon=one.lon, spread_km=spread, weight=ratio * share, name=quoted(one.uri, bare=True))
        )
    return NearPoints(places=tuple(places), floor=1.0)


def _match_claim(matched: Sequence[Candidate]) -> str:
    best = matched[0]
    pairs = best.verification.matched if best.verification else 0
    claim = f"{_inliers(best)} of {pairs} feature matches with {quoted(best.uri)} agree with one change of viewpoint, "
    claim += f"so the photo was taken within some {2000 * spread_km(_inliers(best)):.0f} m of it, "
    claim += f"at {best.lat:.5f}, {best.lon:.5f}"
    if len(matched) == 1:
        return claim + "."
    apart = distance_km(best.lat, best.lon, [one.lat for one in matched], [one.lon for one in matched])
    others = [one for one, km in zip(matched[1:], apart[1:], strict=True) if km <= _NEIGHBOURHOOD_KM]
    if others:
        claim += f"; {len(others)} more within 100 m of it agree"
    elsewhere = [one for one, km in zip(matched[1:], apart[1:], strict=True) if km > _NEIGHBOURHOOD_KM]
    if elsewhere:
        names = ", ".join(f"{quoted(one.uri)} ({_inliers(one)})" for one in elsewhere[:_MOST_NAMED])
        claim += f". Farther off and against it: {names}"
    return claim + "."


def _no_match_claim(checked: Sequence[Candidate]) -> str:
    if not checked:
        return "There was no candidate to verify."
    count = dict.fromkeys(("no_match", "not_applicable", "unreadable"), 0)
    for one in checked:
        if one.verification:
            count[one.verification.verdict] += 1
    parts = []
    if count["no_match"]:
        best = max(checked, key=_inliers)
        parts.append(f"{count['no_match']} show another scene (at most {_inliers(best)} matches agree)")
    if count["not_applicable"]:
        parts.append(f"{count['not_applicable']} are no views from the ground, which this check cannot compare")
    if count["unreadable"]:
        parts.append(f"{count['unreadable']} could not be read")
    return f"None of {len(checked)} candidates is verified: {'; '.join(parts)}."


def _inliers(candidate: Candidate) -> int:
    return candidate.verification.inliers if candidate.verification else 0
