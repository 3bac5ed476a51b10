"""VIGOR's form: panoramas on streets, and a grid of tiles that overlap by half.

A panorama's own tile is the one whose middle is nearest, so that it lies in that tile's central quarter; the other
three of the four tiles that show it are its semi-positives. Columns of the lists, as the authors wrote them:
panorama, then four times a tile and two offsets in pixels, tile minus panorama, to the north and to the east. So a
panorama is at row `height / 2 + first`, column `width / 2 - second` of the tile. The pixels are those of the tile as
written here, where the authors' tiles have 640.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geosleuth.training.towns.places import Place, street_places
from geosleuth.training.towns.shots import About, Layout, TownPlan, panorama_shot, satellite_shot
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.world import World

CITIES = ("Chicago", "NewYork", "SanFrancisco", "Seattle")
TILE_M = 72.0  # 640 px of Google's zoom 20: 0.113 m each in New York, 0.101 in Seattle
STEP_M = TILE_M / 2
_SALT = 1  # of the random numbers: every layout has places of its own
_PER_TILE = 2  # "balanced": VIGOR keeps two panoramas of a tile at most
README = """The four folders hold invented towns: no picture shows Chicago, New York, San Francisco or Seattle, whose
names are here because readers of VIGOR look for them. Form: VIGOR (Zhu et al., CVPR 2021), with pixel offsets of the
tiles' own size."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the middles of the tiles of a town are."""

    per_side: int

    @staticmethod
    def of(side_m: float) -> Grid:
        """Lay as many tiles along a side as there is room for."""
        return Grid(int((side_m - TILE_M) / STEP_M + 1e-9) + 1)

    def middle(self, column: int, row: int) -> Place:
        """Return a tile's middle; row 0 is in the south."""
        return Place(STEP_M * (column + 1), STEP_M * (row + 1))

    def showing(self, place: Place) -> list[tuple[int, int]]:
        """Return the four tiles that show a place, its own first."""
        columns, rows = (self._two(value) for value in (place.x_m, place.y_m))
        own = columns[0], rows[0]
        return [own, (columns[1], rows[0]), (columns[0], rows[1]), (columns[1], rows[1])]

    def _two(self, along_m: float) -> tuple[int, int]:
        """Return the nearest line of middles, and the next."""
        at = along_m / STEP_M - 1.0
        low = min(max(math.floor(at), 0), self.per_side - 2)
        return (low, low + 1) if at - low <= 0.5 else (low + 1, low)


def plan(town: Town, index: int, world: World) -> TownPlan:
    """Say which pictures a town gives, and the lines of the city's lists."""
    grid, city = Grid.of(town.side_m), CITIES[index % len(CITIES)]
    rng = np.random.default_rng([town.seed, _SALT])
    # Beyond the outermost middles no four tiles show a place.
    places = [
        place
        for place in street_places(
            town, world.places, rng, margin_m=TILE_M / 2, group=lambda one: grid.showing(one)[0], most=_PER_TILE
        )
        if max(place.x_m, place.y_m) <= STEP_M * grid.per_side
    ]
    tiles = sorted({tile for place in places for tile in grid.showing(place)})
    # A tile's panoramas are all in one half: what is tested on was not seen in training.
    tested = {tile: bool(rng.random() < 0.5) for tile in tiles}
    names = {tile: _tile_name(town, grid, tile, world) for tile in tiles}
    lists: dict[str, list[str]] = defaultdict(list)
    lists[f"splits/{city}/satellite_list.txt"] = [names[tile] for tile in tiles]
    shots = []
    for tile, name in names.items():
        about = About(f"{city}/satellite/{name}", name, "gallery")
        shots.append(satellite_shot(town, world, about, grid.middle(*tile), TILE_M))
    for number, place in enumerate(places):
        shown = grid.showing(place)
        name = _panorama_name(town, index, number, place)
        split = "test" if tested[shown[0]] else "train"
        about = About(f"{city}/panorama/{name}", names[shown[0]], split)
        shots.append(panorama_shot(town, world, about, place, readable=number % 2 == 0))
        line = " ".join([name, *_labels(grid, place, shown, names, world.satellite_px)])
        lists[f"splits/{city}/pano_label_balanced.txt"].append(line)
        lists[f"splits/{city}/same_area_balanced_{split}.txt"].append(line)
    return TownPlan(shots, lists)


def _labels(
    grid: Grid, place: Place, shown: list[tuple[int, int]], names: dict[tuple[int, int], str], px: int
) -> Iterator[str]:
    for tile in shown:
        middle = grid.middle(*tile)
        yield names[tile]
        yield f"{(middle.y_m - place.y_m) / TILE_M * px:.3f}"
        yield f"{(middle.x_m - place.x_m) / TILE_M * px:.3f}"


def _tile_name(town: Town, grid: Grid, tile: tuple[int, int], world: World) -> str:
    middle = grid.middle(*tile)
    at = town.position(middle.x_m, middle.y_m)
    return f"satellite_{at.lat:.7f}_{at.lon:.7f}.{world.tile_format}"


def _panorama_name(town: Town, index: int, number: int, place: Place) -> str:
    at = town.position(place.x_m, place.y_m)
    return f"town{index:06d}place{number:06d},{at.lat:.7f},{at.lon:.7f},.jpg"


_LISTS = ("satellite_list", "pano_label_balanced", "same_area_balanced_train", "same_area_balanced_test")
LAYOUT = Layout(
    "vigor",
    plan,
    README,
    ("train", "test"),
    least_towns=len(CITIES),
    lists=tuple(f"splits/{city}/{name}.txt" for city in CITIES for name in _LISTS),
)
