"""An investigator's words as evidence: "in Portugal", "not Lisbon", "48.85, 2.35", "south of the equator".

A hint is strong and not final: one in a hundred is taken to be wrong. A wrong hint is taken to name a region in
proportion to its people, so that a rightly named Monaco counts for more than a rightly named China.
"""

from __future__ import annotations

import difflib
import math
import re

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gazetteer import URBAN_DENSITY, Place
from geosleuth.tools.evidence import Evidence, Likelihood, NearPlace, NearPoints, OverRegions, Support
from geosleuth.tools.named_places import Meanings, known_names, meanings, place_share, population_shares

WRONG = 0.01  # share of hints that are wrong: stated policy, since no labelled set of hints exists
UNDERSTOOD = (
    '"in Portugal", "Portugal or Spain", "not Spain", "Lisbon", "near Lisbon", "not Lisbon", "Springfield, Illinois", '
    '"Bavaria", "PT", "48.85, 2.35", "south of the equator", "northern hemisphere"'
)
_SMALLEST_SHARE = 1e-6  # 4,500 of the gazetteer's people: a hamlet is named with its parish in mind
_REACH = 1.5  # spread of a city over the radius of the disc that its people fill: suburbs count as the city
_LEAST_KM = 2.0  # a village with its fields
_CITY = 100_000  # people; what is larger also stands for the country around it ("Lisbon"), a village does not
_AROUND_KM = 60.0
_ALSO_CALLED = 0.1  # of a first name's weight: "Springfield" for Springfield Gardens, which is in New York
_AROUND_WEIGHT = 0.1  # of the city's: one in ten such hints means the area
_AWAY_KM = 20.0  # how far "not Lisbon" reaches
MOST_DENIED = 5  # places of one name that "not Springfield" denies, the largest: nobody denies hamlets
_COORDINATES_KM = 5.0  # a pin put by hand on a map of a city
_LAND_KM2 = 1.349e8  # land without Antarctica (CIA World Factbook)

_LEAD = re.compile(
    r"^(?:(?:i think |maybe |probably )?(?:it(?:'s| is| was)|this is|photo is|taken)\s+)?(?P<no>not\s+)?"
    r"(?:(?:taken|somewhere)\s+)?(?:(?P<near>near|close to|around)\s+|(?:in|at|from|within)\s+)?"
    r"(?:the\s+(?=\S+ern\b))?",
    re.IGNORECASE,
)
_COORDINATES = re.compile(r"^([+-]?\d{1,2}(?:\.\d+)?)\s*°?\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d+)?)\s*°?$")
_HALVES = {
    "north": (1, re.compile(r"north(?:ern)?(?: hemisphere| of the equator)", re.IGNORECASE)),
    "south": (-1, re.compile(r"south(?:ern)?(?: hemisphere| of the equator)", re.IGNORECASE)),
}


def hint_evidence(hint: str) -> list[Evidence]:
    """Turn one hint into evidence.

    Raises:
        InputError: When the words mean nothing that is known; the error lists what is understood.
    """
    text = " ".join(hint.split()).rstrip(".!")
    lead = _LEAD.match(text)
    negated = bool(lead and lead["no"])
    body = text[lead.end() :] if lead else text
    for sign, pattern in _HALVES.values():
        if pattern.fullmatch(body):
            return [_half(text, -sign if negated else sign)]
    if pin := _COORDINATES.match(body):
        return [_pin(text, float(pin[1]), float(pin[2]), negated)]
    names = re.split(r"\s+or\s+|\s*/\s*", body) if not meanings(body) else [body]
    found = [meanings(name) for name in names]
    if not all(found):
        raise _unknown(hint, names[[bool(m) for m in found].index(False)])
    near = bool(lead and lead["near"])
    return _named(text, found, negated, near)


def _named(text: str, found: list[Meanings], negated: bool, near: bool) -> list[Evidence]:
    """One or several names, as regions or as places."""
    codes = tuple(code for one in found for code in one.codes)
    places = tuple(place for one in found for place in one.places)
    if codes:
        codes += tuple(place.country for place in places[:1])  # "Spain or Lisbon": coarsely, Spain or Portugal
        kind = "country" if all("-" not in code for code in codes) else "region"
        return [_evidence(kind, text, _over(codes, negated, near), _words(codes))]
    doubtful = frozenset().union(*(one.also_called for one in found))
    first = next((place for place in places if place.id not in doubtful), places[0])  # no namesake by a nickname
    words = f"{first.name}, {country_name(first.country)}"
    if negated:  # one finding per place: weights below 0 add up, and together would fall below any floor
        return [
            _evidence("place", text, _away_from(p.lat, p.lon), f"{p.name}, {p.country}") for p in places[:MOST_DENIED]
        ]
    words += f" and {len(places) - 1} more of that name" if len(places) > 1 else ""
    share = max(sum(place_share(place) for place in places), _SMALLEST_SHARE)
    ratio = (1.0 - WRONG) / (WRONG * share)
    bumps = tuple(
        bump
        for place in places
        for bump in _bumps(place, ratio * (_ALSO_CALLED if place.id in doubtful else 1.0), 2.0 if near else 1.0)
    )
    return [_evidence("place", text, NearPoints(places=bumps, floor=1.0), words)]


def _bumps(place: Place, ratio: float, wider: float) -> list[NearPlace]:
    """A tight bump, and for a city a wide one: no village may borrow the people of the city beside it."""
    tight = max(_REACH * math.sqrt(place.population / (math.pi * URBAN_DENSITY)), _LEAST_KM) * wider
    sizes = [(tight, 1.0)] + ([(_AROUND_KM, _AROUND_WEIGHT)] if place.population >= _CITY else [])
    return [
        NearPlace(lat=place.lat, lon=place.lon, spread_km=km, weight=ratio * part, name=place.name)
        for km, part in sizes
    ]


def _away_from(lat: float, lon: float) -> NearPoints:
    weight = -(1.0 - WRONG / (1.0 - WRONG))  # at the place itself, 1 in 99 of the floor is left
    return NearPoints(places=(NearPlace(lat=lat, lon=lon, spread_km=_AWAY_KM, weight=weight),), floor=1.0)


def _over(codes: tuple[str, ...], negated: bool, near: bool) -> Likelihood:
    if negated:
        return OverRegions(log_ratios=dict.fromkeys(codes, math.log(WRONG / (1.0 - WRONG))), wrong=0.0)
    shares = population_shares()
    countries = {code[:2] for code in codes}
    # Divisions are not counted apart: a country's share is shared among those that the map gives it.
    share = sum(shares.get(code, 0.0) for code in countries)
    if all("-" in code for code in codes):
        share *= min(len(codes) / 20.0, 1.0)  # a country of the map has 20 divisions (the median)
    ratio = math.log((1.0 - WRONG) / (WRONG * max(share, _SMALLEST_SHARE)))
    ratios = dict.fromkeys(codes, ratio)
    if near:
        from geosleuth.indexes.countries import country

        for code in countries & set(codes):  # "near Portugal" is Portugal as a rule, and Spain one time in ten
            for neighbour in country(code).neighbours:
                ratios.setdefault(neighbour, ratio + math.log(_AROUND_WEIGHT))
    return OverRegions(log_ratios=ratios, wrong=0.0)


def _pin(text: str, lat: float, lon: float, negated: bool) -> Evidence:
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise InputError("a position in degrees", f"{lat}, {lon}", "Latitudes end at 90, longitudes at 180: LAT, LON.")
    ratio = (1.0 - WRONG) / (2 * math.pi * _COORDINATES_KM**2) / (WRONG / _LAND_KM2)
    place = NearPlace(lat=lat, lon=lon, spread_km=_COORDINATES_KM, weight=ratio)
    likelihood = _away_from(lat, lon) if negated else NearPoints(places=(place,), floor=1.0)
    return _evidence("coordinates", text, likelihood, f"{lat:g}, {lon:g}")


def _half(text: str, sign: int) -> Evidence:
    """A hemisphere: each country by the share of its people who live there."""
    import numpy as np

    from geosleuth.indexes.gazetteer import load_gazetteer

    places = load_gazetteer()
    people = np.maximum(places.population.astype(np.float64), 1.0)
    size = len(places.country_codes)
    there = np.bincount(places.country, weights=people * (np.sign(places.lat) == sign), minlength=size)
    share = there / np.maximum(np.bincount(places.country, weights=people, minlength=size), 1.0)
    likelihood = share * (1.0 - WRONG) + (1.0 - share) * WRONG
    ratios = {code: math.log(float(value)) for code, value in zip(places.country_codes, likelihood, strict=True)}
    words = "the northern hemisphere" if sign > 0 else "the southern hemisphere"
    # A country without listed places gets the mean of the two.
    return _evidence("hemisphere", text, OverRegions(log_ratios=ratios, otherwise=math.log(0.5)), words)


def _words(codes: tuple[str, ...]) -> str:
    names = [country_name(code) if "-" not in code else code for code in codes]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _evidence(kind: str, text: str, likelihood: Likelihood, meaning: str) -> Evidence:
    rule = f"{WRONG:.0%} of hints are taken to be wrong"
    return Evidence(
        tool="hint",
        type=f"hint.{kind}",
        claim=f'The investigator says "{text}" ({meaning}).',
        likelihood=likelihood,
        support=(Support(text=text, rule=rule, source="the investigator"),),
    )


def _unknown(hint: str, name: str) -> InputError:
    close = difflib.get_close_matches(name.title(), known_names(), n=1)
    suggestion = f" (did you mean {close[0]!r}?)" if close else ""
    return InputError("a hint about the place", f"{hint!r}{suggestion}", f"Understood are such as {UNDERSTOOD}.")
