"""What a model's opinion about the place is worth: its probabilities as likelihoods, with the errors that models make.

A model says a country or a point, or gives a probability to each of several. What it gives to one, is the ratio of
"it says so of a photo from there" to "it says so of a photo from elsewhere"; where it wavers, the ratios of all that
it might say are averaged by its own probabilities. What it gives to nothing that we know counts as no word at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from geosleuth.indexes.countries import country_codes
from geosleuth.tools.evidence import NearPlace, NearPoints, OverRegions
from geosleuth.tools.named_places import people_within, population_shares

# How a vision-language model errs before anything is known about this one; the belief's calibration scales it. Eight
# models of 2023 to 2025, asked for 301 street views, named 21 to 77 % of the countries rightly (median 61 %), and fell
# within 25, 200 and 750 km for 11, 39 and 64 % (medians). The constants are set below that: country and point are one
# opinion, which the belief counts a little more than once.
HIT_RATE = 0.5  # of countries
_BY_PEOPLE = 0.5  # of wrong countries are named in proportion to people, the others evenly: models name small ones too
# Distance from prediction to truth as a mixture of Gaussians: (share, spread in km per axis); the rest falls anywhere.
ERRORS: tuple[tuple[float, float], ...] = ((0.1, 12.0), (0.15, 90.0), (0.25, 500.0))
MISSES = 1.0 - sum(share for share, _ in ERRORS)  # share of points that say nothing about the place
_AROUND_KM = 100.0  # over which "where people live" is taken: a city with its region
LAND_KM2 = 1.349e8  # land without Antarctica (CIA World Factbook)
_LEAST = 1e-3  # nats; ratios nearer to 1 are left out


class Point(NamedTuple):
    """A place that a model may mean."""

    lat: float
    lon: float
    share: float  # of the model's probability, in [0, 1]
    name: str | None = None


def country_likelihood(code: str, hit_rate: float = HIT_RATE) -> OverRegions:
    """P(the model names this country | the photo is there) over the same for a photo from elsewhere."""
    return countries_likelihood({code: 1.0}, hit_rate=hit_rate)


def countries_likelihood(
    shares: Mapping[str, float], *, wrong_shares: Mapping[str, float] | None = None, hit_rate: float = HIT_RATE
) -> OverRegions:
    """Average the ratios of the countries that a model may name.

    The ratio of a country c that is named for certain is hit / ((1 - hit) * wrong_c). With probability q_c it is named,
    and otherwise something else is, which speaks neither for nor against c beside other countries: 1 + q_c (ratio - 1).
    A model that gives all its probability to one country thus moves the belief by its hit rate and no further, however
    sure it is of itself; one that spreads it as its errors fall moves nothing. Probabilities are worth having: the
    guesses of the eight models, taken for eight draws, leave 2.4 bits about the country of the 301 street views; one
    model's guess leaves 4.3 in the median and 2.5 at best (6.7 before any).

    Args:
        shares: The model's probability of each country. What is missing to 1 went to no country, and counts as silence.
        wrong_shares: How often each country is named where it is wrong, sums to 1; None for what models are known to
            do. Those missing have 0, and must not be among `shares`.
        hit_rate: Share of right countries when the model is sure.
    """
    usual = _wrong_shares() if wrong_shares is None else wrong_shares
    odds = hit_rate / (1.0 - hit_rate)
    ratios = {code: math.log1p(q * (odds / usual[code] - 1.0)) for code, q in shares.items() if q > 0}
    return OverRegions(log_ratios={code: ratio for code, ratio in ratios.items() if abs(ratio) >= _LEAST})


@lru_cache(maxsize=1)
def _wrong_shares() -> dict[str, float]:
    people, codes = population_shares(), country_codes()
    return {code: _BY_PEOPLE * people.get(code, 0.0) + (1.0 - _BY_PEOPLE) / len(codes) for code in codes}


def place_likelihood(lat: float, lon: float, name: str | None = None) -> NearPoints:
    """Density of the model's errors over the density of its points for photos from elsewhere.

    Those fall where people live, for the most part: near a large city a wrong point is commoner than in a desert.
    """
    return places_likelihood([Point(lat, lon, 1.0, name)])


def places_likelihood(points: Sequence[Point]) -> NearPoints:
    """Average the likelihoods of the places that a model may mean; what their shares lack to 1 counts as silence."""
    places = [
        NearPlace(
            lat=point.lat,
            lon=point.lon,
            spread_km=km,
            weight=point.share * share / (2 * math.pi * km**2) / _anywhere(point.lat, point.lon),
            name=point.name or None,
        )
        for point in points
        for share, km in ERRORS
    ]
    return NearPoints(places=tuple(places), floor=1.0)


@lru_cache(maxsize=4096)  # asking the gazetteer takes 10 ms, and the same cities come again
def _anywhere(lat: float, lon: float) -> float:
    """Density per km2 of the points of photos from elsewhere."""
    people = _BY_PEOPLE * people_within(lat, lon, _AROUND_KM) / (math.pi * _AROUND_KM**2)
    return MISSES * (people + (1.0 - _BY_PEOPLE) / LAND_KM2)
