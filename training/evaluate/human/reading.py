"""What the words may mean that a person types as an answer: a place, a country, or coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.gazetteer import NameKind, Place, load_gazetteer
from geosleuth.indexes.regions import country_at
from geosleuth.tools.named_places import meanings
from geosleuth.training.evaluate.human.answer import Given

_MOST = 12  # of the meanings of one name, the largest; more is typed with its country: "Springfield, Illinois"
_NUMBER = r"([+-]?\d{1,3}(?:\.\d+)?)\s*°?"
_COORDINATES = re.compile(rf"{_NUMBER}\s*[,; ]\s*{_NUMBER}")


@dataclass(frozen=True)
class Reading:
    """A place that a person may mean; fields as `Answer` has them."""

    words: str
    given: Given
    point: tuple[float, float] | None
    country: str | None
    city: str | None = None


def readings(text: str) -> list[Reading]:
    """Return the meanings of a text, the country first, then places from the largest; none where it means nothing."""
    text = " ".join(text.split())
    if not text:
        return []
    if pair := _COORDINATES.fullmatch(text):
        lat, lon = float(pair[1]), float(pair[2])
        return [at_point(lat, lon, "coordinates")] if abs(lat) <= 90 and abs(lon) <= 180 else []
    known = meanings(text)
    found = [Reading(country_name(code), "country", None, code) for code in known.countries]
    # A name that is a country's or a division's as well hides its towns there ("Georgia", "Luxembourg").
    matches = load_gazetteer().lookup(text)
    divisions = {match.place.id for match in matches if match.name_kind is NameKind.DIVISION}
    places = {place.id: place for place in (*known.places, *(match.place for match in matches))}
    largest = sorted(places.values(), key=lambda place: -place.population)
    return [*found, *(_of_place(place, place.id in divisions) for place in largest)][:_MOST]


def at_point(lat: float, lon: float, given: Given) -> Reading:
    """Return a point as an answer, with the country that it is in."""
    code = country_at(lat, lon)
    where = country_name(code) if code else "no country"
    return Reading(f"{lat:.4f}, {lon:.4f}, in {where}", given, (lat, lon), code)


def _of_place(place: Place, division: bool) -> Reading:
    size = f"{place.population:,} people" if place.population else "few people"
    kind = "the middle of the region, " if division else ""
    at = f"{place.lat:.2f}, {place.lon:.2f}"
    words = f"{place.name}, {country_name(place.country)} ({kind}{size}; {at})"
    return Reading(words, "place", (place.lat, place.lon), place.country, None if division else place.name)
