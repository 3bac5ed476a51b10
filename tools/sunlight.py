"""From when a photo was taken and where the sun stood in it to where on Earth that can be.

P(reading | place) is a Gaussian around the sun's true position there, or a reading that is wrong and says nothing. It
is averaged over where photos are taken in each country and division: a sun's position is a circle around the Earth
some hundreds of kilometres wide, and no sharper than a division.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.time_zones import offset_minutes
from geosleuth.tools.evidence import Evidence, Support
from geosleuth.tools.region_means import over_regions
from geosleuth.tools.shadow import SunReading, elevation_from_shadow, sun_from_shadow
from geosleuth.tools.sun_position import sun_at
from geosleuth.tools.zones_at import listed_divisions, zones_of

__all__ = ["SunReading", "elevation_from_shadow", "parse_taken", "sun_evidence", "sun_from_shadow", "taken_of"]

# Standard deviations and the share of wrong readings are policy, since no labelled set of readings exists.
# Elevation: a slope of 3 %, a shadow's soft end, and a clock 5 minutes off (1.2 degrees) make 3 degrees together.
_ELEVATION_DEG = 3.0
# Azimuth: a street's direction from a map, and the angle between it and the shadow, judged by eye.
_AZIMUTH_DEG = 10.0
# A clock that was never set or still shows home's time, summer time forgotten, a north that was guessed wrongly.
_WRONG = 0.05
_FIRST_YEAR, _LAST_YEAR = 1826, 2100  # the oldest photograph; beyond the other, leap seconds and zones are unknown
_WANTED = "the time at which the photo was taken"
_EXAMPLES = "Write '2024-06-01 12:30' for the clock at the place, or with its zone: '2024-06-01 12:30Z', '… +02:00'."


def sun_evidence(
    taken: datetime, azimuth_deg: float | None = None, elevation_deg: float | None = None
) -> list[Evidence]:
    """Turn a time and where the sun stood then into evidence about the place.

    Args:
        taken: With its zone; without one, the clock at the place, whichever zone that keeps.
        azimuth_deg: Of the sun, clockwise from true north: opposite to where shadows fall.
        elevation_deg: Of the sun over the horizon.

    Raises:
        InputError: Neither angle is given, one is impossible, or the year is no photograph's.
    """
    _check(taken, azimuth_deg, elevation_deg)
    likelihood = _likelihood(taken, azimuth_deg, elevation_deg)
    zone = "by the clock at the place" if taken.tzinfo is None else "UTC"
    when = taken if taken.tzinfo is None else taken.astimezone(UTC)
    parts = [f"{elevation_deg:.0f}° over the horizon"] if elevation_deg is not None else []
    parts += [f"in the direction of {azimuth_deg:.0f}° from north"] if azimuth_deg is not None else []
    claim = f"The investigator says that the sun stood {', '.join(parts)}, at {when:%Y-%m-%d %H:%M} {zone}."
    rule = f"readings err by {_ELEVATION_DEG:.0f}° in elevation and {_AZIMUTH_DEG:.0f}° in direction; {_WRONG:.0%} are"
    rule += " taken to be wrong" + ("; zones by where people live" if taken.tzinfo is None else "")
    return [
        Evidence(
            tool="sun",
            type="sun.position",
            claim=claim,
            likelihood=over_regions(likelihood),
            group="sun",
            support=(Support(rule=rule, source="astral (NOAA solar calculator), IANA time zones"),),
        )
    ]


def _check(taken: datetime, azimuth_deg: float | None, elevation_deg: float | None) -> None:
    if azimuth_deg is None and elevation_deg is None:
        remedy = "Give the sun's azimuth or its elevation; a time by itself says nothing of the place."
        raise InputError("where the sun stood", "neither azimuth nor elevation", remedy)
    if azimuth_deg is not None and not 0 <= azimuth_deg < 360:
        raise InputError("the sun's azimuth, 0 to 360 degrees", f"{azimuth_deg:g}", "East is 90, south is 180.")
    if elevation_deg is not None and not 0 < elevation_deg <= 90:
        remedy = "The horizon is 0, overhead is 90; with a shadow it is between them."
        raise InputError("the sun's elevation, above 0 and at most 90 degrees", f"{elevation_deg:g}", remedy)
    if not _FIRST_YEAR <= taken.year <= _LAST_YEAR:
        raise InputError(_WANTED, f"the year {taken.year}", f"Years are {_FIRST_YEAR} to {_LAST_YEAR}.")


def _likelihood(taken: datetime, azimuth_deg: float | None, elevation_deg: float | None) -> Floats:
    """P(reading | place) per cell of the grid, (n,), as a density per degree."""
    grid = load_grid()
    lat, lon = np.asarray(grid.lat), np.asarray(grid.lon)
    right = np.zeros(len(lat))
    if taken.tzinfo is not None:
        right = _density(taken, lat, lon, azimuth_deg, elevation_deg)
    else:
        for minutes, share in _offsets(taken).items():
            rows = np.flatnonzero(share)
            instant = taken.replace(tzinfo=timezone(timedelta(minutes=minutes)))
            right[rows] += share[rows] * _density(instant, lat[rows], lon[rows], azimuth_deg, elevation_deg)
    anything = (1.0 if azimuth_deg is None else 1 / 360.0) * (1.0 if elevation_deg is None else 1 / 90.0)
    return (1.0 - _WRONG) * right + _WRONG * anything


def _density(
    instant: datetime, lat: Floats, lon: Floats, azimuth_deg: float | None, elevation_deg: float | None
) -> Floats:
    """Of a right reading at each place; 0 where the sun is down, since then nothing has a shadow."""
    azimuth, elevation = sun_at(instant, lat, lon)
    found = np.where(elevation > 0.0, 1.0, 0.0)
    if elevation_deg is not None:
        found *= _gaussian(elevation_deg - elevation, np.full(len(lat), _ELEVATION_DEG))
    if azimuth_deg is not None:  # high up, a small error of the sun's direction is a large one of its azimuth
        spread = np.hypot(_AZIMUTH_DEG, _ELEVATION_DEG / np.maximum(np.cos(np.radians(elevation)), 0.03))
        found *= _gaussian((azimuth_deg - azimuth + 180.0) % 360.0 - 180.0, spread)
    return found


def _gaussian(difference: Floats, spread: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * (difference / spread) ** 2) / (np.sqrt(2 * np.pi) * spread))


def _offsets(local: datetime) -> dict[int, Floats]:
    """Share of the clocks in each cell that run so many minutes ahead of UTC when they show `local`; sums to 1."""
    grid = load_grid()
    country, division = _by_offset(grid.codes, local), _by_offset(listed_divisions(), local)
    listed = np.array([code in listed_divisions() for code in grid.division_codes])[grid.division]
    shares: dict[int, Floats] = {}
    for minutes in {*country, *division}:
        of_country = np.array([country.get(minutes, {}).get(code, 0.0) for code in grid.codes])[grid.country]
        of_division = np.array([division.get(minutes, {}).get(code, 0.0) for code in grid.division_codes])
        shares[minutes] = np.where(listed, of_division[grid.division], of_country)
    total = np.sum(list(shares.values()), axis=0)
    for hours in range(-12, 13):  # where nobody lives, clocks show the nautical zone
        lost = (total <= 0.0) & (np.round(np.asarray(grid.lon) / 15.0) == hours)
        shares[60 * hours] = shares.get(60 * hours, np.zeros(len(total))) + lost
    return {minutes: share / np.where(total > 0.0, total, 1.0) for minutes, share in shares.items()}


def _by_offset(regions: Iterable[str], local: datetime) -> dict[int, dict[str, float]]:
    """Offset in minutes -> region -> share of its people."""
    found: defaultdict[int, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for region in regions:
        for zone, share in zones_of(region).items():
            minutes = offset_minutes(zone, local)
            if minutes is not None:
                found[minutes][region] += share
    return {minutes: dict(shares) for minutes, shares in found.items()}


def taken_of(photo: Photo) -> datetime | None:
    """Return when the camera says the photo was taken: with its zone where the file tells it, else by its own clock."""
    exif = parse_exif(photo.exif, photo.xmp)
    if exif.taken_at is None:
        return exif.utc.replace(tzinfo=UTC) if exif.utc else None
    if exif.offset_minutes is None:
        return exif.taken_at
    return exif.taken_at.replace(tzinfo=timezone(timedelta(minutes=exif.offset_minutes)))


def parse_taken(text: str) -> datetime:
    """Read a date with a time of day, and its zone where one is given.

    Raises:
        InputError: It is none.
    """
    tidy = re.sub(r"^(\d{4}):(\d\d):(\d\d)\b", r"\1-\2-\3", " ".join(text.split()))  # as EXIF writes it
    tidy = re.sub(r"\s*(?:UTC|GMT|Z)$", "Z", tidy, flags=re.IGNORECASE)
    tidy = re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", tidy)
    if not re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", tidy):
        raise InputError(_WANTED, repr(text[:60]), _EXAMPLES)
    try:
        taken = datetime.fromisoformat(tidy)
    except ValueError as error:
        raise InputError(_WANTED, f"{text[:60]!r} ({error})", _EXAMPLES) from error
    if not _FIRST_YEAR <= taken.year <= _LAST_YEAR:
        raise InputError(_WANTED, f"the year {taken.year}", f"Years are {_FIRST_YEAR} to {_LAST_YEAR}.")
    return taken
