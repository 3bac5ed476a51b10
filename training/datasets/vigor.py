"""VIGOR: panoramas of four cities in the USA, and the satellite tiles that cover these cities without gaps.

Source: Zhu, Yang, Chen, "VIGOR: Cross-View Image Geo-localization beyond One-to-one Retrieval", CVPR 2021. Licence:
"only permitted for academic research, do not distribute" (the authors' data page); pictures by Google.

Layout, as the authors pack it::

    splits/<city>/satellite_list.txt                  a tile a line
    splits/<city>/same_area_balanced_train.txt        13 columns: panorama, its tile, 2 pixel offsets, then three
    splits/<city>/same_area_balanced_test.txt         semi-positive tiles (they show the place, off their middle)
    splits/<city>/pano_label_balanced.txt             with 2 offsets each
    <city>/panorama/<id>,<lat>,<lon>,.jpg
    <city>/satellite/satellite_<lat>_<lon>.png

and as Sample4Geo wants it: ``ground/<city>/``, ``satellite/<city>/`` instead of the last two. Either is recognised.

Splits: same-train, same-test (all four cities), cross-train (NewYork, Seattle), cross-test (Chicago, SanFrancisco).

The gallery of a test split is every tile of its cities. References of a training split are the tiles that are some
panorama's own, as Sample4Geo has it: no batch can hold a tile without a panorama, and embedding it for the search of
hard negatives would only take time. A semi-positive outside of them becomes -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from geosleuth.training.datasets.columns import columns, not_empty, parsed_position
from geosleuth.training.datasets.cross_view import CrossViewSet, Modality, Skipped
from geosleuth.training.datasets.layout import check_layout, check_split
from geosleuth.training.datasets.listing import BLANK_LINE, NO_FILE, NO_TILE, Listing, read_lines

NAME = "VIGOR"
CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")
SPLITS = {  # the cities, and the list of panoramas in each
    "same-train": (CITIES, "same_area_balanced_train.txt"),
    "same-test": (CITIES, "same_area_balanced_test.txt"),
    "cross-train": (("NewYork", "Seattle"), "pano_label_balanced.txt"),
    "cross-test": (("Chicago", "SanFrancisco"), "pano_label_balanced.txt"),
}
PANORAMA = Modality("panorama", "panorama")
SATELLITE = Modality("satellite", "satellite")
_COLUMNS = 13
_TILE_COLUMNS = (1, 4, 7, 10)  # the panorama's own tile, then the semi-positive ones
_REMEDY = "Name the folder that directly holds splits/ and the cities (or ground/ and satellite/)."


@dataclass
class _Tiles:
    """The tiles of the cities, in the order of their lists."""

    paths: list[str] = field(default_factory=list)
    positions: list[tuple[float, float]] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # by city and name; -1: its picture is missing


def vigor(root: Path, split: str) -> CrossViewSet:
    """Read a split of VIGOR, in either form of its folders.

    Raises:
        InputError: No such split, a root that does not hold VIGOR, or not one usable panorama.
    """
    check_split(NAME, split, SPLITS)
    cities, labels = SPLITS[split]
    listing = Listing(root)
    ground, satellite = _form(listing, cities, labels)
    skipped: list[Skipped] = []
    tiles = _read_tiles(listing, cities, satellite, skipped)
    rows = list(_panoramas(listing, cities, labels, ground, tiles, skipped))
    shown = np.asarray([row[1] for row in rows], np.int64).reshape(len(rows), len(_TILE_COLUMNS))
    kept = np.unique(shown[:, 0]) if split.endswith("train") else np.arange(len(tiles.paths))
    row_of = np.full(len(tiles.paths) + 1, -1)  # the last is for -1
    row_of[kept] = np.arange(len(kept))
    queries = columns([row[0] for row in rows], shown[:, 0].tolist(), (PANORAMA,), positions=[row[2] for row in rows])
    chosen = kept.tolist()
    references = columns(
        [tiles.paths[i] for i in chosen], chosen, (SATELLITE,), positions=[tiles.positions[i] for i in chosen]
    )
    whole = CrossViewSet(NAME, split, queries, references, row_of[shown[:, 1:]], tuple(skipped))
    return not_empty(whole, listing.root)


def _form(listing: Listing, cities: tuple[str, ...], labels: str) -> tuple[str, str]:
    """Return the folders of panoramas and tiles, with {} for the city, in the form that is there."""

    def folders(form: tuple[str, str]) -> list[str]:
        return [folder.format(city) for city in cities for folder in form]

    forms = ("{}/panorama", "{}/satellite"), ("ground/{}", "satellite/{}")
    # The form that is there at least in part, so that an error names the parts that lack.
    form = max(forms, key=lambda one: sum((listing.root / folder).is_dir() for folder in folders(one)))
    lists = [f"splits/{city}/{name}" for city in cities for name in ("satellite_list.txt", labels)]
    check_layout(listing, NAME, [*lists, *folders(form)], _REMEDY)
    return form


def _read_tiles(listing: Listing, cities: tuple[str, ...], satellite: str, skipped: list[Skipped]) -> _Tiles:
    tiles = _Tiles()
    for city in cities:
        table, folder = f"splits/{city}/satellite_list.txt", satellite.format(city)
        for number, line in enumerate(read_lines(listing, table), start=1):
            name = line.strip()
            if not name or (city, name) in tiles.numbers:
                skipped.append(Skipped(f"{table}:{number}", "a tile listed twice" if name else BLANK_LINE))
            elif name not in listing.files(folder):
                tiles.numbers[city, name] = -1
                skipped.append(Skipped(f"{folder}/{name}", NO_FILE))
            else:
                tiles.numbers[city, name] = len(tiles.paths)
                tiles.paths.append(listing.path(f"{folder}/{name}"))
                _, _, position = Path(name).stem.partition("_")
                tiles.positions.append(parsed_position(*_two(position, "_")))
    return tiles


def _panoramas(
    listing: Listing, cities: tuple[str, ...], labels: str, ground: str, tiles: _Tiles, skipped: list[Skipped]
) -> Iterator[tuple[str, list[int], tuple[float, float]]]:
    """Yield path, the numbers of its tile and the three semi-positive ones, and position."""
    for city in cities:
        table, folder = f"splits/{city}/{labels}", ground.format(city)
        for number, line in enumerate(read_lines(listing, table), start=1):
            cells = line.split()
            if len(cells) != _COLUMNS:
                reason = f"{len(cells)} columns, not {_COLUMNS}" if cells else BLANK_LINE
                skipped.append(Skipped(f"{table}:{number}", reason))
                continue
            name, own = cells[0], (city, cells[1])
            path = f"{folder}/{name}"
            if name not in listing.files(folder):
                skipped.append(Skipped(path, NO_FILE))
            elif own not in tiles.numbers:
                skipped.append(Skipped(path, "its tile is not in satellite_list.txt"))
            elif tiles.numbers[own] < 0:
                skipped.append(Skipped(path, NO_TILE))
            else:
                shown = [tiles.numbers.get((city, cells[column]), -1) for column in _TILE_COLUMNS]
                # <id>,<lat>,<lon>,.jpg; an id may hold commas itself
                position = parsed_position(*_two(name.rpartition(",")[0], ","))
                yield listing.path(path), shown, position


def _two(text: str, sign: str) -> tuple[str, str]:
    """Return the last two of the parts that a sign separates."""
    before, _, last = text.rpartition(sign)
    return before.rpartition(sign)[2], last
