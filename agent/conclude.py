"""From the belief to the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.agent.answer_notes import answer_notes
from geosleuth.agent.closing import with_closing
from geosleuth.agent.contradiction import find_contradictions
from geosleuth.agent.investigation import Investigation, PhotoView, pooled_group
from geosleuth.agent.localization import (
    City,
    ComparedReference,
    Contradiction,
    CountryShare,
    Geometry,
    Localization,
    LocatabilityScore,
    PhotoFacts,
    Point,
    RegionFeature,
    RegionProperties,
    Regions,
    Status,
    WeighedEvidence,
)
from geosleuth.agent.precision import coarsen
from geosleuth.agent.questions import asked_questions
from geosleuth.agent.state import AgentState, Found, Look
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import NearPoints, Nothing

if TYPE_CHECKING:
    from geosleuth.agent.belief import Belief

_SHARES = (0.5, 0.9)
_LISTED = 10  # countries in the answer, and compared references


@dataclass(frozen=True)
class AnswerRule:
    """When a belief is an answer."""

    localized_probability: float = 0.6  # of the country: from here on 9 of 10 answers on street-dev are right
    localized_bits: float = 2.0  # about the country; less could come from a prior that happens to be sharp
    contradicted_bits: float = 10.0  # between two findings: one of them is wrong, and nobody can say which
    coarse_bits: float = 1.0  # a clue that halves the uncertainty; less is what noise on signs is worth

    def decide(self, probability: float, bits: float, spoke: int) -> tuple[Status, str]:
        """Return the status and its reason, from the country's probability and what the evidence told about it."""
        figures = f"the country's probability is {_percent(probability)}, and the evidence is worth {bits:.1f} bits"
        if probability >= self.localized_probability and bits >= self.localized_bits:
            return "localized", f"{figures}."
        if bits >= self.coarse_bits:
            wanted = f"{_percent(self.localized_probability)} and {self.localized_bits:g} bits are wanted for more"
            return "coarse", f"{figures}; {wanted}."
        if spoke:
            return "not_locatable", f"{figures}: less than the {self.coarse_bits:g} that a guess needs."
        return "not_locatable", "no tool found anything that tells a place."


def _percent(probability: float) -> str:
    return f"{100 * min(probability, 0.999):.1f} %"  # never "100.0 %": no evidence is that sure


def conclude(state: AgentState, run: Investigation, rule: AnswerRule | None = None) -> Localization:
    """Draw the answer from all evidence; coarsened where the settings cap the precision."""
    found = state.get("found") or []
    counted = run.counted(found)
    belief = run.belief(found)
    shares, prior = run.countries(found), run.countries(())
    code, probability = next(iter(shares.items()))  # the belief's point lies in its likeliest country
    spoke = sum(map(_speaks, counted))
    rule = rule or AnswerRule()
    status, reason = rule.decide(probability, gained_bits(shares, prior), spoke)
    placed = status != "not_locatable"
    point = belief.point()
    contradictions = _contradictions(found, counted, belief, point, code, prior)
    if status == "localized" and any(one.bits >= rule.contradicted_bits for one in contradictions):
        status, reason = "coarse", f"{reason[:-1]}, but findings contradict each other: see there before you use it."
    only_stated = all(item.photo is None for item in counted if _speaks(item))
    if placed and run.stated:
        reason = f"{reason} {_without_statements(run, found, prior, rule)}"
    photos, language = tuple(map(_facts, run.views)), run.settings.language
    answer = Localization(
        status=status,
        reason=reason[0].upper() + reason[1:],
        point=Point(lat=point.lat, lon=point.lon) if placed else None,
        radius_km=belief.radius_km() if placed else None,
        country=_share(code, probability, language) if placed else None,
        countries=tuple(_share(c, p, language) for c, p in list(shares.items())[:_LISTED]),
        # Of a country that was stated, the largest city is no finding; of a place that was, it is what was meant.
        city=_city(belief) if placed and not (only_stated and not _names_places(counted)) else None,
        regions=_regions(belief),
        evidence=_weighed(found, counted, belief, pooled=len(run.views) > 1),
        contradictions=contradictions,
        candidates=_compared(state.get("looks") or (), point if placed else None),
        trace=tuple(state.get("trace") or ()),
        entropy_bits=belief.entropy_bits(),
        locatability=_most_locatable(state.get("looks") or ()),
        photo=photos[0],
        photos=photos,
        questions=asked_questions(shares, run.inquiry.statements, [item.evidence for item in counted]),
        backends=_backends(found, run),
        seconds=run.seconds,
        version=version("geosleuth"),
        notes=(
            *answer_notes(state.get("notes") or (), found, counted, photos, run.inquiry.left_out),
            *belief.calibration.notes_on(item.evidence for item in counted),
        ),
    )
    answer = with_closing(answer, state, run)
    cap = run.settings.precision_cap_km
    return answer if cap is None else coarsen(answer, cap)


def _contradictions(
    found: Sequence[Found],
    counted: Sequence[Found],
    belief: Belief,
    point: LatLon,
    code: str,
    prior: Mapping[str, float],
) -> tuple[Contradiction, ...]:
    """Only what counts can contradict; the answer lists all evidence, so that rows are those of `found`."""
    contradictions = find_contradictions(
        [belief.calibration.counted(item.evidence) for item in counted],
        point,
        _regions_at(point, code),
        prior,
        photos=[item.photo for item in counted],
        temperature=belief.calibration.temperature,
    )
    listed = {id(item): i for i, item in enumerate(found)}
    at = [listed[id(item)] for item in counted]
    return tuple(one.model_copy(update={"evidence": tuple(at[i] for i in one.evidence)}) for one in contradictions)


def gained_bits(shares: Mapping[str, float], prior: Mapping[str, float]) -> float:
    """Return what the evidence told about the country: the divergence of the belief from its start, in bits.

    Over countries and not over cells: cells are split where mass gathers, and so compare with no earlier ones.
    """
    terms = (p * math.log2(p / prior[code]) for code, p in shares.items() if p > 0 and prior.get(code, 0) > 0)
    return max(sum(terms), 0.0)


def _speaks(item: Found) -> bool:
    return not isinstance(item.evidence.likelihood, Nothing)


def _without_statements(
    run: Investigation, found: Sequence[Found], prior: Mapping[str, float], rule: AnswerRule
) -> str:
    """Say what the photos alone tell: an investigator's own words must not come back as a finding."""
    seen = [item for item in found if item.photo is not None]
    spoke = sum(map(_speaks, run.counted(seen)))
    if not spoke:
        return "Nothing in the photo supports this: it is what the investigator says."
    shares = run.countries(seen)
    code, probability = next(iter(shares.items()))
    status, _ = rule.decide(probability, gained_bits(shares, prior), spoke)
    if status == "not_locatable":
        return "Without what the investigator says, no place could be told."
    name = country_name(code, run.settings.language)
    return f"Without what the investigator says it would be {status}: {name}, {_percent(probability)}."


def _names_places(found: Sequence[Found]) -> bool:
    return any(isinstance(item.evidence.likelihood, NearPoints) for item in found)


def _share(code: str, probability: float, language: str) -> CountryShare:
    return CountryShare(code=code, name=country_name(code, language), probability=min(probability, 1.0))


def _city(belief: Belief) -> City | None:
    named = belief.city()
    if named is None:
        return None
    place, probability = named
    return City(
        name=place.name,
        country=place.country,
        lat=place.lat,
        lon=place.lon,
        probability=min(probability, 1.0),
        population=place.population or None,
    )


def _regions(belief: Belief) -> Regions:
    from shapely import transform

    features = []
    for share in _SHARES:
        region = belief.region(share)
        # 1e-5 degrees is 1 m: RFC 7946 section 11.2 warns of more digits, and this halves the file.
        outline = transform(region.geometry, partial(np.round, decimals=5)).__geo_interface__
        geometry = Geometry(type=outline["type"], coordinates=list(outline["coordinates"]))
        properties = RegionProperties(share=share, area_km2=region.area_km2)
        features.append(RegionFeature(geometry=geometry, properties=properties))
    return Regions(features=tuple(features))


def _regions_at(point: tuple[float, float], country: str) -> tuple[str, ...]:
    from geosleuth.indexes.regions import division_at

    division = division_at(*point)
    return (division, country) if division and division.startswith(f"{country}-") else (country,)


def _facts(view: PhotoView) -> PhotoFacts:
    photo = view.photo
    return PhotoFacts(name=photo.name, sha256=photo.sha256, size=photo.size, edits=photo.edits)


def _weighed(
    found: Sequence[Found], counted: Sequence[Found], belief: Belief, *, pooled: bool
) -> tuple[WeighedEvidence, ...]:
    bits = {id(item): worth for item, worth in zip(counted, belief.contributions(), strict=True)}
    return tuple(
        WeighedEvidence(
            tool=item.evidence.tool,
            type=item.evidence.type,
            claim=item.evidence.claim,
            contribution_bits=bits.get(id(item), 0.0),
            likelihood=item.evidence.likelihood.kind,
            support=item.evidence.support,
            seconds=item.evidence.seconds,
            weights=item.evidence.weights,
            group=pooled_group(item) if pooled else item.evidence.group,
            step=item.step,
            id=item.id,
            photo=item.photo,
            left_out=id(item) not in bits,
        )
        for item in found
    )


def _most_locatable(looks: Sequence[Look]) -> LocatabilityScore | None:
    """Of several photos the one that shows most of the place is what the answer can rest on."""
    scores = [one.locatability for one in looks if one.locatability is not None]
    return max(scores, key=lambda score: score.score, default=None)


def _compared(looks: Sequence[Look], point: LatLon | None) -> tuple[ComparedReference, ...]:
    """List the references that verification accepted, then the others by rank."""

    def rejected(one: Candidate) -> bool:
        return one.verification is None or one.verification.verdict != "match"

    all_of_them = [(one, photo) for photo, seen in enumerate(looks) for one in seen.candidates]
    best = sorted(all_of_them, key=lambda pair: (rejected(pair[0]), pair[0].rank))[:_LISTED]
    far = [None if point is None else float(distance_km(*point, one.lat, one.lon)) for one, _ in best]
    return tuple(
        ComparedReference(**dict(one), distance_km=km, photo=photo, number=number)
        for number, ((one, photo), km) in enumerate(zip(best, far, strict=True), start=1)
    )


def _backends(found: Sequence[Found], run: Investigation) -> dict[str, str]:
    """Per role or tool, what ran: the spec that was set, and the weights that the evidence names."""
    specs = {role: spec for role, spec in run.settings.backends if spec is not None}
    if run.references is not None:
        specs |= {"index": str(run.references), "retrieval": run.references.encoder.spec}
    ran = {role: [spec] for role, spec in specs.items()}
    for item in found:
        if item.evidence.weights:
            ran.setdefault(item.evidence.tool, []).append(item.evidence.weights)
    ran["planner"] = [run.planner_name]
    return {name: "; ".join(dict.fromkeys(parts)) for name, parts in ran.items()}
