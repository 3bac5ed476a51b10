"""Labelled photos: a CSV with file, lat, lon and country, and the folder that holds the pictures.

Here a damaged row ends the reading; `data_sets/` reads the published test sets, and any table whose rows and pictures
may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.regions import countries_at
from geosleuth.training.evaluate.data_sets.label_table import Label, read_table
from geosleuth.training.georeasoner.view_table import country_of_cell, parsed_degrees


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and where it was taken."""

    path: Path
    position: LatLon
    country: str  # ISO 3166-1 alpha-2; "" where its data set names none and the position lies in none
    city: str | None = None  # as its data set writes it
    file: str = field(default="", compare=False)  # relative to the set's root; the path says which photo it is


def read_labels(labels: Path, photos: Path) -> list[LabelledPhoto]:
    """Read a table of labels (see `label_table`); paths in it are relative to `photos`.

    Rows without a position are controls, and left out. A country that the table does not tell is the one that holds
    the position.

    Raises:
        InputError: The table cannot be read, lacks a column, or has a damaged row.
    """
    rows, damaged = read_table(labels)
    if damaged:
        found = f"{damaged[0].path}: {damaged[0].reason}"
        raise InputError("rows of as many cells as the header", found, f"Mend {labels}.")
    rows = [row for row in rows if row.lat or row.lon]
    at = [_position(row, labels) for row in rows]
    here = countries_at([one.lat for one in at], [one.lon for one in at]) if at else ()
    return [
        LabelledPhoto(
            photos / row.file, position, country_of_cell(row.country) or code or "", row.city or None, row.file
        )
        for row, position, code in zip(rows, at, here, strict=True)
    ]


def _position(row: Label, labels: Path) -> LatLon:
    found = parsed_degrees(row.lat, row.lon)
    if isinstance(found, str):
        told = f"{row.lat!r}, {row.lon!r}: {found}"
        raise InputError("lat and lon in degrees", told, f"Mend the row of {row.file!r} in {labels}.")
    return LatLon(*found)
