"""A town made by hand: 40 m of lawn with one house in the middle, for views whose pixels can be said in advance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.styles import style_of
from geosleuth.training.towns.town import NOTHING, Facade, Structure, Town
from geosleuth.training.towns.write import write_towns

CELL_M = 0.5
CELLS = 80
GRASS, ROOF = (100, 150, 80), (200, 60, 40)
HOUSE = slice(30, 50)  # rows and columns: 10 m by 10 m from (15, 15) to (25, 25)
HEIGHT_M = 8.0


@pytest.fixture(scope="session")
def one_house():
    """Return a function that makes the town; keywords replace fields."""
    return _one_house


def _one_house(**changes: Any) -> Town:
    surface = np.full((CELLS, CELLS), class_number("grass"), np.uint8)
    height = np.zeros((CELLS, CELLS), np.float32)
    colour = np.empty((CELLS, CELLS, 3), np.uint8)
    owner = np.full((CELLS, CELLS), NOTHING, np.int32)
    colour[:] = GRASS
    height[HOUSE, HOUSE], colour[HOUSE, HOUSE], owner[HOUSE, HOUSE] = HEIGHT_M, ROOF, 0
    wall = Facade((220, 210, 190), (70, 80, 90), 0.4, 3.0, 3.0, (120, 110, 100))
    fields: dict[str, Any] = {
        "seed": 0, "style": style_of("DE"), "origin": LatLon(50.0, 8.0), "cell_m": CELL_M, "surface": surface,
        "height_m": height, "colour": colour, "owner": owner,
        "structures": (Structure("building", HEIGHT_M, ROOF, wall),), "objects": (), "streets": (),
    }  # fmt: skip
    return Town(**(fields | changes))


@pytest.fixture(scope="session")
def towns_for_words(tmp_path_factory) -> Path:
    """Six small towns with street views, and with panoramas and their tiles."""
    out = tmp_path_factory.mktemp("words") / "towns"
    write_towns(
        out, layouts=["street_views", "cvusa"], towns=6, places=4, side_m=200.0, satellite_px=64,
        panorama_px=(32, 128), street_px=(48, 64), processes=1,
    )  # fmt: skip
    return out
