"""Answers from what was observed: the belief anew, whatever the calibration; and a model's bare answers beside it.

A belief takes about 0.1 s a photo; nothing is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.agent.belief import Belief
from geosleuth.agent.calibration import Calibration, load_calibration
from geosleuth.agent.conclude import AnswerRule, gained_bits
from geosleuth.agent.contradiction import find_contradictions
from geosleuth.agent.localization import Status
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import LatLon, geodesic_km
from geosleuth.indexes.regions import countries_at, division_at
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.training.evaluate.agent.observe import UNREADABLE
from geosleuth.training.evaluate.agent.scored import Observed, Scored, Truth

if TYPE_CHECKING:
    from geosleuth.tools.prior import RecordedPredictions

_CITY_KM = 25.0  # "the city" of accuracy@25km, as the belief's own


def score(
    observed: Sequence[Observed],
    calibration: Calibration | None = None,
    *,
    processes: int = 1,
    rule: AnswerRule | None = None,
) -> list[Scored]:
    """Answer each photo from its evidence, as the agent would; one that nobody could read has no answer.

    Args:
        observed: By `observe`.
        calibration: None is the package's own.
        processes: Photos at once, in threads: most of the time goes to arrays, which let others run.
        rule: When a belief is an answer; None is the agent's.
    """
    answers = _Answers(calibration or load_calibration(), rule or AnswerRule())
    _ = answers.blank  # made once, before threads ask for it
    if processes == 1:
        beliefs = [answers.of(seen) for seen in observed]
    else:
        with ThreadPoolExecutor(processes) as pool:
            beliefs = list(pool.map(answers.of, observed))
    return _with_countries(beliefs)


def bare_prediction(truths: Sequence[Truth], recorded: RecordedPredictions) -> list[Scored]:
    """Score what a model said itself, without any belief; a photo without a word of it is not located.

    Photos are found by file name, as the agent does.
    """
    return _with_countries([_bare(truth, recorded) for truth in truths])


def unreadable(seen: Observed) -> bool:
    """Whether no tool could look at the photo: the agent refuses such a file, and says nothing of any place."""
    return any(failure.startswith(f"{UNREADABLE}: ") for failure in seen.failures)


@dataclass(frozen=True)
class _Stand:
    """What a belief says whatever the truth is; made once for all photos without evidence."""

    belief: Belief
    evidence: Sequence[Evidence]  # what speaks

    @cached_property
    def shares(self) -> dict[str, float]:
        return self.belief.country_probabilities()

    @cached_property
    def point(self) -> LatLon:
        return self.belief.point()

    @cached_property
    def log_thresholds(self) -> tuple[float, float]:
        return self.belief.log_threshold(0.5), self.belief.log_threshold(0.9)

    @cached_property
    def areas_km2(self) -> tuple[float, float]:
        return self.belief.credible_area_km2(0.5), self.belief.credible_area_km2(0.9)

    @cached_property
    def entropy_bits(self) -> float:
        return self.belief.entropy_bits()

    @cached_property
    def city(self) -> str | None:
        place, distance_km = load_gazetteer().city_of(*self.point)
        return place.name if distance_km <= _CITY_KM else None

    def log_density(self, truth: Truth) -> float:
        return float(self.belief.log_density(np.array([truth.lat]), np.array([truth.lon]))[0])


@dataclass(frozen=True)
class _Answers:
    calibration: Calibration
    rule: AnswerRule

    @cached_property
    def blank(self) -> _Stand:
        """Before any evidence."""
        return _Stand(Belief.start(self.calibration), ())

    def of(self, seen: Observed) -> Scored:
        """Answer one photo; the country of its point is still to be filled in."""
        if unreadable(seen):
            return _unanswered(seen)
        speaking = [piece for piece in seen.evidence if not isinstance(piece.likelihood, Nothing)]
        stand = _Stand(self.blank.belief.update(speaking), speaking) if speaking else self.blank
        truth, shares, point = seen.truth, stand.shares, stand.point
        code, probability = next(iter(shares.items()))
        log_density = stand.log_density(truth)
        return Scored(
            truth=truth,
            status=self._status(stand, code, probability),
            point=(point.lat, point.lon),
            error_km=geodesic_km(point, LatLon(truth.lat, truth.lon)),
            point_country=None,
            named_country=code,
            named_city=stand.city,
            probability=min(probability, 1.0),  # a sum of shares may end a rounding above
            truth_probability=None if truth.country is None else min(shares.get(truth.country, 0.0), 1.0),
            in_50=log_density >= stand.log_thresholds[0],
            in_90=log_density >= stand.log_thresholds[1],
            area_50_km2=stand.areas_km2[0],
            area_90_km2=stand.areas_km2[1],
            entropy_bits=stand.entropy_bits,
            seconds=seen.seconds,
            calls=sum(seen.calls.values()),
        )

    def _status(self, stand: _Stand, code: str, probability: float) -> Status:
        """As agent/conclude.py: what contradicts itself strongly is told no finer than coarse."""
        prior = self.blank.shares
        status, _ = self.rule.decide(probability, gained_bits(stand.shares, prior), len(stand.evidence))
        if status != "localized" or len(stand.evidence) < 2:
            return status
        counted = [self.calibration.counted(piece) for piece in stand.evidence]
        found = find_contradictions(
            counted, stand.point, _regions(stand.point, code), prior, temperature=self.calibration.temperature
        )
        return "coarse" if any(one.bits >= self.rule.contradicted_bits for one in found) else status


def _unanswered(seen: Observed) -> Scored:
    return Scored(
        truth=seen.truth,
        status="not_locatable",
        point=None,
        error_km=None,
        point_country=None,
        named_country=None,
        seconds=seen.seconds,
        calls=sum(seen.calls.values()),
    )


def _regions(point: LatLon, code: str) -> tuple[str, ...]:
    division = division_at(*point)
    return (division, code) if division and division.startswith(f"{code}-") else (code,)


def _bare(truth: Truth, recorded: RecordedPredictions) -> Scored:
    said = recorded.rows.get(truth.file.rpartition("/")[2])
    point = None if said is None else said.position
    country = None if said is None else said.country
    return Scored(
        truth=truth,
        status="localized" if point or country else "not_locatable",
        point=point,
        error_km=geodesic_km(LatLon(*point), LatLon(truth.lat, truth.lon)) if point else None,
        point_country=None,
        named_country=country,
        named_city=said.city or None if said is not None else None,
    )


def _with_countries(rows: Sequence[Scored]) -> list[Scored]:
    """Fill in the countries of all points at once: by itself each would cost a search through the polygons."""
    points = [row.point for row in rows if row.point is not None]
    codes: Iterator[str | None] = iter(countries_at(*np.array(points).T) if points else ())
    return [row if row.point is None else row.model_copy(update={"point_country": next(codes)}) for row in rows]
