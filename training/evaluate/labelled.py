"""Labelled photos: a CSV with file, lat, lon and country, and the folder that holds the pictures.

`data_sets/` reads the published test sets, and any table whose pictures may be missing.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon

_FILE = ("file", "source_file")  # accepted names of the columns, the first found wins
_COUNTRY = ("iso2", "country")


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and where it was taken."""

    path: Path
    position: LatLon
    country: str  # ISO 3166-1 alpha-2; "" where its data set names none and the position lies in none
    city: str | None = None  # as its data set writes it
    file: str = field(default="", compare=False)  # relative to the set's root; the path says which photo it is


def read_labels(labels: Path, photos: Path) -> list[LabelledPhoto]:
    """Read a CSV of labels; paths in it are relative to `photos`.

    Raises:
        InputError: The CSV is missing, lacks a column, or a row's position cannot be read.
    """
    try:
        with labels.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError("a CSV of labels", f"{labels}: {error.strerror}", "Name it by --labels.") from error
    columns = set(rows[0]) if rows else set()
    name = next((c for c in _FILE if c in columns), None)
    country = next((c for c in _COUNTRY if c in columns), None)
    if name is None or country is None or not {"lat", "lon"} <= columns:
        raise InputError(
            "columns file (or source_file), lat, lon, iso2 (or country)",
            f"{sorted(columns)} in {labels}",
            "Rename the columns, or name another file by --labels.",
        )
    out = []
    for number, row in enumerate(rows, start=2):
        if not row["lat"]:
            continue  # a control without a position
        try:
            position = LatLon(float(row["lat"]), float(row["lon"]))
        except ValueError as error:
            raise InputError(
                "lat and lon in degrees", f"{row['lat']!r}, {row['lon']!r}", f"Mend line {number} of {labels}."
            ) from error
        city = row.get("city") or None
        out.append(LabelledPhoto(photos / row[name], position, row[country], city, row[name]))
    return out
