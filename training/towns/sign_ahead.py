"""The sign that a photographer would turn to."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.places import Place
from geosleuth.training.towns.town import NOTHING, Town, TownObject

_NEAR_M, _FAR_M = 2.5, 30.0  # nearer it stands above the photo; farther it is small even in a photo of 1024 rows
_LEAST_COSINE = 0.6  # a little squarer than 60 degrees, from which a board is said to be readable


def towards_sign(town: Town, place: Place, *, most_deg: float = 180.0) -> Place:
    """Turn a place's heading to the sign that looks largest from there, if one is in sight.

    Args:
        town: The town.
        place: Of the camera.
        most_deg: How far the heading may turn.
    """
    best, largest = place, 0.0
    for sign in town.objects:
        east, north = sign.x_m - place.x_m, sign.y_m - place.y_m
        away = math.hypot(east, north)
        if not sign.text or sign.facing_deg is None or not _NEAR_M <= away <= _FAR_M:
            continue
        facing = math.radians(sign.facing_deg)
        cosine = -(math.sin(facing) * east + math.cos(facing) * north) / away
        heading = math.degrees(math.atan2(east, north)) % 360.0
        turn = abs((heading - place.heading_deg + 180.0) % 360.0 - 180.0)
        size = sign.height_m / away * cosine
        if cosine >= _LEAST_COSINE and turn <= most_deg and size > largest and _in_sight(town, place, sign):
            best, largest = Place(place.x_m, place.y_m, heading), size
    return best


def _in_sight(town: Town, place: Place, sign: TownObject) -> bool:
    """Whether no structure stands between; boards hang at walls, whose cells begin right behind them."""
    steps = math.ceil(math.hypot(sign.x_m - place.x_m, sign.y_m - place.y_m) / town.cell_m)
    part: NDArray[np.float64] = np.arange(steps - 1) / steps
    columns = ((place.x_m + (sign.x_m - place.x_m) * part) / town.cell_m).astype(np.intp)
    rows = town.owner.shape[0] - 1 - ((place.y_m + (sign.y_m - place.y_m) * part) / town.cell_m).astype(np.intp)
    return bool((town.owner[rows, columns] == NOTHING).all())
