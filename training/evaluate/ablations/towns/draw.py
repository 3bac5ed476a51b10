"""Invented towns for retrieval: street photos as references, others of the same streets as queries, and twin towns.

Synthetic. A query stands some metres from a reference, looks a little aside, and is of another day: other traffic,
another sky. A twin town is the same town once more at another position on Earth, in another country, drawn on another
day: its streets and fronts are those of the first, as a replica's are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.making.position import origin_of, style_of_seed
from geosleuth.training.towns.picture_files import PictureFiles
from geosleuth.training.towns.places import Place, street_places
from geosleuth.training.towns.town import NOTHING, Town
from geosleuth.training.towns.views.street_photo import street_photo
from geosleuth.training.towns.world import SEEDS_PER_WORLD

_MARGIN_M = 20.0  # of a reference from the town's edge: a query's step stays inside
# Steps and turns of a query. Measured on 96 references of 8 towns: recall@1 is 58 % and a fifth of the true pairs has
# features enough to be accepted, so that there is something to win and to lose.
_STEP_M = (2.0, 10.0)
_TURN_DEG = 20.0
_TWIN_AT_M = 1000.0  # from the corner of the other town's ground, which is land for 2 km: they do not overlap


class WorldSize(BaseModel):
    """What a world of one seed holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    towns: int = 128  # four of each of the 32 countries
    # Of each town. With fewer, three of 500 cells leave less than the 20 references below which a submap gives way.
    references: int = 28
    queries: int = 2
    twins: int = 16  # towns that stand twice
    side_m: float = 256.0
    height_px: int = 192
    width_px: int = 256
    difficulty: float = 0.5


class Taken(BaseModel):
    """A picture and where its camera stood."""

    file: str
    lat: float
    lon: float
    heading_deg: float


class TownDone(BaseModel):
    """A town's pictures, all on the disk."""

    country: str
    references: list[Taken]
    queries: list[Taken]
    twins: list[Taken]  # references of the twin
    twin_positions: list[LatLon]  # of the queries, in the twin


@dataclass(frozen=True)
class TownTask:
    """One town to draw."""

    folder: Path
    seed: int  # of the world
    index: int
    size: WorldSize

    @property
    def marker(self) -> Path:
        """There once the town is done."""
        return self.folder / "towns" / f"{self.index:04d}.json"

    @property
    def town_seed(self) -> int:
        """Of `build_town`; no two worlds share a town."""
        return self.seed * SEEDS_PER_WORLD + self.index


def draw(task: TownTask) -> None:
    """Draw a town's pictures, then its marker; a town that is done is left as it is."""
    if task.marker.exists():
        return
    size = task.size
    town = build_town(task.town_seed, side_m=size.side_m, difficulty=size.difficulty)
    rng = np.random.default_rng([task.town_seed, 17])
    places = street_places(town, size.references, rng, margin_m=_MARGIN_M)
    stands = [_step_aside(town, places[int(i)], rng) for i in rng.permutation(len(places))[: size.queries]]
    files = PictureFiles(task.folder)
    queries = list(_taken(files, task, town, stands, "queries"))
    references = list(_taken(files, task, town, places, "references"))
    twins: list[Taken] = []
    positions: list[LatLon] = []
    if task.index < size.twins:
        twin = twin_of(task, town)
        twins = list(_taken(files, task, twin, places, "twins"))
        positions = [twin.position(one.x_m, one.y_m) for one in stands]
    files.flush()
    done = TownDone(
        country=town.style.country, references=references, queries=queries, twins=twins, twin_positions=positions
    )
    task.marker.parent.mkdir(parents=True, exist_ok=True)
    with appearing(task.marker) as scratch:
        scratch.write_text(done.model_dump_json(), encoding="utf-8")


def twin_of(task: TownTask, town: Town) -> Town:
    """The same town on the ground of another one, whose country is another."""
    other = task.town_seed + 1
    while style_of_seed(other).country == town.style.country:
        other += 1
    ground = replace(town, origin=origin_of(other, style_of_seed(other)))
    return replace(town, origin=ground.position(_TWIN_AT_M, _TWIN_AT_M))


def _step_aside(town: Town, place: Place, rng: np.random.Generator) -> Place:
    """Another stand on the same street, looking a little aside; the same stand where a wall is in the way."""
    step = float(rng.uniform(*_STEP_M) * rng.choice((-1.0, 1.0)))
    along = math.radians(place.heading_deg)
    x_m, y_m = place.x_m + step * math.sin(along), place.y_m + step * math.cos(along)
    heading = (place.heading_deg + float(rng.uniform(-_TURN_DEG, _TURN_DEG))) % 360.0
    row, column = town.owner.shape[0] - 1 - int(y_m // town.cell_m), int(x_m // town.cell_m)
    if town.owner[row, column] != NOTHING:
        return replace(place, heading_deg=heading)
    return Place(x_m, y_m, heading)


def _taken(files: PictureFiles, task: TownTask, town: Town, stands: list[Place], kind: str) -> Iterator[Taken]:
    salt = {"references": 1, "queries": 2, "twins": 3}[kind]  # another day each
    for number, place in enumerate(stands):
        rendered = street_photo(
            town, place.x_m, place.y_m, heading_deg=place.heading_deg, height_px=task.size.height_px,
            width_px=task.size.width_px, rng=np.random.default_rng([task.town_seed, number, salt]),
        )  # fmt: skip
        # The seed is in the name: priors are drawn by it, and those of two worlds must not be the same.
        file = f"{kind}/{task.seed}-{task.index:04d}-{number:02d}.jpg"
        files.picture(file, rendered)
        at = town.position(place.x_m, place.y_m)
        yield Taken(file=file, lat=at.lat, lon=at.lon, heading_deg=round(place.heading_deg, 1))
