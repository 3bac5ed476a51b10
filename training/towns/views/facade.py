"""Walls: storeys, bays and windows, coloured point by point, without aliasing at any distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.views.rays import Eye, Hits
from geosleuth.training.towns.views.scene import Floats, Ints, Scene
from geosleuth.training.towns.views.wall_spots import spots_on_walls

_SILL, _HEAD = 0.28, 0.82  # of a storey: about 0.9 m and 2.5 m, where windows begin and end
_SHOP_SILL, _SHOP_HEAD = 0.12, 0.86  # of the ground floor: shop windows start near the pavement
_SHOP_SHARE = 0.8  # of a bay
_PARAPET_M = 0.3  # blind strip below a roof
_DOOR_EVERY = 5  # bays; houses and blocks of flats have an entrance in some
_DOOR = np.array([0.45, 0.36, 0.32], dtype=np.float32)  # of the wall's colour: darker, brownish
_DEFAULT_BAY_M = 1e6  # of walls without a facade: no window ever
_SHADE = 0.6  # light on a wall that looks away from the sun, of that on one that faces it
_LIT_SHARE = 0.4  # windows with a lamp on at night; invented
_LIT_SHOPS = 0.5  # shops that keep their windows lit; invented


@dataclass(frozen=True, eq=False)
class Walls:
    """The walls that a view shows, one row per pixel."""

    colour: Floats  # (n, 3) by day, 0 to 255
    lamplight: Floats  # (n,) 0 to 1: how much of the pixel is a window with a lamp on


def walls_at(scene: Scene, hits: Hits, chosen: NDArray[np.bool_], footprint_m: Floats, eye: Eye) -> Walls:
    """Colour the pixels that show the front of a structure.

    Args:
        scene: The town.
        hits: What the view meets.
        chosen: (h, w) the pixels that show walls; n of them.
        footprint_m: (n,) what a pixel spans on a wall that faces it.
        eye: Of the view.
    """
    spots = spots_on_walls(scene, hits, chosen, eye)
    owner, normal, z = spots.owner, spots.normal, spots.up_m
    table = _table(scene)
    storey, bay, share, top = (table.numbers[owner, i] for i in range(4))
    along, up = spots.along_m / bay, z / storey
    ground = up < 1
    wide = np.minimum(footprint_m / bay, 50)
    tall = footprint_m / storey
    share = np.where(ground & (share > 0), np.maximum(share, np.where(table.shop[owner], _SHOP_SHARE, 0)), share)
    shop = ground & table.shop[owner]
    glass = _stripe(along, 0.5 - share / 2, 0.5 + share / 2, wide)
    glass *= _stripe(up, np.where(shop, _SHOP_SILL, _SILL), np.where(shop, _SHOP_HEAD, _HEAD), tall)
    glass *= (np.floor(up) + _HEAD) * storey + _PARAPET_M < top  # no window is cut by the roof
    door = ground & ~shop & (table.numbers[owner, 2] > 0) & (np.floor(along).astype(np.int64) % _DOOR_EVERY == 0)
    wood = door * _stripe(along, 0.3, 0.7, wide) * (up < _HEAD)
    glass *= ~door
    bare = np.where(ground[:, None], table.ground[owner], table.wall[owner])
    bare += (table.wall[owner] * _DOOR - bare) * wood[:, None]
    light = _SHADE + (1 - _SHADE) * np.maximum(np.cos(normal - np.radians(scene.sun.azimuth_deg)), 0)
    light = light * (1 - 0.18 * np.exp(-z))  # the foot of a wall gets less of the sky
    draw = _draw(owner, np.floor(along).astype(np.int64), np.floor(up).astype(np.int64))
    pane = table.window[owner] * (0.75 + 0.5 * draw)[:, None]  # curtains and reflections differ
    colour = bare * light[:, None] * (1 - glass[:, None]) + pane * (0.7 + 0.3 * light)[:, None] * glass[:, None]
    open_late = _draw(owner, np.zeros_like(owner), np.zeros_like(owner)) < _LIT_SHOPS
    lit = glass * np.where(shop, open_late, draw < _LIT_SHARE)
    return Walls(colour.astype(np.float32), lit.astype(np.float32))


def _stripe(position: Floats, start: Floats | float, end: Floats | float, width: Floats) -> Floats:
    """Return how much of a pixel of `width` around `position` lies in [start, end) of a period of 1: a box filter."""
    width = np.maximum(width, 1e-3)
    low, high = position - width / 2, position + width / 2

    def covered(at: Floats) -> Floats:
        whole = np.floor(at)
        return np.asarray(whole * (end - start) + np.clip(at - whole - start, 0, end - start))

    return np.asarray((covered(high) - covered(low)) / width)


def _draw(owner: Ints, bay: Ints, storey: Ints) -> Floats:
    """Return a number in [0, 1) that belongs to one window: the same from wherever it is seen."""
    mixed = (owner * 73856093) ^ (bay * 19349663) ^ (storey * 83492791)  # Teschner et al. 2003, hashing of grid cells
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    return np.asarray(((mixed >> 8) & 0xFFFF) / 65536.0, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Table:
    numbers: Floats  # (structures + 1, 4) storey, bay, window share, top
    wall: Floats  # (structures + 1, 3)
    window: Floats
    ground: Floats
    shop: NDArray[np.bool_]  # (structures + 1,) the ground floor looks different


def _table(scene: Scene) -> _Table:
    found = scene.kept.get("facades")
    if isinstance(found, _Table):
        return found
    rows, wall, window, ground = [], [], [], []
    for structure in scene.town.structures:
        facade = structure.facade
        rows.append(
            (facade.storey_m, facade.bay_m, facade.window_share, structure.height_m)
            if facade
            else (_DEFAULT_BAY_M, _DEFAULT_BAY_M, 0.0, structure.height_m)
        )
        plain = tuple(0.8 * c for c in structure.colour)
        wall.append(facade.wall if facade else plain)
        window.append(facade.window if facade else plain)
        ground.append(facade.ground_floor if facade else plain)
    rows.append((_DEFAULT_BAY_M, _DEFAULT_BAY_M, 0.0, 0.0))
    tints = [np.array([*colours, (128, 128, 128)], dtype=np.float32) for colours in (wall, window, ground)]
    house = np.array([*(s.kind == "house" for s in scene.town.structures), True])
    shop = (tints[0] != tints[2]).any(axis=1) & ~house  # a house has a plinth of another colour, not a shop
    scene.kept["facades"] = table = _Table(np.array(rows, dtype=np.float32), tints[0], tints[1], tints[2], shop)
    return table
