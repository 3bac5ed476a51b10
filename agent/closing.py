"""What the planner said in the end, and which of it no tool bears out: a model's words are shown, never believed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from geosleuth.agent.claims import Claim, claims_in
from geosleuth.agent.investigation import Investigation
from geosleuth.agent.localization import Closing, Localization
from geosleuth.agent.state import AgentState
from geosleuth.indexes.geodesy import LatLon, distance_km
from geosleuth.tools.captions import CAPTION
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, OverRegions

_SPEAKS = math.log(2)  # a finding speaks for a region that it makes twice as probable: the bit that a guess needs
_CITY_KM = 25.0  # "the city" of the field's accuracy@25km
_CITY_PROBABILITY = 0.5  # from here on the answer says that it is this city and no other
_VAGUE_KM = 200.0  # a bump that is wider says nothing of a city
_PERCENT = 1.0  # points: rounded figures are the same
_LISTED = 5  # claims that a note names
_FIGURE = re.compile(r"(\d+(?:\.\d+)?)\s?%")


def with_closing(answer: Localization, state: AgentState, run: Investigation) -> Localization:
    """Add what a planner that is a model said, with the claims that nothing backs; the answer itself stays as it is."""
    if not run.by_model:
        return answer
    words = state.get("closing") or ""
    thoughts = "\n".join(dict.fromkeys(step.thought for step in answer.trace if step.thought))
    if not words and not thoughts:
        return answer
    known = Backing.of([item.evidence for item in run.counted(state.get("found") or ())], run.countries(()), answer)
    unbacked = known.missing(words)
    closing = Closing(
        words=words,
        by=run.planner_name,
        unbacked=unbacked,
        unbacked_thoughts=tuple(one for one in known.missing(thoughts) if one not in unbacked),
    )
    notes = answer.notes
    if unbacked:
        more = f" and {len(unbacked) - _LISTED} more" if len(unbacked) > _LISTED else ""
        listed = ", ".join(unbacked[:_LISTED]) + more
        notes = (*notes, f"The planner's closing words say {listed}, which no tool's finding backs.")
    return answer.model_copy(update={"closing": closing, "notes": notes})


@dataclass(frozen=True)
class Backing:
    """All that a claim may rest on."""

    evidence: Sequence[Evidence]
    prior: Mapping[str, float]  # of countries, before any evidence
    answer: Localization

    @classmethod
    def of(cls, evidence: Sequence[Evidence], prior: Mapping[str, float], answer: Localization) -> Backing:
        """Leave out evidence that says nothing, and captions: they say what somebody wrote over the picture."""
        of_scene = [one for one in evidence if one.type != CAPTION]
        speaking = [one for one in of_scene if isinstance(one.likelihood, NearPoints | OverRegions)]
        return cls(speaking, prior, answer)

    def missing(self, words: str) -> tuple[str, ...]:
        """Return the claims of the words that nothing backs, as they are written."""
        return tuple(claim.text for claim in claims_in(words) if not self.backs(claim))

    def backs(self, claim: Claim) -> bool:
        """Whether a finding speaks for a claim, or the answer agrees with it."""
        if claim.percentage is not None:
            return any(abs(claim.percentage - figure) <= _PERCENT for figure in self._figures())
        if claim.position is not None:
            return self._at(claim.position)
        return self._agrees(claim) or self._region(claim) or self._place(claim)

    def _figures(self) -> Iterator[float]:
        """All percentages of the answer and of what tools said."""
        yield from (100 * share.probability for share in self.answer.countries)
        if self.answer.city:
            yield 100 * self.answer.city.probability
        said = [step.result for step in self.answer.trace if step.ok] + [one.claim for one in self.evidence]
        yield from (float(figure) for text in said for figure in _FIGURE.findall(text))

    def _at(self, position: LatLon) -> bool:
        if any(distance_km(*position, near.lat, near.lon) <= max(3 * near.spread_km, 1.0) for near in self._near()):
            return True
        point, radius = self.answer.point, self.answer.radius_km
        placed = self.answer.status == "localized" and point is not None and radius is not None
        return bool(placed and point and distance_km(*position, point.lat, point.lon) <= max(radius or 0.0, 1.0))

    def _agrees(self, claim: Claim) -> bool:
        """Whether the answer itself names the place with confidence."""
        answer = self.answer
        if answer.status != "localized":
            return False
        if answer.country and answer.country.code in claim.names.countries:
            return True
        if answer.city is None or answer.city.probability < _CITY_PROBABILITY:
            return False
        centre = LatLon(answer.city.lat, answer.city.lon)
        close = any(distance_km(*place.position, *centre) <= _CITY_KM for place in claim.names.places)
        return close or _division(centre, claim.names.divisions)

    def _region(self, claim: Claim) -> bool:
        codes = claim.names.codes
        over = [one.likelihood for one in self.evidence if isinstance(one.likelihood, OverRegions)]
        if any(self._doubled(one, codes) for one in over):
            return True
        near = list(self._near()) if codes else []
        if not near:
            return False
        from geosleuth.indexes.regions import countries_at

        held = countries_at([one.lat for one in near], [one.lon for one in near])
        if any(code in claim.names.countries for code in held):
            return True
        return any(_division(LatLon(one.lat, one.lon), claim.names.divisions) for one in near)

    def _doubled(self, likelihood: OverRegions, codes: Sequence[str]) -> bool:
        """Whether this finding alone makes one of the regions at least twice as probable as before."""
        ratios, otherwise = likelihood.log_ratios, likelihood.otherwise
        expected = sum(share * math.exp(min(ratios.get(c, otherwise), 50.0)) for c, share in self.prior.items())
        floor = math.log(max(expected, 1e-300)) + _SPEAKS
        # A finding for a division speaks for its country; one for a country says nothing of a division.
        told = [ratio for key, ratio in ratios.items() if key in codes or key[:2] in codes]
        return any(ratio >= floor for ratio in told)

    def _place(self, claim: Claim) -> bool:
        return any(
            distance_km(*place.position, near.lat, near.lon) <= max(_CITY_KM, near.spread_km)
            for place in claim.names.places
            for near in self._near()
            if near.spread_km <= _VAGUE_KM
        )

    def _near(self) -> Iterator[NearPlace]:
        """The places that findings make at least twice as probable as elsewhere."""
        for one in self.evidence:
            if isinstance(one.likelihood, NearPoints):
                floor = one.likelihood.floor
                yield from (near for near in one.likelihood.places if near.weight >= floor)


def _division(position: LatLon, wanted: Sequence[str]) -> bool:
    if not wanted:
        return False
    from geosleuth.indexes.regions import division_at

    return division_at(*position) in wanted
