"""The manifest of street views: a CSV table whose columns have one of several usual names."""

from __future__ import annotations

import csv
import math
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.countries import find_country
from geosleuth.indexes.errors import InputError
from geosleuth.tools.georeasoner_reply import country_of
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.layout import check_split, leads_out
from geosleuth.training.datasets.listing import NO_FILE, Listing

# Names that a column may have, whatever their case; the first that is there counts. "northdeg" is GSV-Cities'.
NAMES = {
    "file": ("file", "path", "image", "image_path", "file_path", "filename", "file_name", "img"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude", "long"),
    "country": ("country", "country_code", "country_name", "iso2"),
    "city": ("city", "city_name", "town"),
    "heading_deg": ("heading_deg", "heading", "northdeg", "bearing", "yaw"),
    "locatability": ("locatability",),
    "split": ("split",),
}
NEEDED = ("file", "lat", "lon")
OUTSIDE = "its path leads out of the root"
TWICE = "there before"
NO_NAME = "no file is named"
NO_POSITION = "lat and lon are no numbers"
OUT_OF_RANGE = "lat beyond 90 or lon beyond 180 degrees"
NULL_ISLAND = "lat and lon are both 0, which stands for unknown"
_REMEDY = "Correct the table; training/georeasoner/street_views.py describes it."


@dataclass(frozen=True, slots=True)
class Row:
    """What a source says of one picture, before countries are looked up."""

    file: str  # for reports
    path: Path
    lat: str | float
    lon: str | float
    country: str = ""  # as written
    city: str = ""
    heading_deg: str | float = ""
    locatability: str = ""
    split: str = ""
    folders: tuple[str, ...] = ()  # that may name country and city


def read_table(root: Path, table: Path, split: str | None = None) -> tuple[list[Row], list[Skipped]]:
    """Read the rows whose picture is there, each picture once.

    Args:
        root: What paths are relative to.
        table: The file.
        split: Of the column "split"; None: all rows.

    Raises:
        InputError: A table that cannot be read, or lacks a column or the split.
    """
    listing = Listing(root)
    home = Path(os.path.abspath(table.parent)).as_posix()  # noqa: PTH100 - Path.absolute() keeps `..`
    rows: dict[str, Row] = {}
    skipped = []
    splits = set()
    for cells in _cells(table):
        splits.add(cells["split"])
        if split is not None and cells["split"] != split:
            continue
        written = cells["file"]
        file = _inside(written, listing.root)
        if file is not None and not listing.has(file):
            # A table that was written elsewhere may have paths from its own folder.
            file = _inside(f"{home}/{written}", listing.root) or file
        reason = None
        if not written:
            reason = NO_NAME
        elif file is None:
            reason = OUTSIDE
        elif file in rows:
            reason = TWICE
        elif not listing.has(file):
            reason = NO_FILE
        if reason or file is None:
            skipped.append(Skipped(written, reason or OUTSIDE))
        else:
            rows[file] = _row(cells, file, Path(listing.path(file)))
    if split is not None:
        check_split(f"the street views in {table}", split, sorted(filter(None, splits)) or ["no split at all"])
    return list(rows.values()), skipped


def _row(cells: dict[str, str], file: str, path: Path) -> Row:
    return Row(
        file,
        path,
        cells["lat"],
        cells["lon"],
        country=cells["country"],
        city=cells["city"],
        heading_deg=cells["heading_deg"],
        locatability=cells["locatability"],
        split=cells["split"],
    )


def _inside(written: str, root: Path) -> str | None:
    """A path relative to the root; None where it leads out of it. Whole paths are taken where they lie in it."""
    if Path(written).is_absolute():
        path = Path(os.path.normpath(written))
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
    return None if leads_out(written) else posixpath.normpath(written)


def _cells(table: Path) -> Iterator[dict[str, str]]:
    """Yield the known cells of each row, stripped; those that the table lacks are empty."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip().casefold() for cell in next(reader, [])]
            places = {name: _place(header, NAMES[name]) for name in NAMES}
            lacking = [name for name in NEEDED if places[name] is None]
            if lacking:
                found = f"no {', '.join(lacking)} among {', '.join(header)[:200] or 'none'}"
                raise InputError(f"the columns {', '.join(NEEDED)} in line 1 of {table}", found, _REMEDY)
            for cells in reader:
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(header):
                    at = f"{len(header)} cells in line {reader.line_num} of {table}"
                    raise InputError(at, f"{len(cells)}", _REMEDY)
                yield {name: "" if at is None else cells[at].strip() for name, at in places.items()}
    except FileNotFoundError as error:
        raise InputError(f"a table of street views, {table}", "no such file", "Correct the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"a table in UTF-8 in {table}", f"one that cannot be read ({error})", _REMEDY) from error


def _place(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def country_of_cell(written: str) -> str | None:
    """Read a country as tables have it: an ISO code in any case, else as a model may write it.

    In a reply "no" and "in" are words; in a column of countries they are Norway and India. "NA" is Namibia to ISO, but
    what other programs write for nothing: it counts as nothing.
    """
    code = written.strip()
    is_code = len(code) in (2, 3) and code.isascii() and code.isalpha() and code.upper() != "NA"
    return (find_country(code) if is_code else None) or country_of(written)


def parsed_degrees(lat: str | float, lon: str | float) -> tuple[float, float] | str:
    """Read a position in degrees; where it is none, the reason."""
    try:
        y, x = float(lat), float(lon)
    except ValueError:
        return NO_POSITION
    if not (math.isfinite(y) and math.isfinite(x)):
        return NO_POSITION
    if abs(y) > 90 or abs(x) > 180:
        return OUT_OF_RANGE
    return NULL_ISLAND if y == x == 0 else (y, x)
