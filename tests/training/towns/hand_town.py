"""A town made by hand: a red block to the north, a house to the east, a tree, a street, and what a test adds."""

from dataclasses import replace

import numpy as np

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.styles import STYLES
from geosleuth.training.towns.town import NOTHING, Facade, Structure, Town, TownObject

SIDE = 120.0
RED = Structure("building", 15.0, (200, 30, 30), Facade((210, 40, 40), (60, 70, 90), 0.0, 3.0, 2.5, (210, 40, 40)))
HOUSE = Structure("house", 7.0, (120, 60, 40), Facade((220, 210, 190), (60, 70, 90), 0.4, 3.0, 3.0, (220, 210, 190)))
TREE = Structure("tree", 8.0, (60, 110, 50))
BLOCK = (50.0, 70.0, 80.0, 90.0)  # west, east, south, north: 20 m north of (60, 60)
COTTAGE = (72.0, 84.0, 40.0, 60.0)


def hand_town(
    *objects: TownObject,
    cell_m: float = 1.0,
    structures=((RED, BLOCK), (HOUSE, COTTAGE), (TREE, (44.0, 48.0, 50.0, 54.0))),
) -> Town:
    """Build it; each structure fills a rectangle: west, east, south, north in metres."""
    count = round(SIDE / cell_m)
    surface = np.full((count, count), class_number("grass"), np.uint8)
    colour = np.full((count, count, 3), (110, 150, 80), np.uint8)
    height = np.zeros((count, count), np.float32)
    owner = np.full((count, count), NOTHING, np.int32)

    def cells(west: float, east: float, south: float, north: float) -> tuple[slice, slice]:
        rows = slice(count - round(north / cell_m), count - round(south / cell_m))
        return rows, slice(round(west / cell_m), round(east / cell_m))

    road = cells(54, 66, 0, SIDE)
    surface[road], colour[road] = class_number("road"), (90, 90, 95)
    for index, (structure, box) in enumerate(structures):
        part = cells(*box)
        owner[part], height[part], colour[part] = index, structure.height_m, structure.colour
    kinds = tuple(structure for structure, _ in structures)
    return Town(1, STYLES[0], LatLon(50, 8), cell_m, surface, height, colour, owner, kinds, objects, ())


def sign(**changes) -> TownObject:
    """A board on the red block's wall that faces the street, 20 m from (60, 60)."""
    board = TownObject("signboard", 60.0, 79.8, 2.0, 9.0, 2.4, 180.0, (20, 60, 150), "BAKERY", "en", (255, 255, 255))
    return replace(board, **changes)


def car(**changes) -> TownObject:
    """A car to the north-west of (60, 60), as seen from its side."""
    return replace(TownObject("car", 50.0, 66.0, 0.0, 1.8, 1.5, 45.0, (40, 60, 160), passing=True), **changes)
