"""Rows of street views made whole: positions checked, countries found by coordinates, cities on request."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from geosleuth.indexes.countries import name_key
from geosleuth.indexes.gazetteer import NameKind, load_gazetteer
from geosleuth.indexes.geodesy import distance_km
from geosleuth.indexes.regions import countries_at
from geosleuth.tools.georeasoner_reply import country_of
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.georeasoner.street_views import StreetView
from geosleuth.training.georeasoner.view_table import Row, country_of_cell, parsed_degrees

# A folder is a city's where a place of its name is this near: outskirts of the largest (Tokyo, Sao Paulo) lie 60 km
# from what GeoNames has for their middle, and few namesakes lie nearer to each other.
_CITY_REACH_KM = 60.0
_GRID = 100  # positions per degree, where cities are named: 1 km, the reach of the smallest place

COUNTRY_BY_POSITION = "country from the coordinates"
NO_COUNTRY = "country cell that names no country: taken from the coordinates"
DISAGREE = "country as written is not the country at the coordinates: kept as written"
FOLDER_DISAGREES = "folder's country is not the country at the coordinates: the coordinates' taken"
AT_SEA = "no country at the coordinates"
CITY_BY_FOLDER = "city from the folder"
CITY_BY_GAZETTEER = "city from the gazetteer's nearest place"
BAD_HEADING = "heading that is no number: set aside"
BAD_LOCATABILITY = "locatability that is not in 0 to 1: set aside"


def placed(rows: Sequence[Row], *, name_cities: bool) -> tuple[tuple[StreetView, ...], list[Skipped], dict[str, int]]:
    """Make views of rows; those without a position are skipped, and what was filled in is counted."""
    skipped, kept = [], []
    for row in rows:
        position = parsed_degrees(row.lat, row.lon)
        if isinstance(position, str):
            skipped.append(Skipped(row.file, position))
        else:
            kept.append((row, *position))
    notes: Counter[str] = Counter()
    codes: Sequence[str | None] = []
    if kept:
        codes = countries_at([lat for _, lat, _ in kept], [lon for _, _, lon in kept]).tolist()
    views = []
    for (row, lat, lon), here in zip(kept, codes, strict=True):
        country = _country(row, here, notes)
        city = row.city or _city(row, lat, lon, notes, name_cities=name_cities)
        heading, locatability = _heading(row, notes), _locatability(row, notes)
        views.append(StreetView(row.path, lat, lon, country, city, heading, locatability, row.split or None))
    return tuple(views), skipped, dict((+notes).most_common())


def _country(row: Row, here: str | None, notes: Counter[str]) -> str | None:
    """The country as written, else that of a folder which the coordinates confirm, else that of the coordinates."""
    written = country_of_cell(row.country)
    if written:
        notes[DISAGREE] += written != here  # borders are drawn to some km: the table's author knows better
        return written
    folder = next(filter(None, (_folder_country(one) for one in row.folders)), None)
    if folder and folder == here:
        return here
    # Georgia, Jordan and Chad are countries, and other things: a folder's word alone does not count.
    notes[FOLDER_DISAGREES] += bool(folder)
    notes[NO_COUNTRY] += bool(row.country)
    notes[COUNTRY_BY_POSITION if here else AT_SEA] += 1
    return here


@lru_cache(maxsize=4096)
def _folder_country(folder: str) -> str | None:
    return country_of(folder.replace("_", " ").replace("-", " "))


def _city(row: Row, lat: float, lon: float, notes: Counter[str], *, name_cities: bool) -> str | None:
    for folder in reversed(row.folders):  # the innermost is the narrowest
        places = _namesakes(folder)
        if any(distance_km(lat, lon, *place[1:]) <= _CITY_REACH_KM for place in places):
            notes[CITY_BY_FOLDER] += 1
            return places[0][0]
    if not name_cities:
        return None
    notes[CITY_BY_GAZETTEER] += 1
    return _nearest(round(lat * _GRID), round(lon * _GRID))


@lru_cache(maxsize=4096)
def _namesakes(folder: str) -> tuple[tuple[str, float, float], ...]:
    """Name, and positions of the places that a folder may be named after."""
    name = folder.replace("_", " ").strip()
    if len(name_key(name)) < 3:  # "NY", "a1": abbreviations and numbers
        return ()
    matches = [one for one in load_gazetteer().lookup(name) if one.name_kind is not NameKind.DIVISION]
    return tuple((name, one.place.lat, one.place.lon) for one in matches)


@lru_cache(maxsize=65536)
def _nearest(row: int, column: int) -> str:
    return load_gazetteer().city_of(row / _GRID, column / _GRID)[0].name


def _heading(row: Row, notes: Counter[str]) -> float | None:
    if row.heading_deg == "":
        return None
    try:
        heading = float(row.heading_deg)
    except ValueError:
        heading = math.nan
    if math.isfinite(heading):
        return heading % 360.0
    notes[BAD_HEADING] += 1
    return None


def _locatability(row: Row, notes: Counter[str]) -> float | None:
    if not row.locatability:
        return None
    try:
        value = float(row.locatability)
    except ValueError:
        value = math.nan
    if 0.0 <= value <= 1.0:
        return value
    notes[BAD_LOCATABILITY] += 1
    return None
