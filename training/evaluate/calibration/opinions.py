"""How a model errs: its share of right countries, and how far its points lie from the truth, by likelihood.

What is maximised is the sum over photos of the log density at the true position, given the model's country and point
and nothing else. The rates are of what the agent needs and not of hits alone: of a model whose point says all that its
country says, the country is worth little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geosleuth.agent.calibration import ErrorShare, ModelWeights
from geosleuth.agent.log_likelihood import laid_out
from geosleuth.agent.opinion import bump, named_points, raised, start
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import Evidence, NearPoints, OverRegions

# Spreads in km per axis: a town, a region, a country, and two for neighbours; on eight recorded models five do as well
# as any five between 10 and 3,000 km.
SPREADS_KM = (12.0, 90.0, 500.0, 1000.0, 2500.0)
# What is thought before any photo, and for how many photos it stands: the middle of eight models of 2023 to 2025.
_EXPECTED = (0.05, 0.1, 0.25, 0.1, 0.2, 0.3)  # of the spreads, and of anywhere
_EXPECTED_HIT = 0.3
_WORTH = 10.0  # photos
_STEPS = (0.8, 0.4, 0.2, 0.1, 0.05)  # of logits
_ROUNDS = 50  # of each step
_ROUNDED = 10_000  # steps from 0 to 1 that a share is written in: photos tell no more than its third digit


@dataclass(frozen=True)
class Opinion:
    """What a model said of one photo, in densities over the start's; 1 where it said nothing."""

    number: int  # of the photo among those observed
    points: Floats | None  # (spreads,), at the truth
    country: float | None  # at the truth
    both: Floats  # (spreads + 1,), mean under the start of the points' density times the country's; last: of no point


def opinion(number: int, evidence: Sequence[Evidence], cell: int) -> Opinion | None:
    """Lay out what one model said of a photo; None where it cannot be read so, and keeps its tool's likelihood.

    Args:
        number: Of the photo.
        evidence: Of one model.
        cell: Row of the grid that holds the truth.
    """
    regions = [e.likelihood for e in evidence if isinstance(e.likelihood, OverRegions)]
    places = [e.likelihood for e in evidence if isinstance(e.likelihood, NearPoints)]
    if len(regions) > 1 or len(places) > 1:
        return None
    prior = start()[1]
    country = _country(regions[0]) if regions else None
    points = [_density(near, km) for near in places for km in SPREADS_KM]
    if any(one is None for one in points) or (regions and country is None):
        return None
    laid = [one for one in points if one is not None]
    over = np.ones_like(prior) if country is None else country
    both = [float((one * over) @ prior) for one in laid] or [1.0] * len(SPREADS_KM)
    return Opinion(
        number=number,
        points=np.array([one[cell] for one in laid]) if laid else None,
        country=None if country is None else float(country[cell]),
        both=np.array([*both, 1.0]),
    )


def _country(likelihood: OverRegions) -> Floats | None:
    lifted = raised(likelihood)
    if lifted is None:
        return None
    over = np.exp(laid_out(lifted, load_grid()).on(start()[0]))
    mean = float(over @ start()[1])
    return np.asarray(over / mean) if mean > 0 else None


def _density(likelihood: NearPoints, spread_km: float) -> Floats | None:
    points = named_points(likelihood)
    if not points:
        return None
    total = sum(share * bump(lat, lon, spread_km) for lat, lon, share in points)
    mean = float(total @ start()[1])
    # Where no photo is taken within the spread, it says nothing.
    return np.asarray(total / mean) if mean > 1e-9 else np.ones_like(start()[1])


class Opinions:
    """A model's words about many photos, as arrays."""

    def __init__(self, opinions: Sequence[Opinion]) -> None:
        width = len(SPREADS_KM)
        self.spoke = np.array([one.points is not None for one in opinions], dtype=bool)
        self.named = np.array([one.country is not None for one in opinions], dtype=bool)
        self.points = np.array([np.ones(width) if one.points is None else one.points for one in opinions])
        self.country = np.array([1.0 if one.country is None else one.country for one in opinions])
        self.both = np.array([one.both for one in opinions])

    def log_gains(self, shares: Floats, hit_rate: float) -> Floats:
        """Ln of the density at each truth over the start's, (photos,).

        Args:
            shares: Of the spreads and of anywhere, (spreads + 1,).
            hit_rate: Of countries.
        """
        hit = np.where(self.named, hit_rate, 0.0)
        at_truth = np.where(self.spoke, self.points @ shares[:-1] + shares[-1], 1.0)
        country = hit * self.country + 1.0 - hit
        # With a point the country's mean is taken under the point's mixture, without under the start: there it is 1.
        mean = np.where(self.spoke, hit * (self.both @ shares) + 1.0 - hit, 1.0)
        return np.asarray(np.log(at_truth) + np.log(country) - np.log(mean))


def rates(weights: ModelWeights) -> tuple[Floats, float]:
    """The arguments of `Opinions.log_gains` for weights that `weights_of` made."""
    shares = np.array([error.share for error in weights.errors])
    return np.append(shares, 1.0 - shares.sum()), weights.hit_rate or 0.0


def weights_of(opinions: Sequence[Opinion]) -> ModelWeights:
    """Fit one model; with few photos it stays near what models are like."""
    laid = Opinions(opinions) if opinions else None
    expected = np.array(_EXPECTED)

    def score(point: Floats) -> float:
        shares, hit = _shares(point[:-1]), _sigmoid(point[-1])
        before = expected @ np.log(shares) + _EXPECTED_HIT * np.log(hit) + (1 - _EXPECTED_HIT) * np.log(1 - hit)
        return _WORTH * float(before) + (float(laid.log_gains(shares, hit).sum()) if laid else 0.0)

    point = np.append(np.log(expected), np.log(_EXPECTED_HIT / (1 - _EXPECTED_HIT)))
    best = score(point)
    for step in _STEPS:
        for _ in range(_ROUNDS):
            before = best
            for number in range(len(point)):
                for move in (step, -step):
                    moved = point.copy()
                    moved[number] += move
                    found = score(moved)
                    if found > best + 1e-9:
                        point, best = moved, found
                        break
            if best <= before:
                break
    return rounded(_shares(point[:-1]), _sigmoid(point[-1]))


def rounded(shares: Floats, hit_rate: float) -> ModelWeights:
    """The weights in steps of 1/10,000, none of which rounding brings to what a model cannot be: never, or always.

    Args:
        shares: Of the spreads and of anywhere, (spreads + 1,).
        hit_rate: Of countries, from 0 to 1.
    """
    steps = np.round(shares[:-1] * _ROUNDED).astype(int)
    steps[np.argmax(steps)] -= max(int(steps.sum()) - (_ROUNDED - 1), 0)  # anywhere keeps a step
    hits = min(max(round(hit_rate * _ROUNDED), 1), _ROUNDED - 1)
    errors = (ErrorShare(share=int(s) / _ROUNDED, spread_km=km) for s, km in zip(steps, SPREADS_KM, strict=True))
    return ModelWeights(hit_rate=hits / _ROUNDED, errors=tuple(errors))


def _shares(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max())
    return np.asarray(odds / odds.sum())


def _sigmoid(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-logit)))
