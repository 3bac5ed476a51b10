"""Data sets that a manifest describes: photos, maps, nights and near-infrared flights on the cells of web maps.

`manifest.csv` at the root; the files of queries are `query/<id>.jpg`:

- setvl, night, infrared: cell_id, sat_path, lat, lon, zoom, query_ids (separated by spaces), split, query_modality,
  query_view
- map: cell_id, map_path, sat_path, lat, lon, zoom, split

setvl (as SetVL-480K): street photos by day, unordered, anywhere on a cell. night: the same at night. infrared: a drone
with a near-infrared camera over the cell. Tiles are by day and in colour throughout: all is matched with them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial

import numpy as np

from geosleuth.training.towns.layouts.centred import held_out
from geosleuth.training.towns.places import Cell, Flight, Place, cells, spiral, street_places
from geosleuth.training.towns.shots import (
    About,
    Layout,
    Shot,
    TownPlan,
    drone_shot,
    map_shot,
    satellite_shot,
    street_shot,
)
from geosleuth.training.towns.sign_ahead import towards_sign
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.world import World

ZOOM = 19  # cells of 76 m at the equator, 54 at 45 degrees: a town of 512 m has 30 to 80
MANIFEST = "manifest.csv"
_SALT = {"setvl": 5, "map": 6, "night": 7, "infrared": 8}
_CANDIDATES_PER_CELL = 3  # streets do not run evenly: more places than are wanted, or some cells had none
_CAMERA_MARGIN_M = 4.0
_MODALITY = {"setvl": "ground", "night": "night ground", "infrared": "infrared drone"}
_FLIGHT_M = 0.55  # of the distance by which University-1652's drones look: a cell is that much smaller than its tiles


def plan(name: str, town: Town, index: int, world: World) -> TownPlan:
    """Say which pictures a town gives to the data set of this name, and the lines of its manifest."""
    rng = np.random.default_rng([town.seed, _SALT[name]])
    shots: list[Shot] = []
    lines: list[str] = []
    for number, (cell, queries) in enumerate(_cells(name, town, world, rng)):
        cell_id = f"{index}-{cell.tile.zoom}-{cell.tile.x}-{cell.tile.y}"  # two towns may lie on one cell of Earth
        split = "test" if held_out(index, number, world) else "train"
        place, tile = Place(cell.x_m, cell.y_m), f"satellite/{cell_id}.jpg"
        shots.append(satellite_shot(town, world, About(tile, cell_id, split), place, cell.side_m))
        middle = cell.tile.middle
        where = [f"{middle.lat:.7f}", f"{middle.lon:.7f}", str(ZOOM)]
        if name == "map":
            drawn = f"map/{cell_id}.png"  # flat colours: smaller than as JPEG, and without its fringes
            shots.append(
                map_shot(town, world, About(drawn, cell_id, split), place, cell.side_m, readable=number % 2 == 0)
            )
            lines.append(_line([cell_id, drawn, tile, *where, split]))
            continue
        seen = list(_queries(name, town, world, cell_id, split, queries, rng))
        shots += seen
        ids = " ".join(shot.about.file.removeprefix("query/").removesuffix(".jpg") for shot in seen)
        lines.append(_line([cell_id, tile, *where, ids, split, _MODALITY[name], seen[0].view]))
    return TownPlan(shots, {MANIFEST: lines})


def _cells(name: str, town: Town, world: World, rng: np.random.Generator) -> Iterator[tuple[Cell, list[Place]]]:
    """Choose cells; those of photos have streets, and their places come along."""
    every = cells(town, ZOOM)
    order = [every[i] for i in rng.permutation(len(every))]
    if name not in ("setvl", "night"):
        yield from ((cell, [Place(cell.x_m, cell.y_m)]) for cell in order[: world.places])
        return
    wanted = _CANDIDATES_PER_CELL * world.queries * len(every)
    stands = street_places(town, wanted, rng, margin_m=_CAMERA_MARGIN_M)
    with_streets = ((cell, [stand for stand in stands if cell.holds(stand)][: world.queries]) for cell in order)
    yield from [pair for pair in with_streets if pair[1]][: world.places]


def _queries(
    name: str, town: Town, world: World, cell_id: str, split: str, places: list[Place], rng: np.random.Generator
) -> Iterator[Shot]:
    if name == "infrared":
        for view, flight in enumerate(spiral(world.queries, float(rng.uniform(0.0, 360.0)))):
            nearer = Flight(flight.azimuth_deg, flight.elevation_deg, flight.distance_m * _FLIGHT_M)
            about = About(f"query/{cell_id}-{view}.jpg", cell_id, split, modality=_MODALITY[name])
            yield drone_shot(town, world, about, places[0], nearer, condition="infrared")
        return
    condition: Condition = "night" if name == "night" else "day"
    for view, place in enumerate(places):
        about = About(f"query/{cell_id}-{view}.jpg", cell_id, split, modality=_MODALITY[name])
        looked = Place(place.x_m, place.y_m, float(rng.uniform(0.0, 360.0)))  # unordered photos look any way
        readable = view % 2 == 0
        if readable:  # people photograph what has a name
            looked = towards_sign(town, looked)
        yield street_shot(town, world, about, looked, readable=readable, condition=condition)


def _line(values: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


_OF_QUERIES = "cell_id,sat_path,lat,lon,zoom,query_ids,split,query_modality,query_view"
_HEADERS = {
    "setvl": _OF_QUERIES,
    "map": "cell_id,map_path,sat_path,lat,lon,zoom,split",
    "night": _OF_QUERIES,
    "infrared": _OF_QUERIES,
}
_READMES = {
    "setvl": "Street photos of invented towns and the map cells they lie on, as SetVL-480K is organised.",
    "map": "Map tiles and satellite tiles of the same cells of invented towns.",
    "night": "Street photos of invented towns at night, and the map cells they lie on by day.",
    "infrared": "Near-infrared views from a drone over invented towns, and the map cells under it in colour.",
}
LAYOUTS = tuple(
    Layout(name, partial(plan, name), _READMES[name], ("train", "test"), headers={MANIFEST: header}, lists=(MANIFEST,))
    for name, header in _HEADERS.items()
)
