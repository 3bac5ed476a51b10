"""What the agent is asked about and what it searches: photos and tiles of towns that no adapter was taught.

A photo's town is held out twice: the prior saw none of its street views, and the verifier no picture of it in a pair.
The verifier's calibration is fitted on a second lot of towns, which it was not taught either, with a gallery as large.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.build import build_index
from geosleuth.indexes.gallery.manifest import MANIFEST
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.adapter_claims.world import PLACES
from geosleuth.training.georeasoner.street_views import read_street_views
from geosleuth.training.gleam_x.record import PairRecord

Kind = Literal["street", "drone"]
KINDS: tuple[Kind, ...] = ("street", "drone")  # the prior was taught on the first kind, the verifier on the second
PHOTOS = 64  # of each kind: three agents look at each for seconds; a share of a half is known to 6 points
_SEED = 2
_COPIES = "test/query_"  # in University-1652's form the galleries hold the queries' pictures too
_TOWN_DIGITS = slice(4, 10)  # of town000027-0001.jpg


@dataclass(frozen=True)
class AgentPhoto:
    """A photo and where it was taken."""

    path: Path
    file: str  # relative to the world's folder
    kind: Kind
    town: int
    position: LatLon
    country: str  # ISO 3166-1 alpha-2


@dataclass(frozen=True)
class AgentMaterial:
    """Photos and towns of one world."""

    tiles: Path  # root of University-1652's form
    asked: Mapping[Kind, tuple[AgentPhoto, ...]]
    gallery: frozenset[int]  # towns whose tiles are searched: all that were held out of the street views
    fitted: Mapping[Kind, tuple[AgentPhoto, ...]]  # for the verifier's calibration
    fitted_gallery: frozenset[int]
    countries: Mapping[int, str]  # ISO codes by town


def agent_material(towns: Path, taught: Iterable[PairRecord]) -> AgentMaterial:
    """Choose towns and draw photos, always the same ones.

    Args:
        towns: Folder of a world with street views and University-1652's form.
        taught: All pairs that a verifier was taught.

    Raises:
        InputError: The world lacks one of the two, or it has no town that was not taught.
    """
    street, splits = _street_photos(towns)
    countries = {photo.town: photo.country for photo in street}
    drone = _drone_photos(towns, countries)
    seen = {town for record in taught for town in (tile_town(record.query_path), tile_town(record.satellite_path))}
    held_out = frozenset(town for town, split in splits.items() if split == "held_out_town")
    others = sorted(town for town, split in splits.items() if split == "train" and town not in seen)
    if not (held_out - seen and others):
        found = f"{len(held_out - seen)} held out and {len(others)} others in {towns}"
        raise InputError("towns of which no pair was taught", found, "Draw more towns, or teach fewer pairs.")
    drawn = np.random.default_rng(_SEED).permutation(others)[: len(held_out)]
    fitted = frozenset(drawn.tolist())
    photos: dict[Kind, list[AgentPhoto]] = {"street": street, "drone": drone}
    return AgentMaterial(
        tiles=towns / "university1652",
        asked={kind: _some(photos[kind], held_out - seen) for kind in KINDS},
        gallery=held_out,
        fitted={kind: _some(photos[kind], fitted) for kind in KINDS},
        fitted_gallery=fitted,
        countries=countries,
    )


def tile_town(path: str) -> int:
    """Return the number of the town of a picture in University-1652's form: its folder is its place's number."""
    return int(path.split("/")[-2]) // PLACES


def gallery_index(material: AgentMaterial, towns: Collection[int], out: Path) -> Path:
    """Build an index of the tiles of some towns with the embedded encoder, unless it is there.

    Raises:
        InputError: The world lacks the list of tiles, or the index cannot be written.
    """
    if (out / MANIFEST).exists():
        return out
    columns, rows = _table(material.tiles / "gallery.csv")
    tiles = [row for row in rows if row["view"] == "satellite" and tile_town(row["file"]) in towns]
    table = out.with_name(f"{out.name}.csv")
    table.parent.mkdir(parents=True, exist_ok=True)
    with appearing(table) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(tiles)
    build_index(open_source(table, root=material.tiles), out)
    return out


def _street_photos(towns: Path) -> tuple[list[AgentPhoto], dict[int, str]]:
    """All street views, and the split of each town."""
    photos, splits = [], {}
    for view in read_street_views(towns / "street_views"):
        town = int(view.path.name[_TOWN_DIGITS])
        splits[town] = view.split or ""
        if view.country is not None:
            at = LatLon(view.lat, view.lon)
            file = f"street_views/{'/'.join(view.path.parts[-2:])}"
            photos.append(AgentPhoto(view.path, file, "street", town, at, view.country))
    return photos, splits


def _drone_photos(towns: Path, countries: Mapping[int, str]) -> list[AgentPhoto]:
    root = towns / "university1652"
    _, rows = _table(root / "places.csv")
    photos = []
    for row in rows:
        town = tile_town(row["file"])
        if row["view"] == "drone" and not row["file"].startswith(_COPIES) and town in countries:
            at = LatLon(float(row["lat"]), float(row["lon"]))
            file = f"university1652/{row['file']}"
            photos.append(AgentPhoto(root / row["file"], file, "drone", town, at, row["country"]))
    return photos


def _table(path: Path) -> tuple[Sequence[str], list[dict[str, str]]]:
    """Columns and rows of one of the world's tables."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return reader.fieldnames or (), list(reader)
    except OSError as error:
        remedy = "Draw the towns with the layout university1652."
        raise InputError("a table of invented towns", f"{path}: {error.strerror}", remedy) from error


def _some(photos: Sequence[AgentPhoto], towns: Collection[int]) -> tuple[AgentPhoto, ...]:
    own = [photo for photo in photos if photo.town in towns]
    chosen = np.random.default_rng(_SEED).permutation(len(own))[:PHOTOS]
    return tuple(own[int(i)] for i in sorted(chosen))
