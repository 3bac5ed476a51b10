"""What a model's judgements of matches say about the place: evidence if they are calibrated, an opinion if not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.indexes.geodesy import distance_km
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence, Likelihood, NearPlace, NearPoints, Nothing, Support
from geosleuth.tools.quoting import quoted

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Judgement

# How far from a matched reference the photo was taken, standard deviation per axis in km.
_GROUND_KM = 0.05  # a judge of whole scenes knows a square from its other end, which local features do not
_DRONE_KM = 0.1  # University-1652 circles its buildings from 256 m down, and looks at them aslant
_TILE_M = 200.0  # side of a tile that states none, a judgement: VIGOR's have 70 m, web maps' at zoom 17 some 300
_OF_SIDE = 1.0 / math.sqrt(12.0)  # standard deviation of a point that may lie anywhere along a side
_SHOWN = 8  # supports: the references that a person would open


def match_evidence(candidates: Sequence[Candidate], *, seconds: float = 0.0) -> Evidence:
    """One finding for all judgements.

    It shares its group with geometric verification: both look at the same two pictures, and count once.
    """
    judged = [(one, one.judgement) for one in candidates if one.judgement is not None]
    matched = [(one, said) for one, said in judged if said.verdict == "match"]
    matched.sort(key=lambda pair: (-(pair[1].probability or 0.0), pair[0].rank))
    claim = _claim(judged, matched)
    return Evidence(
        tool="gleam_x",
        type="gleam_x.match",
        claim=claim,
        likelihood=_likelihood(matched, claim),
        group="verification",
        support=tuple(
            Support(reference=one.reference_id, source=one.uri, rule=said.reason) for one, said in matched[:_SHOWN]
        ),
        seconds=seconds,
        weights=judged[0][1].weights if judged else None,
    )


def spread_km(candidate: Candidate) -> float:
    """How far from the reference's position the photo was taken if it shows the same place, per axis."""
    if candidate.view == "ground":
        return _GROUND_KM
    if candidate.view == "drone":
        return _DRONE_KM
    return _OF_SIDE * (candidate.extent_m or _TILE_M) / 1000.0


def _likelihood(matched: Sequence[tuple[Candidate, Judgement]], claim: str) -> Likelihood:
    """A place per match that speaks for itself, weighted by its likelihood ratio."""
    if not matched:
        return Nothing(reason=claim)
    if not all(said.calibrated for _, said in matched):
        return Nothing(reason="the model's probability was not calibrated on labelled pairs: an opinion, no evidence")
    ratios = [(one, math.exp(said.log_ratio)) for one, said in matched if said.log_ratio is not None]
    telling = [(one, ratio) for one, ratio in ratios if ratio > 1.0]
    if not telling:
        return Nothing(reason="the matches are no likelier than among the labelled pairs without any look at them")
    lats, lons = [one.lat for one, _ in telling], [one.lon for one, _ in telling]
    places = []
    for one, ratio in telling:
        spread = spread_km(one)
        # References beside each other are one place, judged several times by one judge: they share its weight.
        beside = int((distance_km(one.lat, one.lon, lats, lons) <= 2.0 * spread).sum())
        name = quoted(one.uri, bare=True)
        places.append(NearPlace(lat=one.lat, lon=one.lon, spread_km=spread, weight=(ratio - 1.0) / beside, name=name))
    return NearPoints(places=tuple(places), floor=1.0)


def _claim(judged: Sequence[tuple[Candidate, Judgement]], matched: Sequence[tuple[Candidate, Judgement]]) -> str:
    if not judged:
        return "There was no candidate to judge."
    unread = sum(said.verdict == "unreadable" for _, said in judged)
    but = f" ({unread} could not be judged)" if unread else ""
    if not matched:
        return f"A model sees the photo's place in none of {len(judged)} candidates{but}."
    best, said = matched[0]
    sure = "" if said.calibrated else ", uncalibrated"
    claim = f"A model sees the photo's place in {quoted(best.uri)} at {best.lat:.5f}, {best.lon:.5f} "
    claim += f"(probability {said.probability or 0.0:.2f}{sure})"
    if len(matched) > 1:
        claim += f" and in {len(matched) - 1} more"
    return f"{claim}, of {len(judged)} candidates{but}."
