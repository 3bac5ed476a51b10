"""Tables of photos and positions, whose columns have one of several usual names."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import Listing

# Names of a column, whatever their case; where a table has several, the first whose cell is not empty counts. A code
# comes before a name: "Georgia" and "Guinea" have been written for more than one country.
NAMES = {
    "file": (
        *("file", "source_file", "path", "image", "image_path", "file_path", "filename", "file_name", "img"),
        *("img_id", "image_id", "id"),
    ),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude", "long"),
    "country": ("iso2", "country_code", "country", "country_name"),
    "city": ("city", "city_name", "town"),
}
NEEDED = ("file", "lat", "lon")
_NOTHING = frozenset({"nan", "null", "none"})  # what other programs write for an empty cell
_HELD_SHOWN = 8  # names of the folder that is there
_TURNED_SHARE = 0.05
_REMEDY = "Correct the table, or name another with --labels."


@dataclass(frozen=True, slots=True)
class Label:
    """A row as it is written."""

    file: str
    lat: str
    lon: str
    country: str = ""
    city: str = ""


def find_list(listing: Listing, name: str, names: Sequence[str], labels: Path | None) -> Path:
    """Find the list of a data set: the one named, else the first of its usual names that the root holds.

    Raises:
        InputError: No such folder or file; says what was looked for, and what the root holds instead.
    """
    root = listing.root
    check_root(listing, name, f"one of {', '.join(names)}")
    if labels is not None:
        path = labels.expanduser()
        if not path.is_file():
            found = "a folder" if path.is_dir() else "no such file"
            raise InputError(f"the list of {name}, {path}", found, "Correct the path of --labels.")
        return path
    known = next((one for one in names if listing.has(one)), None)
    if known is None:
        remedy = "Name the folder that directly holds it, or the list by --labels."
        raise InputError(f"{name} in {root}: one of {', '.join(names)}", f"none of them; it holds {held(root)}", remedy)
    return root / known


def check_root(listing: Listing, name: str, looked_for: str) -> None:
    """Refuse a root that is no folder.

    Raises:
        InputError: Names what was looked for in it.
    """
    root = listing.root
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise InputError(f"{name} in {root}: {looked_for}", found, "Name the folder that holds the data set.")


def held(folder: Path) -> str:
    """List the first names that a folder holds, and say how many more there are."""
    names = sorted(f"{one.name}/" if one.is_dir() else one.name for one in folder.iterdir())
    more = f" and {len(names) - _HELD_SHOWN:,} more" if len(names) > _HELD_SHOWN else ""
    return (", ".join(names[:_HELD_SHOWN]) or "nothing") + more


def read_table(table: Path) -> tuple[list[Label], list[Skipped]]:
    """Read a CSV file (UTF-8, commas, a header); rows with too few or too many cells are skipped.

    Raises:
        InputError: It cannot be read, or lacks one of `NEEDED`.
    """
    labels, skipped = [], []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip().casefold() for cell in next(reader, [])]
            places = {name: [header.index(one) for one in NAMES[name] if one in header] for name in NAMES}
            _check_columns(places, header, table)
            for cells in reader:
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(header):
                    reason = f"{len(cells)} cells, not {len(header)}"
                    skipped.append(Skipped(f"{table.name}:{reader.line_num}", reason))
                    continue
                labels.append(Label(**{name: _first(cells, places[name]) for name in NAMES}))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"a table in UTF-8 in {table}", f"one that cannot be read ({error})", _REMEDY) from error
    return labels, skipped


def _check_columns(places: dict[str, list[int]], header: list[str], table: Path) -> None:
    lacking = [name for name in NEEDED if not places[name]]
    if lacking:
        found = f"no {', '.join(lacking)} among {', '.join(header)[:200] or 'none'}"
        names = ", ".join(f"{name} (or {', '.join(NAMES[name][1:3])})" for name in NEEDED)
        raise InputError(f"the columns {names} in line 1 of {table}", found, _REMEDY)


def _first(cells: Sequence[str], places: Iterable[int]) -> str:
    given = (cells[at].strip() for at in places)
    return next((cell for cell in given if cell and cell.casefold() not in _NOTHING), "")


def turned(labels: Sequence[Label]) -> list[Label] | None:
    """Exchange latitudes and longitudes where a list of the world's photos has them under each other's name.

    A latitude is never beyond 90 degrees; of longitudes of photos from all over the world a third are (35 % of
    IM2GPS3k's, 29 % of IM2GPS's). So a list in which more than 5 % of the latitudes are, and no longitude is, has its
    columns exchanged; a few are typing errors.

    Returns:
        The rows mended, or None where they are as they should be.
    """
    lats, lons = list(_numbers(one.lat for one in labels)), list(_numbers(one.lon for one in labels))
    beyond = sum(abs(one) > 90 for one in lats)
    if beyond <= _TURNED_SHARE * len(labels) or any(abs(one) > 90 for one in lons):
        return None
    return [replace(one, lat=one.lon, lon=one.lat) for one in labels]


def _numbers(cells: Iterable[str]) -> Iterator[float]:
    for cell in cells:
        try:
            yield float(cell)
        except ValueError:
            continue
