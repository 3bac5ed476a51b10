"""What a view of an invented town shows that neither its list of things nor its mask can tell: written beside them.

Colours of roofs and walls by structure, the side that traffic keeps to, car parks, junctions, the street's width.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np

from geosleuth.training.towns.language.colours import weighted_shares
from geosleuth.training.towns.making.shapes import clip_to_square
from geosleuth.training.towns.making.traffic import VEHICLES
from geosleuth.training.towns.town import NOTHING, Rendered, Street, Town

BUILT = ("building", "house", "skyscraper", "tower")
WIDE_M = 11.5  # side streets of all styles are narrower, main streets of most are wider: two lanes and parked cars
_MOVING_SHARE = 0.002  # of the picture: 25 pixels of 96 x 128, a car whose front and lane can be made out
_SEES_M = 40.0  # of a junction from the ground: beyond, a street's mouth is a few pixels wide
_DRONE_SEES_M = 35.0  # around the place looked at: what the lowest of the drones' views has within its frame
_HALF_FOV_DEG = 45.0  # of the street photos
# Bays are 2.6 m wide and half of them taken: a car has these neighbours; those in driveways and courts have not.
_BAYS, _BAY_NEIGHBOURS, _BAY_REACH_M = 6, 3, 9.0
_BAYS_SHARE = 0.004  # of the picture, all their cars together
_IN_TILE = 0.25  # of a tile's side: a road that only cuts a corner is not seen as wide


def scene_facts(
    town: Town, rendered: Rendered, *, view: str, x_m: float, y_m: float, heading_deg: float | None,
    extent_m: float | None,
) -> dict[str, Any]:  # fmt: skip
    """Return facts as JSON: shares of colours, "left" or "right" or None, and three truths.

    Args:
        town: The invented town.
        rendered: The view.
        view: As a data set calls it.
        x_m: Place of the camera, of what a drone looks at, or of a tile's middle.
        y_m: The same, to the north.
        heading_deg: Of a street photo.
        extent_m: Side of a tile.
    """
    built = [
        (town.structures[one.structure], one.share)
        for one in rendered.seen
        if one.structure is not None and one.kind in BUILT
    ]
    moving = any(
        one.object is not None
        and one.kind in VEHICLES
        and one.share >= _MOVING_SHARE
        and town.objects[one.object].passing
        for one in rendered.seen
    )
    junction, wide = _streets(town, view, x_m, y_m, heading_deg, extent_m)
    return {
        "roofs": weighted_shares((one.colour, share) for one, share in built),
        "walls": weighted_shares((one.facade.wall, share) for one, share in built if one.facade),
        "traffic": town.style.drive_side if moving else None,
        "car_park": _car_park(town, rendered),
        "junction": junction,
        "wide_road": wide,
    }


@lru_cache(maxsize=1)  # views of one town come together
def junctions(town: Town) -> tuple[tuple[float, float], ...]:
    """Return where three streets or more meet."""
    ends = Counter((round(x, 1), round(y, 1)) for street in town.streets for x, y in (street.start, street.end))
    return tuple(spot for spot, count in ends.items() if count >= 3)


def _car_park(town: Town, rendered: Rendered) -> bool:
    """Tell whether a group of parked cars is seen that stands on no street."""
    cars = [
        (town.objects[one.object], one.share)
        for one in rendered.seen
        if one.object is not None and one.kind in ("car", "van") and not town.objects[one.object].passing
    ]
    off = [(car, share) for car, share in cars
           if all(_away_m(street, car.x_m, car.y_m) > street.width_m / 2 for street in town.streets)]  # fmt: skip
    if len(off) < _BAYS or sum(share for _, share in off) < _BAYS_SHARE:
        return False
    spots = np.array([(car.x_m, car.y_m) for car, _ in off])
    near = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) <= _BAY_REACH_M
    return int((near.sum(axis=1) > _BAY_NEIGHBOURS).sum()) >= _BAYS


def _streets(
    town: Town, view: str, x_m: float, y_m: float, heading_deg: float | None, extent_m: float | None
) -> tuple[bool, bool]:
    """Tell whether a junction and whether a wide street are in the view."""
    wide = [street for street in town.streets if street.width_m >= WIDE_M]
    if extent_m is not None:
        half = extent_m / 2
        meets = any(max(abs(x - x_m), abs(y - y_m)) < half for x, y in junctions(town))
        return meets, any(_inside_m(street, x_m - half, y_m - half, extent_m) >= _IN_TILE * extent_m for street in wide)
    if view == "drone":
        meets = any(math.hypot(x - x_m, y - y_m) <= _DRONE_SEES_M for x, y in junctions(town))
        return meets, any(_away_m(street, x_m, y_m) <= _DRONE_SEES_M for street in wide)
    ahead = [(x, y) for x, y in junctions(town) if _in_view(town, view, (x, y), x_m, y_m, heading_deg)]
    return bool(ahead), any(_away_m(street, x_m, y_m) <= street.width_m / 2 for street in wide)


def _in_view(
    town: Town, view: str, spot: tuple[float, float], x_m: float, y_m: float, heading_deg: float | None
) -> bool:
    east, north = spot[0] - x_m, spot[1] - y_m
    away = math.hypot(east, north)
    if away > _SEES_M:
        return False
    if view == "ground" and heading_deg is not None:
        turn = (math.degrees(math.atan2(east, north)) - heading_deg + 180.0) % 360.0 - 180.0
        if abs(turn) > _HALF_FOV_DEG:
            return False
    part = np.linspace(0.0, 1.0, max(2, math.ceil(away / town.cell_m)))
    last = town.owner.shape[0] - 1
    columns = np.clip(((x_m + east * part) / town.cell_m).astype(np.intp), 0, last)
    rows = np.clip(last - ((y_m + north * part) / town.cell_m).astype(np.intp), 0, last)
    return bool((town.owner[rows, columns] == NOTHING).all())


def _inside_m(street: Street, west_m: float, south_m: float, side_m: float) -> float:
    ends = np.array([street.start, street.end]) - (west_m, south_m)
    clipped = clip_to_square(ends, 0.0, side_m)
    return 0.0 if clipped is None else float(np.hypot(*(clipped[1] - clipped[0])))


def _away_m(street: Street, x_m: float, y_m: float) -> float:
    """Distance from a point to a centre line."""
    (x0, y0), (x1, y1) = street.start, street.end
    length2 = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = 0.0 if length2 == 0 else min(max(((x_m - x0) * (x1 - x0) + (y_m - y0) * (y1 - y0)) / length2, 0.0), 1.0)
    return math.hypot(x_m - x0 - along * (x1 - x0), y_m - y0 - along * (y1 - y0))
