"""CVUSA: panoramas from across the USA, each with the satellite tile around it.

Source: Workman, Souvenir, Jacobs, "Wide-Area Image Geolocalization with Aerial Reference Imagery", ICCV 2015; the
aligned subset of 35,532 training and 8,884 validation pairs is of Zhai et al., "Predicting Ground-Level Scene Layout
from Aerial Imagery", CVPR 2017. Licence: not stated; pictures by Google and Bing, on request.

Layout::

    splits/train-19zl.csv, splits/val-19zl.csv   no header: tile, panorama, annotation, as paths from the root
    split_locations/all.csv                      optional, no header; line n is pair n, as the tiles are numbered:
                                                 lat and lon of the tile, then of the panorama

Splits: train, val. The panoramas are cut above and below (1232 x 224 pixels), all around, and face north in the middle
as the tiles point up. Each tile has one panorama.
"""

from __future__ import annotations

from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.columns import NOWHERE, columns, not_empty, parsed_position
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout, check_split, leads_out
from geosleuth.training.datasets.listing import BLANK_LINE, NO_FILE, NO_TILE, Listing, read_lines

NAME = "CVUSA"
SPLITS = ("train", "val")
_LOCATIONS = "split_locations/all.csv"
_Positions = list[tuple[tuple[float, float], tuple[float, float]]]


def cvusa(root: Path, split: str) -> CrossViewSet:
    """Read a split of CVUSA.

    Raises:
        InputError: No such split, a root that does not hold it, a path that leads out of it, or no usable pair.
    """
    check_split(NAME, split, SPLITS)
    listing = Listing(root)
    table = f"splits/{split}-19zl.csv"
    check_layout(listing, NAME, [table], "Name the folder that directly holds splits/ and the pictures.")
    positions = _positions(listing)
    skipped: list[Skipped] = []
    place_of: dict[str, int] = {}
    rows: list[tuple[str, int, tuple[float, float]]] = []
    tiles: list[tuple[str, tuple[float, float]]] = []
    for number, line in enumerate(read_lines(listing, table), start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) < 2 or not (cells[0] and cells[1]):
            reason = "no pair of paths" if line.strip() else BLANK_LINE
            skipped.append(Skipped(f"{table}:{number}", reason))
            continue
        tile, panorama = (_checked(listing, table, number, cell) for cell in cells[:2])
        missing = [one for one in (tile, panorama) if not listing.has(one)]
        if missing:
            skipped += [Skipped(one, NO_FILE) for one in missing]
            skipped += [Skipped(panorama, NO_TILE)] if missing == [tile] else []
            continue
        of_tile, of_panorama = _numbered(positions, tile)
        if tile not in place_of:
            place_of[tile] = len(tiles)
            tiles.append((listing.path(tile), of_tile))
        rows.append((listing.path(panorama), place_of[tile], of_panorama))
    queries = columns(
        [row[0] for row in rows],
        [row[1] for row in rows],
        (Modality("panorama", "panorama"),),
        positions=[row[2] for row in rows],
    )
    references = columns(
        [tile[0] for tile in tiles],
        range(len(tiles)),
        (Modality("satellite", "satellite"),),
        positions=[tile[1] for tile in tiles],
    )
    return not_empty(CrossViewSet(NAME, split, queries, references, skipped=tuple(skipped)), listing.root)


def _checked(listing: Listing, table: str, number: int, path: str) -> str:
    if leads_out(path):
        wanted = f"a path inside {listing.root} in {table}, line {number}"
        raise InputError(wanted, f'"{path}"', "Get the list anew: its authors' paths stay inside.")
    return path


def _positions(listing: Listing) -> _Positions:
    """Return (tile's, panorama's) position by line; empty where the file is not there."""
    if not listing.has(_LOCATIONS):
        return []
    lines = (line.split(",") for line in read_lines(listing, _LOCATIONS))
    return [
        (parsed_position(*cells[:2]), parsed_position(*cells[2:4])) if len(cells) >= 4 else (NOWHERE, NOWHERE)
        for cells in lines
    ]


def _numbered(positions: _Positions, tile: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Look a pair up by its number, which is the name of its tile."""
    stem = Path(tile).stem
    number = int(stem) if stem.isascii() and stem.isdecimal() else 0
    return positions[number - 1] if 1 <= number <= len(positions) else (NOWHERE, NOWHERE)
