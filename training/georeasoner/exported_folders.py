"""Folders of street views as downloads of Google Street View leave them: positions in names, or in JSON beside.

What is read, from any depth below the root, as the code of public downloaders writes it:

- Names with the position: ``<lat>,<lon>[,<heading>].jpg`` and ``<id>,<lat>,<lon>,.jpg`` (VIGOR); ``<lat>_<lon>[_
  <heading>].jpg``, ``<panoid>_<lat>_<lon>[_<heading>].jpg``; GSV-Cities' ``<city>_<place>_<year>_<month>_<bearing>_
  <lat>_<lon>_<panoid>.jpg``; and ``@...@<lat>@<lon>@<panoid>@<tile>@<heading>@...@.jpg`` (SF-XL). Degrees have
  three decimals or more there, which times ("12.05_33.20") and versions have not. The folder of a picture may have the
  position in place of it: ``35.2198_-80.8529_90/2014.png``.
- ``metadata.json`` in a picture's folder: a list of the Static API's answers, ``{"location": {"lat", "lng"}, ...,
  "_file": "gsv_0.jpg"}``, as google_streetview writes it.
- ``<name>.json`` beside ``<name>.jpg``: one such answer, or an object with lat and lon (lng, latitude, longitude).

Beside a picture counts before its name, its name before its folder's. Folders named after a country or a city (one a
country, ``Portugal/Porto/...``) give country and city where the coordinates confirm them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import PICTURE_SUFFIXES
from geosleuth.training.georeasoner.view_table import NAMES, Row

METADATA = "metadata.json"
NOT_THERE = "no position in its name, its folder's, or JSON beside it"
_SOME_NAMES = "51.5074,-0.1278,90.jpg, panoid_51.5074_-0.1278_90.jpg"
_HELD_SHOWN = 8
_BETWEEN = r"[,_@ ]"
_POSITION = re.compile(
    # One digit more than degrees have: SF-XL pads them with zeros (037.76980). Its UTM metres have six and seven.
    # Fewer than three decimals, 100 m, are not where a street view was taken.
    rf"(?:^|{_BETWEEN})(?P<lat>[+-]?\d{{1,3}}\.\d{{3,}}){_BETWEEN}(?P<lon>[+-]?\d{{1,4}}\.\d{{3,}})"
    rf"(?P<rest>(?:{_BETWEEN}.*)?)$"
)
_HEADING = re.compile(rf"{_BETWEEN}(?P<heading>[+-]?\d{{1,3}}(?:\.\d+)?)(?={_BETWEEN}|$)")
_GSV_CITIES = re.compile(r"_\d{7}_\d{4}_\d{2}_(?P<heading>\d{3})_-?\d")  # place, year, month, bearing
_SF_XL = re.compile(r"@[^@]*@[^@]*@(?P<heading>[+-]?\d+(?:\.\d+)?)(?:@|$)")  # what follows lon: panoid, tile, heading


def read_folders(root: Path) -> tuple[list[Row], list[Skipped]]:
    """Find the pictures below a root and their positions.

    Raises:
        InputError: No picture with a position; says what was looked for, and what the root holds.
    """
    rows, skipped = [], []
    for folder, names in _folders(root):
        beside = _beside(folder, set(names))
        parts = folder.relative_to(root).parts
        for name in sorted(names):
            if not name.lower().endswith(PICTURE_SUFFIXES):
                continue
            file = "/".join((*parts, name))
            position = beside.get(name) or _named(name.rpartition(".")[0]) or (_named(parts[-1]) if parts else None)
            if position is None:
                skipped.append(Skipped(file, NOT_THERE))
            else:
                lat, lon, heading = position
                rows.append(Row(file, folder / name, lat, lon, heading_deg=heading, folders=parts))
    if not rows:
        raise _nothing(root, len(skipped))
    rows.sort(key=lambda row: row.file)
    return rows, skipped


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder once with its files; links are followed, since large sets are often linked from other disks."""
    seen = set()
    for folder, inner, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above would go on for ever
            inner.clear()
            continue
        seen.add(real)
        inner.sort()
        yield Path(folder), names


def _named(stem: str) -> tuple[str, str, str] | None:
    """Latitude, longitude and heading in a name."""
    found = _POSITION.search(stem)
    if found is None:
        return None
    if before := _GSV_CITIES.search(stem):
        heading = before["heading"]
    else:
        rest = found["rest"]
        after = _SF_XL.match(rest) if stem.startswith("@") else _HEADING.match(rest)
        heading = after["heading"] if after else ""
    return found["lat"], found["lon"], heading


def _beside(folder: Path, names: set[str]) -> dict[str, tuple[str, str, str]]:
    """Positions that JSON files of a folder give to its pictures."""
    found = {}
    answers = _json(folder / METADATA) if METADATA in names else None
    for one in answers if isinstance(answers, list) else []:
        if isinstance(one, Mapping) and isinstance(one.get("_file"), str):
            found[one["_file"]] = _position_in(one)
    for name in names:
        stem, _, suffix = name.rpartition(".")
        if f".{suffix.lower()}" in PICTURE_SUFFIXES and f"{stem}.json" in names:
            found[name] = _position_in(_json(folder / f"{stem}.json"))
    return {name: position for name, position in found.items() if position}


def _position_in(answer: Any) -> tuple[str, str, str] | None:
    if not isinstance(answer, Mapping):
        return None
    inner = answer.get("location")
    place = inner if isinstance(inner, Mapping) else answer
    lat = next((place[name] for name in NAMES["lat"] if name in place), None)
    lon = next((place[name] for name in NAMES["lon"] if name in place), None)
    if lat is None or lon is None:
        return None
    heading = answer.get("heading_deg", "")  # "heading" is in radians in some libraries' files, and left alone
    return str(lat), str(lon), str(heading)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # the picture is then skipped with its reason
        return None


def _nothing(root: Path, pictures: int) -> InputError:
    held = sorted(f"{one.name}/" if one.is_dir() else one.name for one in root.iterdir())
    shown = ", ".join(held[:_HELD_SHOWN]) + (
        f" and {len(held) - _HELD_SHOWN:,} more" if len(held) > _HELD_SHOWN else ""
    )
    found = f"{pictures:,} pictures, none with a position" if pictures else "no picture"
    return InputError(
        f"street views in {root}: a table street_views.csv, manifest.csv or metadata.csv, {METADATA} or .json files "
        f"beside the pictures, or names like {_SOME_NAMES}",
        f"{found}; it holds {shown or 'nothing'}",
        "Name the folder that holds them, or write a table (training/georeasoner/street_views.py describes it).",
    )
