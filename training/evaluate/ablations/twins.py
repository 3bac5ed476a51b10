"""A manifest of look-alikes: photos of a place, and where its twin stands."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.ablations.query import Query

COLUMNS = ("file", "twin_lat", "twin_lon")
_WANTED = "a manifest of look-alikes"
_REMEDY = f"Give it the columns {', '.join(COLUMNS)}: a photo of the data set, and the position of its twin."


def read_twins(path: Path) -> dict[str, LatLon]:
    """Read a CSV with file, twin_lat and twin_lon; other columns may say where a pair comes from.

    Raises:
        InputError: It is missing, lacks a column or a number, or names a photo twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = _reason(error)
        raise InputError(_WANTED, f"{path}: {reason}", "Name it by --twins.") from error
    if missing:
        raise InputError(_WANTED, f"{path} without {', '.join(missing)}", _REMEDY)
    twins: dict[str, LatLon] = {}
    for line, row in enumerate(rows, start=2):
        if row["file"] in twins:
            raise InputError(_WANTED, f"{row['file']!r} twice, in line {line} of {path}", "Keep one line a photo.")
        twins[row["file"]] = _position(row, line, path)
    return twins


def _reason(error: OSError | UnicodeDecodeError | csv.Error) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"no CSV: {error}"


def unmatched_note(known: Sequence[Query], twins: Mapping[str, LatLon]) -> str:
    """Say how many rows of the manifest name no photo that is asked about; "" where each does."""
    unused = len(twins.keys() - {query.name for query in known})
    return f"Rows of the manifest of look-alikes that name no photo of the data set: {unused:,}." if unused else ""


def with_twins(queries: Sequence[Query], twins: Mapping[str, LatLon]) -> list[Query]:
    """The queries that have a twin.

    Raises:
        InputError: None has.
    """
    found = [replace(query, twin=twins[query.name]) for query in queries if query.name in twins]
    if not found:
        raise InputError("photos of the data set in the manifest of look-alikes", f"none of {len(twins)}", _REMEDY)
    return found


def _position(row: Mapping[str, str], line: int, path: Path) -> LatLon:
    try:
        lat, lon = float(row["twin_lat"]), float(row["twin_lon"])
    except ValueError:
        lat = lon = float("nan")
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):  # false for NaN as well
        found = f"{row['twin_lat']!r}, {row['twin_lon']!r} in line {line} of {path}"
        raise InputError("the twin's position in degrees", found, "Correct the line.")
    return LatLon(lat, lon)
