"""Data sets by a table: SetVL-480K, MAP, and any other kind of picture beside satellite tiles.

SetVL-480K (street photos) and MAP (map tiles), of "GLEAM" (arXiv 2509.07450), are released as image ids and tile
coordinates alone; their licence is not stated. Whoever has the pictures writes a table of them, ``manifest.csv``
(UTF-8, commas, a header) at the root:

============== =====================================================================================================
cell_id        name of the place; it may have several rows: more tiles, or photos of another modality by the same tile
sat_path       of the satellite tile, from the root
lat, lon       of the tile's middle, WGS 84 degrees
zoom           of the tile, 0 to 24; may be empty or left out
split          any name, as "train", "val", "test"
query_ids      SetVL: ids of the cell's photos, separated by spaces; a photo is ``query/<id>.jpg`` (.jpeg, .png, .webp)
map_path       MAP: of the map tile of the same piece of ground, from the root
query_modality optional, of the row's photos ("night ground", "infrared drone"); "ground" where it is empty
query_view     optional, the input that the encoder takes them by: ground, drone, panorama, ...; "ground" if empty
============== =====================================================================================================

A photo's own position is not known: it is somewhere on the tile, so queries of SetVL have none. A map tile has its
satellite tile's. A row without queries is a tile of the gallery alone. A photo that occurs twice, a tile of two cells,
a value that is none and a path that leaves the root are errors of whoever wrote the table, and refused; a picture that
is not there is skipped.
"""

from __future__ import annotations

import csv
import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import VIEWS
from geosleuth.training.datasets.columns import NOWHERE, columns, not_empty, parsed_position
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout, check_split, leads_out
from geosleuth.training.datasets.listing import NO_FILE, NO_TILE, PICTURE_SUFFIXES, Listing

FILE = "manifest.csv"
QUERY_FOLDER = "query"
SETVL_COLUMNS = ("cell_id", "sat_path", "lat", "lon", "zoom", "query_ids", "split")
MAP_COLUMNS = ("cell_id", "map_path", "sat_path", "lat", "lon", "zoom", "split")
OPTIONAL_COLUMNS = ("query_modality", "query_view")
_MAX_ZOOM = 24  # 0.6 cm a pixel at the equator, finer than any tile server's
_REMEDY = "Correct the table; training/datasets/manifest.py describes it."


@dataclass(frozen=True, slots=True)
class _Row:
    table: Path
    line: int
    cells: dict[str, str]

    def refuse(self, column: str, wanted: str) -> NoReturn:
        raise InputError(
            f'{wanted} in {self.table}, line {self.line}, column "{column}"',
            f'"{self.cells.get(column, "")[:80]}"',
            _REMEDY,
        )


@dataclass
class _Filled:
    """What the rows read so far amount to."""

    queries: list[str] = field(default_factory=list)
    query_places: list[int] = field(default_factory=list)
    query_modality: list[int] = field(default_factory=list)
    query_positions: list[tuple[float, float]] = field(default_factory=list)
    tiles: list[str] = field(default_factory=list)
    tile_places: list[int] = field(default_factory=list)
    tile_positions: list[tuple[float, float]] = field(default_factory=list)
    modalities: dict[Modality, int] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)  # by cell
    cells: dict[str, str] = field(default_factory=dict)  # of each tile, by path
    asked: set[str] = field(default_factory=set)  # ids or paths of queries
    skipped: list[Skipped] = field(default_factory=list)


def setvl(root: Path, split: str, *, name: str = "SetVL-480K", modality: str = "ground") -> CrossViewSet:
    """Read a split of a table with query_ids.

    Args:
        root: The folder that holds the table.
        split: One that the table names.
        name: Of the data set.
        modality: Of photos whose query_modality is empty.

    Raises:
        InputError: A root without a table, a table that is not as described, no such split, or no usable picture.
    """
    return _read(root, split, name, SETVL_COLUMNS, modality)


def map_tiles(root: Path, split: str) -> CrossViewSet:
    """Read a split of a table with map_path.

    Raises:
        InputError: As `setvl`.
    """
    return _read(root, split, "MAP", MAP_COLUMNS, "map")


def _read(root: Path, split: str, name: str, wanted: tuple[str, ...], modality: str) -> CrossViewSet:
    listing = Listing(root)
    check_layout(listing, name, [FILE], f"Name the folder that directly holds {FILE}.")
    filled, splits = _Filled(), Counter[str]()
    for row in _rows(listing, wanted, modality):
        splits[row.cells["split"]] += 1
        if row.cells["split"] == split:
            _add(row, listing, filled)
    if not splits:
        raise InputError(f"rows in {listing.root / FILE}", "none", _REMEDY)
    check_split(name, split, sorted(splits))
    queries = columns(
        filled.queries,
        filled.query_places,
        tuple(filled.modalities),
        modality=filled.query_modality,
        positions=filled.query_positions,
    )
    satellite = (Modality("satellite", "satellite"),)
    references = columns(filled.tiles, filled.tile_places, satellite, positions=filled.tile_positions)
    return not_empty(CrossViewSet(name, split, queries, references, skipped=tuple(filled.skipped)), listing.root)


def _rows(listing: Listing, wanted: tuple[str, ...], modality: str) -> Iterator[_Row]:
    """Yield the rows of the table, stripped; columns that may be empty or absent have their defaults."""
    path = listing.root / FILE
    allowed = {*wanted, *OPTIONAL_COLUMNS}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            lacking = [one for one in wanted if one not in header and one != "zoom"]
            if lacking or len(set(header)) != len(header):
                found = f"no {', '.join(lacking)} among {', '.join(header) or 'none'}" if lacking else "a name twice"
                raise InputError(f"the columns {', '.join(wanted)} in line 1 of {path}", found, _REMEDY)
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(header):
                    at = f"{len(header)} cells in line {reader.line_num} of {path}"
                    raise InputError(at, f"{len(cells)}", _REMEDY)
                given = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name in allowed}
                kind = {"query_modality": given.get("query_modality") or modality}
                kind["query_view"] = given.get("query_view") or "ground"
                yield _Row(path, reader.line_num, given | kind)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"a table in UTF-8 in {path}", f"one that cannot be read ({error})", _REMEDY) from error


def _add(row: _Row, listing: Listing, filled: _Filled) -> None:
    """Add one row of the split."""
    if not row.cells["cell_id"]:
        row.refuse("cell_id", "a name")
    place = filled.places.setdefault(row.cells["cell_id"], len(filled.places))
    position = _position(row)
    has_tile = _add_tile(row, place, position, listing, filled)
    modality, where = (Modality("map", "map"), position) if "map_path" in row.cells else (_modality(row), NOWHERE)
    for asked, found in _queries(row, listing):
        if asked in filled.asked:
            column = "map_path" if "map_path" in row.cells else "query_ids"
            row.refuse(column, f'queries that occur once, not "{asked}" again,')
        filled.asked.add(asked)
        if not has_tile or found is None:
            filled.skipped.append(Skipped(asked, NO_FILE if found is None else NO_TILE))
            continue
        filled.queries.append(listing.path(found))
        filled.query_places.append(place)
        filled.query_modality.append(filled.modalities.setdefault(modality, len(filled.modalities)))
        filled.query_positions.append(where)


def _add_tile(row: _Row, place: int, position: tuple[float, float], listing: Listing, filled: _Filled) -> bool:
    """Add the row's tile once; tell whether its picture is there."""
    tile = _path(row, "sat_path")
    is_there = listing.has(tile)
    cell = filled.cells.get(tile)
    if cell is not None and cell != row.cells["cell_id"]:
        row.refuse("sat_path", f'a tile of one cell, not of "{cell}" as well,')
    if cell is None:
        filled.cells[tile] = row.cells["cell_id"]
        if is_there:
            filled.tiles.append(listing.path(tile))
            filled.tile_places.append(place)
            filled.tile_positions.append(position)
        else:
            filled.skipped.append(Skipped(tile, NO_FILE))
    return is_there


def _queries(row: _Row, listing: Listing) -> Iterator[tuple[str, str | None]]:
    """Yield each query as the table names it, and its path from the root; None where there is no such file."""
    if "map_path" in row.cells:
        path = _path(row, "map_path")
        yield path, path if listing.has(path) else None
        return
    for one in row.cells["query_ids"].split():
        if leads_out(one):
            row.refuse("query_ids", f'ids inside {QUERY_FOLDER}/, not "{one}",')
        yield one, _photo(listing, one)


def _path(row: _Row, column: str) -> str:
    path = row.cells[column]
    if not path or leads_out(path):
        row.refuse(column, "a path inside the root, with slashes,")
    return posixpath.normpath(path)


def _photo(listing: Listing, query_id: str) -> str | None:
    names = (f"{QUERY_FOLDER}/{query_id}{suffix}" for suffix in PICTURE_SUFFIXES)
    return next((name for name in names if listing.has(name)), None)


def _position(row: _Row) -> tuple[float, float]:
    for column, limit in (("lat", 90), ("lon", 180)):
        try:
            is_within = abs(float(row.cells[column])) <= limit
        except ValueError:
            is_within = False
        if not is_within:
            row.refuse(column, f"degrees from {-limit} to {limit}")
    zoom = row.cells.get("zoom", "")
    if zoom and not (zoom.isascii() and zoom.isdecimal() and int(zoom) <= _MAX_ZOOM):
        row.refuse("zoom", f"a whole number from 0 to {_MAX_ZOOM}")
    return parsed_position(row.cells["lat"], row.cells["lon"])


def _modality(row: _Row) -> Modality:
    view = row.cells["query_view"]
    if view not in VIEWS:
        row.refuse("query_view", f"one of {', '.join(VIEWS)}")
    return Modality(row.cells["query_modality"], view)
