"""A city that a model names, as all the places it may mean."""

from __future__ import annotations

from geosleuth.indexes.gazetteer import Match, NameKind, Place, load_gazetteer
from geosleuth.tools.named_places import meanings
from geosleuth.tools.place_names import RATES
from geosleuth.tools.prior_likelihood import Point

# Judgements. A model that names a country and a city means a city of that country, unless it errs in one of the two;
# where the gazetteer has the name in that country and elsewhere, this share goes elsewhere.
_ELSEWHERE = 0.1
_SMALLEST = 500  # people; the gazetteer's threshold, for places whose population it does not know
_MOST = 8  # places; with weights by population the ninth of a name has some thousandths
_LEAST = 0.01  # of the city's share; rarer meanings are left out


def city_points(city: str, country: str | None) -> list[Point]:
    """Return the places of this name with what share of its bearers' mention each has; none where nothing bears it.

    Models speak of places as often as many people live there: shares go by population. A name that is not the main one
    of a place (old, foreign) counts as little as on signs. "Springfield, Illinois" is understood as well.

    Args:
        city: As the model wrote it.
        country: The country it named, ISO 3166-1 alpha-2.
    """
    shares = _weights(city)
    inside = {place: weight for place, weight in shares.items() if place.country == country}
    outside = {place: weight for place, weight in shares.items() if place.country != country}
    if not shares:
        return []
    if inside and outside:
        there, elsewhere = sum(inside.values()), sum(outside.values())
        inside = {place: (1.0 - _ELSEWHERE) * weight / there for place, weight in inside.items()}
        outside = {place: _ELSEWHERE * weight / elsewhere for place, weight in outside.items()}
        shares = inside | outside
    total = sum(shares.values())
    best = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0].id))[:_MOST]
    kept = [(place, weight / total) for place, weight in best if weight / total >= _LEAST]
    return [Point(place.lat, place.lon, share, place.name) for place, share in kept]


def _weights(city: str) -> dict[Place, float]:
    towns = [match for match in load_gazetteer().lookup(city) if match.name_kind is not NameKind.DIVISION]
    if not towns:  # "Springfield, Illinois"; what stands before the comma may also be all that is known
        head = city.partition(",")[0]
        places = meanings(city).places
        if places or head == city:
            return {place: float(max(place.population, _SMALLEST)) for place in places}
        return _weights(head)
    return {match.place: _weight(match) for match in reversed(towns)}  # the main name counts where it is also another


def _weight(match: Match) -> float:
    known = 1.0 if match.name_kind is NameKind.MAIN else RATES.alternate
    return known * max(match.place.population, _SMALLEST)
