"""A world of one seed: drawn, indexed, and opened as queries and a setup. Each step is kept on the disk."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.build import add_to_index, build_index
from geosleuth.indexes.gallery.manifest import MANIFEST
from geosleuth.indexes.gallery.store import open_index
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.ablations.prior import ACCURACY, simulated
from geosleuth.training.evaluate.ablations.query import Query
from geosleuth.training.evaluate.ablations.setup import Setup
from geosleuth.training.evaluate.ablations.towns.draw import Taken, TownDone, TownTask, WorldSize

_SETTINGS = "world.json"
_HEADER = ("file", "lat", "lon", "view", "heading_deg")
INDEX, TWINS = "index", "index_with_twins"


def begin(folder: Path, size: WorldSize) -> None:
    """Make a world's folder, or see that it was begun with the same size.

    Raises:
        InputError: It holds a world of another size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _SETTINGS
    if not path.exists():
        with appearing(path) as scratch:
            scratch.write_text(size.model_dump_json(), encoding="utf-8")
    known = read_json(path, WorldSize, "the settings of a world", "Name another folder with --work.")
    if known != size:
        found = f"{folder}, of {known.towns} towns with {known.references} references and {known.queries} queries each"
        raise InputError("a world of the size that is asked for", found, "Name another folder with --work.")


def tasks(folder: Path, seed: int, size: WorldSize) -> list[TownTask]:
    """The towns of a world."""
    return [TownTask(folder, seed, index, size) for index in range(size.towns)]


def drawn(folder: Path, seed: int, size: WorldSize) -> list[TownDone]:
    """Read what was drawn.

    Raises:
        InputError: A town is missing.
    """
    remedy = "Run the same command again."
    return [read_json(one.marker, TownDone, "a town that is drawn", remedy) for one in tasks(folder, seed, size)]


def index_world(folder: Path, seed: int, size: WorldSize) -> None:
    """Encode the references, and beside them those of the twins in an index of its own; what is there is kept."""
    towns = drawn(folder, seed, size)
    if not (folder / INDEX / MANIFEST).exists():
        _list(folder / "references.csv", (one for town in towns for one in town.references))
        build_index(folder / "references.csv", folder / INDEX)
    if size.twins and not (folder / TWINS / MANIFEST).exists():
        _list(folder / "twins.csv", (one for town in towns for one in town.twins))
        begun = folder / f"{TWINS}.begun"
        shutil.rmtree(begun, ignore_errors=True)  # of a run that was killed: the copy may be half
        shutil.copytree(folder / INDEX, begun)
        add_to_index(folder / "twins.csv", begun)
        begun.replace(folder / TWINS)


def open_world(folder: Path, seed: int, size: WorldSize) -> tuple[Setup, list[Query]]:
    """Open the gallery without twins, with a simulated prior, and the queries."""
    gallery = open_index(folder / INDEX)
    setup = Setup(gallery, load_encoder("embedded"), seed=seed)
    setup = Setup(gallery, setup.encoder, simulated(setup.ground, seed=seed, accuracy=ACCURACY), seed=seed)
    return setup, queries_of(folder, seed, size)


def open_twins(folder: Path, setup: Setup) -> Setup:
    """The same with the twins in the gallery. The prior is that of the gallery without: the truth has not moved."""
    return Setup(open_index(folder / TWINS), setup.encoder, setup.prior, seed=setup.seed)


def queries_of(folder: Path, seed: int, size: WorldSize) -> list[Query]:
    """The queries; those of a town are one witness."""
    queries = []
    for index, town in enumerate(drawn(folder, seed, size)):
        for number, one in enumerate(town.queries):
            twin = town.twin_positions[number] if town.twin_positions else None
            path = folder / one.file
            queries.append(Query(path, path.name, LatLon(one.lat, one.lon), town.country, f"{seed}-{index}", twin))
    return queries


def _list(path: Path, pictures: Iterable[Taken]) -> None:
    with appearing(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows((one.file, f"{one.lat:.7f}", f"{one.lon:.7f}", "ground", one.heading_deg) for one in pictures)
