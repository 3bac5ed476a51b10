"""A model's opinion as it counts once somebody has measured how that model errs.

A tool gives a model's words a likelihood before anything is known of this model. Photos with answers tell how often it
names the right country, and how far its points lie from the truth: then the words count as mixtures of that,

    country   hit * L / E(L) + (1 - hit),                      L: the likelihood over its value in other countries
    place     sum of share_k * G_k / E(G_k) + what is left,    G_k: Gaussians of spread k around the points named

where E is the mean under the belief's start. A point in a large city, where most photos are taken, thus counts for no
more than a point in a desert, and what the model gets wrong with some probability is never surer than that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from geosleuth.agent.calibration import ModelWeights
from geosleuth.agent.leaves import Leaves
from geosleuth.agent.log_likelihood import laid_out
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, unit_vectors
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import Likelihood, NearPlace, NearPoints, OverRegions

_MOST_POINTS = 64  # each costs 8 ms, once; a gallery of thousands keeps the likelihood of its tool
_LEAST = 1e-9  # mean of a Gaussian under the start: below, no photo is taken there, and the spread says nothing


@lru_cache(maxsize=1)
def start() -> tuple[Leaves, Floats]:
    """The grid and its prior, which sums to 1."""
    leaves = Leaves.of(load_grid())
    prior = np.exp(leaves.log_prior)
    return leaves, prior / prior.sum()


def as_counted(likelihood: Likelihood, weights: ModelWeights) -> Likelihood:
    """The likelihood that takes the place of a model's own; the same one where that was not measured."""
    if isinstance(likelihood, OverRegions) and weights.hit_rate is not None:
        return _regions(likelihood, weights.hit_rate)
    if isinstance(likelihood, NearPoints) and weights.errors:
        points = named_points(likelihood)
        return _places(points, weights) if points else likelihood
    return likelihood


def raised(likelihood: OverRegions) -> OverRegions | None:
    """What is likelier than elsewhere, over elsewhere: exp(ratio) - 1; as log ratios, and -inf of the others.

    None where nothing is, for that has no country to be right about.
    """
    above = {code: ratio - likelihood.otherwise for code, ratio in likelihood.log_ratios.items()}
    ratios = {code: float(np.log(np.expm1(ratio))) for code, ratio in above.items() if ratio > 0}
    return OverRegions(log_ratios=ratios, otherwise=-700.0, wrong=0.0) if ratios else None


def named_points(likelihood: NearPoints) -> tuple[tuple[float, float, float], ...]:
    """(lat, lon, share) of the points that a model named; none where they are too many, or where some are denied."""
    shares: dict[tuple[float, float], float] = defaultdict(float)
    for place in likelihood.places:
        shares[place.lat, place.lon] += place.weight * place.spread_km**2
    total = sum(shares.values())
    if len(shares) > _MOST_POINTS or total <= 0 or min(shares.values()) < 0:
        return ()
    return tuple((lat, lon, share / total) for (lat, lon), share in shares.items())


def bump(lat: float, lon: float, spread_km: float) -> Floats:
    """A Gaussian around a point, averaged over each cell of the grid as in `agent/log_likelihood.py`, (n,)."""
    leaves, _ = start()
    chord2 = np.maximum(2.0 - 2.0 * (leaves.vectors @ unit_vectors(lat, lon)), 0.0)
    spread2 = spread_km**2 + leaves.area_km2 / (4 * np.pi)
    return np.asarray(spread_km**2 / spread2 * np.exp(-0.5 * np.minimum(EARTH_RADIUS_KM**2 * chord2 / spread2, 1400.0)))


@lru_cache(maxsize=8192)
def _mean_bump(lat: float, lon: float, spread_km: float) -> float:
    return float(bump(lat, lon, spread_km) @ start()[1])


@lru_cache(maxsize=512)  # by the ratios: a country is named again and again
def _mean(ratios: tuple[tuple[str, float], ...]) -> float:
    likelihood = OverRegions(log_ratios=dict(ratios), otherwise=-700.0, wrong=0.0)
    leaves, prior = start()
    table = laid_out(likelihood, load_grid())
    top = max(dict(ratios).values())
    # `laid_out` counts from the top.
    return float(np.exp(table.on(leaves)) @ prior) * float(np.exp(top))


def _regions(likelihood: OverRegions, hit_rate: float) -> OverRegions:
    lifted = raised(likelihood)
    mean = 0.0 if lifted is None else _mean(tuple(sorted(lifted.log_ratios.items())))
    if lifted is None or mean <= 0.0:
        return likelihood
    missed = 1.0 - hit_rate
    named = {code: float(np.log(missed + hit_rate * np.exp(ratio) / mean)) for code, ratio in lifted.log_ratios.items()}
    others = dict.fromkeys(likelihood.log_ratios, float(np.log(missed)))  # a division that is denied in its country
    return OverRegions(log_ratios=others | named, otherwise=float(np.log(missed)), wrong=0.0)


def _places(points: Sequence[tuple[float, float, float]], weights: ModelWeights) -> NearPoints:
    means = [
        sum(share * _mean_bump(lat, lon, error.spread_km) for lat, lon, share in points) for error in weights.errors
    ]
    # Spreads within which no photo is taken leave their share to the floor, as they do in the fit.
    known = [(error, mean) for error, mean in zip(weights.errors, means, strict=True) if mean > _LEAST]
    if not known:  # flat: what the fit makes of it too, for a point where no photo is taken says nothing
        return NearPoints(
            places=tuple(NearPlace(lat=a, lon=o, spread_km=1.0, weight=0.0) for a, o, _ in points), floor=1.0
        )
    places = [
        NearPlace(lat=lat, lon=lon, spread_km=error.spread_km, weight=error.share * share / mean)
        for error, mean in known
        for lat, lon, share in points
    ]
    return NearPoints(places=tuple(places), floor=1.0 - sum(error.share for error, _ in known))
