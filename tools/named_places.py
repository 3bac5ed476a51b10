"""What a name in a person's own words may mean: countries, divisions, places. Ambiguity is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from geosleuth.indexes.countries import country_codes, country_name, find_country, name_key
from geosleuth.indexes.gazetteer import Match, NameKind, Place, load_gazetteer
from geosleuth.indexes.geodesy import distance_km

MOST_PLACES = 40  # of one name; the 41st San Jose is a hamlet
_CITY = 100_000  # people; a name that such a city bears is no mere division's ("Lisbon")


@dataclass(frozen=True)
class Meanings:
    """All that one name may mean."""

    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    divisions: tuple[str, ...] = ()  # ISO 3166-2
    places: tuple[Place, ...] = ()  # the most populous first
    also_called: frozenset[int] = frozenset()  # ids of places that bear the name beside one that is called so first

    def __bool__(self) -> bool:
        return bool(self.countries or self.divisions or self.places)

    @property
    def codes(self) -> tuple[str, ...]:
        """Countries and divisions together."""
        return self.countries + self.divisions


def meanings(name: str) -> Meanings:
    """Look a name up: "Portugal", "PT", "Bavaria", "Lisbon", "Springfield, Illinois"."""
    whole = _meanings_of(name)
    head, comma, tail = name.rpartition(",")
    if whole or not comma:
        return whole
    inside = _meanings_of(tail)
    found = _meanings_of(head)
    return Meanings(places=tuple(p for p in found.places if _lies_in(p, inside)), also_called=found.also_called)


def known_names() -> list[str]:
    """English names of countries, for "did you mean"."""
    return [country_name(code) for code in country_codes()]


def population_shares() -> dict[str, float]:
    """Return each country's share of the people whom the gazetteer counts."""
    gazetteer = load_gazetteer()
    people = np.bincount(gazetteer.country, weights=gazetteer.population, minlength=len(gazetteer.country_codes))
    return dict(zip(gazetteer.country_codes, (people / people.sum()).tolist(), strict=True))


def place_share(place: Place) -> float:
    """Return a place's share of the people whom the gazetteer counts."""
    return place.population / float(load_gazetteer().population.sum(dtype=np.int64))


def people_within(lat: float, lon: float, km: float) -> float:
    """Return the share of the people whom the gazetteer counts that live within a distance."""
    gazetteer = load_gazetteer()
    near = distance_km(gazetteer.lat, gazetteer.lon, lat, lon) <= km
    return float(gazetteer.population[near].sum(dtype=np.int64) / gazetteer.population.sum(dtype=np.int64))


def _meanings_of(name: str) -> Meanings:
    name = name.strip()
    # Two lower-case letters are a word ("in", "is", "no"), not a country's code.
    country = find_country(name) if len(name) != 2 or name.isupper() else None
    divisions = _division_names().get(name_key(name), ())
    if country:
        return Meanings((country,), divisions)
    matches = [m for m in load_gazetteer().lookup(name) if m.name_kind is not NameKind.DIVISION]
    cities = [match for match in matches if match.place.population >= _CITY]
    if divisions and not any(_in_one_of(match.place, divisions) for match in cities):
        return Meanings(divisions=_with_divisions_of(cities, divisions))
    others = frozenset(match.place.id for match in matches if match.name_kind is NameKind.ALTERNATE)
    every = len(others) == len({match.place.id for match in matches})  # "Wien": nobody's first name
    places = tuple(match.place for match in matches[:MOST_PLACES])
    return Meanings(places=places, also_called=frozenset() if every else others)


def _with_divisions_of(cities: list[Match], divisions: tuple[str, ...]) -> tuple[str, ...]:
    """Add the divisions of cities that bear the name elsewhere: Victoria is a state, and a city far from it."""
    from geosleuth.indexes.regions import division_at

    main = [match.place for match in cities if match.name_kind is NameKind.MAIN]
    return tuple(sorted({*divisions, *filter(None, (division_at(place.lat, place.lon) for place in main))}))


@cache
def _division_names() -> dict[str, tuple[str, ...]]:
    """Normalised name -> ISO 3166-2 codes: the map's own names, and larger or English ones of region_names.json."""
    from geosleuth.indexes.polygons import load_areas

    found: dict[str, set[str]] = {}
    areas = load_areas("divisions")
    for code, name in zip(areas.codes, areas.names, strict=True):
        found.setdefault(name_key(name), set()).add(code)
    text = resources.files("geosleuth.tools").joinpath("data/region_names.json").read_text(encoding="utf-8")
    for name, codes in json.loads(text)["names"].items():
        found.setdefault(name, set()).update(codes)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


def _lies_in(place: Place, region: Meanings) -> bool:
    return place.country in region.countries or _in_one_of(place, region.divisions)


def _in_one_of(place: Place, divisions: Iterable[str]) -> bool:
    wanted = {code for code in divisions if code.startswith(f"{place.country}-")}
    if not wanted:
        return False
    from geosleuth.indexes.regions import division_at

    return division_at(place.lat, place.lon) in wanted
