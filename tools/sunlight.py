"""From when a photo was taken and where the sun stood in it to where on Earth that can be.

P(reading | place) is a Gaussian around the sun's true position there (for an upper bound, even below it), or a reading
that is wrong and says nothing. It is averaged over where photos are taken in each country and division: a sun's
position is a circle around the Earth some hundreds of kilometres wide, and no sharper than a division.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.time_zones import offset_minutes
from geosleuth.tools.evidence import Evidence, Nothing, Support
from geosleuth.tools.region_means import over_regions
from geosleuth.tools.shadow import SunReading, elevation_from_shadow, highest_sun, sun_from_shadow
from geosleuth.tools.sun_position import sun_at
from geosleuth.tools.zones_at import listed_divisions, zones_of

__all__ = [
    "SunReading",
    "elevation_from_shadow",
    "parse_taken",
    "sun_evidence",
    "sun_from_shadow",
    "taken_of",
    "taken_together",
]

# Standard deviations and the share of wrong readings are policy, since no labelled set of readings exists.
# Elevation: a slope of 3 %, a shadow's soft end, and a clock 5 minutes off (1.2 degrees) make 3 degrees together.
_ELEVATION_DEG = 3.0
# Azimuth: a street's direction from a map, and the angle between it and the shadow, judged by eye.
_AZIMUTH_DEG = 10.0
# A clock that was never set or still shows home's time, summer time forgotten, a north that was guessed wrongly.
_NOWHERE = 1.5  # times what a wrong reading is worth anywhere: no place on land explains it better than an error does
_IMPOSSIBLE = "Nowhere on land did it stand so at that time: check the time, its zone, and the angles."
_WRONG = 0.05
_SAME_SUN = timedelta(minutes=10)  # 2.5 degrees of the sun's way: less than a reading errs
_FIRST_YEAR, _LAST_YEAR = 1826, 2100  # the oldest photograph; beyond the other, leap seconds and zones are unknown
_WANTED = "the time at which the photo was taken"
_EXAMPLES = "Write '2024-06-01 12:30' for the clock at the place, or with its zone: '2024-06-01 12:30Z', '… +02:00'."


def sun_evidence(
    taken: datetime,
    azimuth_deg: float | None = None,
    elevation_deg: float | None = None,
    *,
    at_most: bool = False,
) -> list[Evidence]:
    """Turn a time and where the sun stood then into evidence about the place.

    Args:
        taken: With its zone; without one, the clock at the place, whichever zone that keeps.
        azimuth_deg: Of the sun, clockwise from true north: opposite to where shadows fall.
        elevation_deg: Of the sun over the horizon.
        at_most: The elevation was drawn in a picture (`sun_from_shadow`) and is an upper bound: lower is as likely.

    Raises:
        InputError: Neither angle is given, one is impossible, or the year is no photograph's.
    """
    check_sun(taken, azimuth_deg, elevation_deg)
    reading = _Reading(azimuth_deg, elevation_deg, at_most)
    likelihood = _likelihood(taken, reading)
    zone = "by the clock at the place" if taken.tzinfo is None else "UTC"
    when = taken if taken.tzinfo is None else taken.astimezone(UTC)
    high = "at most " if at_most else ""
    parts = [f"{high}{elevation_deg:.0f}° over the horizon"] if elevation_deg is not None else []
    parts += [f"in the direction of {azimuth_deg:.0f}° from north"] if azimuth_deg is not None else []
    claim = f"The investigator says that the sun stood {', '.join(parts)}, at {when:%Y-%m-%d %H:%M} {zone}."
    rule = f"readings err by {_ELEVATION_DEG:.0f}° in elevation and {_AZIMUTH_DEG:.0f}° in direction; {_WRONG:.0%} are"
    rule += " taken to be wrong"
    if elevation_deg is not None and at_most:
        rule += f"; at a picture's edge the sun may have been at {highest_sun(elevation_deg):.0f}°"
    rule += "; zones by where people live" if taken.tzinfo is None else ""
    nowhere = likelihood.max() < _NOWHERE * _WRONG * reading.anywhere
    if nowhere:
        claim += f" {_IMPOSSIBLE}"
    return [
        Evidence(
            tool="sun",
            type="sun.position",
            claim=claim,
            likelihood=Nothing(reason=_IMPOSSIBLE) if nowhere else over_regions(likelihood),
            group="sun",
            support=(Support(rule=rule, source="astral (NOAA solar calculator), IANA time zones"),),
        )
    ]


def check_sun(taken: datetime, azimuth_deg: float | None, elevation_deg: float | None) -> None:
    """Refuse a reading that cannot be one.

    Raises:
        InputError: As `sun_evidence`.
    """
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is said of the sun's position."""

    azimuth_deg: float | None
    elevation_deg: float | None
    at_most: bool

    @property
    def anywhere(self) -> float:
        """Of a wrong reading: any position is as likely; a wrong bound is right by chance at best, and says nothing."""
        high = 1.0 if self.elevation_deg is None or self.at_most else 1 / 90.0
        return high * (1.0 if self.azimuth_deg is None else 1 / 360.0)

    def where(self, azimuth: Floats, elevation: Floats) -> Floats:
        """Of a right reading where the sun stands so; 0 where it is down, since then nothing has a shadow."""
        found = np.where(elevation > 0.0, 1.0, 0.0)
        if self.elevation_deg is not None and self.at_most:
            over = np.maximum(elevation - highest_sun(self.elevation_deg), 0.0)
            found *= np.exp(-0.5 * (over / _ELEVATION_DEG) ** 2)
        elif self.elevation_deg is not None:
            found *= _gaussian(self.elevation_deg - elevation, np.full(len(elevation), _ELEVATION_DEG))
        if self.azimuth_deg is not None:  # high up, a small error of the sun's direction is a large one of its azimuth
            spread = np.hypot(_AZIMUTH_DEG, _ELEVATION_DEG / np.maximum(np.cos(np.radians(elevation)), 0.03))
            found *= _gaussian((self.azimuth_deg - azimuth + 180.0) % 360.0 - 180.0, spread)
        return found


def _likelihood(taken: datetime, reading: _Reading) -> Floats:
    """P(reading | place) per cell of the grid, (n,): a density per degree, of a bound a probability."""
    grid = load_grid()
    lat, lon = np.asarray(grid.lat), np.asarray(grid.lon)
    right = np.zeros(len(lat))
    if taken.tzinfo is not None:
        right = reading.where(*sun_at(taken, lat, lon))
    else:
        for minutes, share in _offsets(taken).items():
            rows = np.flatnonzero(share)
            instant = taken.replace(tzinfo=timezone(timedelta(minutes=minutes)))
            right[rows] += share[rows] * reading.where(*sun_at(instant, lat[rows], lon[rows]))
    return (1.0 - _WRONG) * right + _WRONG * reading.anywhere


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


def taken_together(photos: Iterable[Photo]) -> datetime | None:
    """Return when photos of one scene were taken: the first time that one states; None where none does.

    Raises:
        InputError: They were taken at times at which the sun stood differently: whose shadow it is decides.
    """
    times = [taken for photo in photos if (taken := taken_of(photo)) is not None]
    for one, other in itertools.combinations(times, 2):
        if _apart(one, other) > _SAME_SUN:
            remedy = "State the time of the photo with the shadow, as in `--taken '2024-06-01 12:30'`."
            found = f"photos of {one:%Y-%m-%d %H:%M} and {other:%Y-%m-%d %H:%M}"
            raise InputError("one time at which the sun stood so", found, remedy)
    return times[0] if times else None


def _apart(one: datetime, other: datetime) -> timedelta:
    """Where one has no zone, its clock is compared with the other's."""
    if one.tzinfo is None or other.tzinfo is None:
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return abs(one - other)


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
