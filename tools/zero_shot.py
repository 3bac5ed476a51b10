"""CLIP, StreetCLIP or SigLIP as a prior: the photo is compared with sentences about countries, then about cities."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.indexes.gazetteer import Place, load_gazetteer
from geosleuth.tools.evidence import Evidence, Likelihood, Nothing, Support
from geosleuth.tools.prior_likelihood import Point, countries_likelihood, places_likelihood
from geosleuth.tools.text_embeddings import TwoTowers, Vectors, load_two_towers

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo

# StreetCLIP's authors ask for countries in this form, and for cities inside the likeliest countries after that.
_COUNTRY = "A Street View photo in {country}."
_CITY = "A Street View photo in {city}, {country}."
# CLIP's zero-shot probabilities are close to its hit rates as they are (Minderer et al. 2021, "Revisiting the
# calibration of modern neural networks"); not measured for countries. What a sure model is worth is bounded besides.
TEMPERATURE = 1.0
_ENOUGH = 0.9  # of the probability: countries whose cities are compared
_MOST_COUNTRIES = 5
_CITIES = 40  # per country, the largest: they hold 71 % of the people whom the gazetteer counts in the median country
_MOST_POINTS = 12  # cities kept; the others are silence
_MOST_SAID = 3  # named in a claim


def zero_shot_prior(photo: Photo, spec: str, *, temperature: float = TEMPERATURE) -> list[Evidence]:
    """Say in which country, and near which of its large cities, the photo was taken.

    Args:
        photo: The photo.
        spec: The model, hf:ORG/NAME[@REV] or dir:PATH.
        temperature: Above 1 makes the model less sure.

    Raises:
        InputError: The model cannot be loaded, or the cache folder not written.
    """
    towers = load_two_towers(spec)
    started = time.perf_counter()
    picture = towers.picture(photo.pixels)
    countries = country_probabilities(towers, picture, temperature)
    cities = city_probabilities(towers, picture, countries, temperature)
    pieces = [_country(towers, countries), _place(towers, cities)]
    seconds = (time.perf_counter() - started) / len(pieces)  # of both together
    return [piece.model_copy(update={"seconds": seconds}) for piece in pieces]


def country_probabilities(towers: TwoTowers, picture: Vectors, temperature: float = TEMPERATURE) -> dict[str, float]:
    """Probability of each country, the likeliest first."""
    codes = country_codes()
    sentences = [_COUNTRY.format(country=country_name(code).strip()) for code in codes]
    shares = towers.probabilities(picture, towers.sentences(sentences), temperature)
    return {codes[row]: float(shares[row]) for row in np.argsort(-shares, kind="stable")}


def city_probabilities(
    towers: TwoTowers, picture: Vectors, countries: dict[str, float], temperature: float = TEMPERATURE
) -> list[tuple[Place, float]]:
    """Probability of the largest cities of the likeliest countries, the likeliest first; a country's sum to its own."""
    found: list[tuple[Place, float]] = []
    held = 0.0
    for code, share in list(countries.items())[:_MOST_COUNTRIES]:
        if held >= _ENOUGH:
            break
        held += share
        cities = largest_cities(code)
        if not cities:  # Antarctica and its like
            continue
        sentences = [_CITY.format(city=city.name, country=country_name(code).strip()) for city in cities]
        shares = towers.probabilities(picture, towers.sentences(sentences), temperature)
        found += [(city, share * float(part)) for city, part in zip(cities, shares, strict=True)]
    return sorted(found, key=lambda pair: (-pair[1], pair[0].id))


@lru_cache(maxsize=256)
def largest_cities(code: str) -> tuple[Place, ...]:
    """The most populous places of a country, the largest first."""
    gazetteer = load_gazetteer()
    if code not in gazetteer.country_codes:
        return ()
    rows = np.flatnonzero(gazetteer.country == gazetteer.country_codes.index(code))[:_CITIES]  # in order of population
    return tuple(gazetteer.place(int(row)) for row in rows)


def _country(towers: TwoTowers, countries: dict[str, float]) -> Evidence:
    best = list(countries.items())[:_MOST_SAID]
    said = ", ".join(f"{country_name(code).strip()} {share:.0%}" for code, share in best)
    claim = f"{towers.name} finds the photo most like {said}."
    return _evidence(towers, "country", claim, countries_likelihood(countries), _COUNTRY)


def _place(towers: TwoTowers, cities: list[tuple[Place, float]]) -> Evidence:
    if not cities:
        nothing = Nothing(reason="the gazetteer knows no city in the countries that it finds likeliest")
        return _evidence(towers, "place", f"{towers.name} is asked about no city.", nothing, _CITY)
    said = ", ".join(f"{city.name} ({city.country}) {share:.0%}" for city, share in cities[:_MOST_SAID])
    points = [Point(city.lat, city.lon, share, city.name) for city, share in cities[:_MOST_POINTS]]
    claim = f"Of the largest cities there {towers.name} finds it most like {said}."
    return _evidence(towers, "place", claim, places_likelihood(points), _CITY)


def _evidence(towers: TwoTowers, kind: str, claim: str, likelihood: Likelihood, sentence: str) -> Evidence:
    return Evidence(
        tool="prior",
        type=f"prior.{kind}",
        claim=claim,
        likelihood=likelihood,
        group=f"prior:{towers.name}",  # country and place are one opinion
        support=(Support(rule=f'the photo is compared with "{sentence}"', source=towers.name),),
        weights=towers.weights,
    )
