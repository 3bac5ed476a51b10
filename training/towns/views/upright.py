"""Cars, people, lamps, signs and trees in views from the ground: flat, upright, behind or before what the rays meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.traffic import VEHICLES
from geosleuth.training.towns.town import TownObject
from geosleuth.training.towns.views.boards import board_colours
from geosleuth.training.towns.views.rays import Hits, Rays
from geosleuth.training.towns.views.scene import Floats, Ints, Scene
from geosleuth.training.towns.views.sprites import Bools, Painted, Points, paint

_FAR_M = 130.0  # a car beyond is below 2 pixels of a panorama 768 wide
_NEAR_M = 0.5  # nearer things would fill the view
_BOARDS = frozenset({"signboard", "flag"})


@dataclass(frozen=True, eq=False)
class Uprights:
    """The upright things near an eye, far ones first."""

    things: tuple[TownObject, ...]
    number: Ints  # (n,) structure, or structures + object
    x_m: Floats
    y_m: Floats
    width_m: Floats  # (n,) as seen
    facing: Floats  # (n,) radians; to the eye where the thing has no front or is round
    front: Bools  # (n,) the eye sees its front
    side: Bools  # (n,) the eye sees it from the side

    def column(self, name: str) -> Floats:
        """Return one number of each thing."""
        return np.array([getattr(t, name) for t in self.things], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Pixels that show upright things, far ones first, so that writing them in order leaves the nearest."""

    row: Ints  # (n,)
    column: Ints  # (n,)
    colour: Floats  # (n, 3)
    light: Floats  # (n,) 0 to 1 at night
    label: NDArray[np.uint8]
    number: Ints  # (n,) what is shown, as in Uprights
    planned: dict[int, int]  # pixels that each thing would have with nothing before it, for signs


def uprights_near(scene: Scene, objects: tuple[tuple[int, TownObject], ...], rays: Rays) -> Uprights:
    """Gather what stands upright within sight, trees included, far things first."""
    first = len(scene.town.structures)
    pairs = [*scene.trees, *((first + index, thing) for index, thing in objects)]
    at = np.array([(t.x_m - rays.eye.x_m, t.y_m - rays.eye.y_m) for _, t in pairs], dtype=np.float64).reshape(-1, 2)
    away = np.hypot(at[:, 0], at[:, 1])
    order = np.argsort(-away, kind="stable")
    # No camera is inside a bus: a vehicle that passes through its place is left out.
    room = np.array([VEHICLES[t.kind][0] / 2 if t.kind in VEHICLES else 0.0 for _, t in pairs]) + _NEAR_M
    order = order[(away[order] < _FAR_M) & (away[order] > room[order])]
    things = tuple(pairs[i][1] for i in order)
    back = np.arctan2(-at[order, 0], -at[order, 1])  # from the thing to the eye
    own = np.array([np.nan if t.facing_deg is None else np.radians(t.facing_deg) for t in things], dtype=np.float64)
    turned = np.nan_to_num(own - back)
    long = np.array([VEHICLES[t.kind][0] if t.kind in VEHICLES else np.nan for t in things], dtype=np.float64)
    wide = np.array([t.width_m for t in things], dtype=np.float64)
    box = np.abs(np.sin(turned)) * long + np.abs(np.cos(turned)) * wide
    flat = np.array([t.kind in _BOARDS for t in things], dtype=bool) & ~np.isnan(own)
    return Uprights(
        things=things,
        number=np.array([pairs[i][0] for i in order], dtype=np.int64),
        x_m=at[order, 0].astype(np.float32) + np.float32(rays.eye.x_m),
        y_m=at[order, 1].astype(np.float32) + np.float32(rays.eye.y_m),
        width_m=np.where(np.isnan(long), wide, box).astype(np.float32),
        facing=np.where(flat, own, back).astype(np.float32),
        front=np.cos(turned) > 0,
        side=np.abs(np.sin(turned)) > np.sin(np.radians(35)),
    )


def draw_uprights(scene: Scene, seen: Uprights, rays: Rays, hits: Hits, *, readable: bool) -> Drawn:
    """Draw all upright things that stand before what the rays meet."""
    thing, row, column = _rectangles(seen, rays)
    direction = np.broadcast_to(rays.column, rays.shape)[row, column]
    east, north = np.sin(rays.compass)[direction], np.cos(rays.compass)[direction]
    slope = np.broadcast_to(rays.slope, rays.shape)[row, column]
    # A thing's own right hand as the one who looks at its front sees it.
    right_x, right_y = -np.cos(seen.facing)[thing], np.sin(seen.facing)[thing]
    to_x, to_y = seen.x_m[thing] - np.float32(rays.eye.x_m), seen.y_m[thing] - np.float32(rays.eye.y_m)
    with np.errstate(divide="ignore", invalid="ignore"):  # along the board: never meets it
        away = (to_x * right_y - to_y * right_x) / (east * right_y - north * right_x)
    aside = (away * east - to_x) * right_x + (away * north - to_y) * right_y
    # Thinner than a pixel would be there in some columns and not in others.
    half = np.maximum(seen.width_m[thing] / 2, 0.5 * rays.pixel_rad * away)
    tall, base = seen.column("height_m")[thing], seen.column("base_m")[thing]
    u, v = aside / half, (np.float32(rays.eye.z_m) + slope * away - base) / tall
    inside = (away > _NEAR_M) & (np.abs(u) <= 1) & (v >= 0) & (v <= 1)
    parts = _Parts(thing[inside], row[inside], column[inside], u[inside], v[inside], away[inside], 2 * half[inside])
    return _drawn(scene, seen, parts, hits, rays, readable=readable)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Points of things; one row per pixel that a thing covers."""

    thing: Ints
    row: Ints
    column: Ints
    u: Floats
    v: Floats
    away_m: Floats
    across_m: Floats


def _drawn(scene: Scene, seen: Uprights, parts: _Parts, hits: Hits, rays: Rays, *, readable: bool) -> Drawn:
    painted = _painted(scene, seen, parts, rays, readable=readable)
    planned = np.bincount(parts.thing[painted.there], minlength=len(seen.things))
    # Signs hang on walls, and walls lie on cell borders: a board may stand within its wall by up to a cell.
    slack = np.array([1.5 * scene.town.cell_m if t.kind in _BOARDS else 0.0 for t in seen.things], dtype=np.float32)
    before = parts.away_m <= hits.distance_m[parts.row, parts.column] + slack[parts.thing]
    shown = painted.there & before
    labels = np.array([class_number(t.kind) for t in seen.things], dtype=np.uint8)
    thing = parts.thing[shown]
    light = painted.light if painted.light is not None else np.zeros(len(shown), dtype=np.float32)
    return Drawn(
        row=parts.row[shown],
        column=parts.column[shown],
        colour=painted.colour[shown],
        light=light[shown],
        label=labels[thing],
        number=seen.number[thing],
        planned={int(seen.number[i]): int(n) for i, n in enumerate(planned) if n},
    )


def _painted(scene: Scene, seen: Uprights, parts: _Parts, rays: Rays, *, readable: bool) -> Painted:
    """Colour all points, kind by kind."""
    names = sorted({t.kind for t in seen.things})
    kind = np.array([names.index(t.kind) for t in seen.things], dtype=np.int64)[parts.thing]
    tints = np.array([t.colour for t in seen.things], dtype=np.float32).reshape(-1, 3)
    tall = seen.column("height_m")
    leaf = 10  # noise pixels per metre: leaves of a few decimetres
    at = (
        parts.u * parts.across_m / 2 + 7 * seen.x_m[parts.thing],
        parts.v * tall[parts.thing] + 7 * seen.y_m[parts.thing],
    )
    size = scene.noise.shape[0] - 1
    noise = scene.noise[(at[1] * leaf).astype(np.int64) & size, (at[0] * leaf).astype(np.int64) & size]
    colour = np.empty((len(kind), 3), dtype=np.float32)
    there, light = np.zeros(len(kind), dtype=bool), np.zeros(len(kind), dtype=np.float32)
    for index, name in enumerate(names):
        mine = np.flatnonzero(kind == index)
        if not len(mine):
            continue
        thing = parts.thing[mine]
        points = Points(
            parts.u[mine], parts.v[mine], parts.across_m[mine], tall[thing], tints[thing], seen.side[thing], noise[mine]
        )
        done = paint(name, points)
        colour[mine], there[mine] = done.colour, done.there
        if done.light is not None:
            light[mine] = done.light
    _letter(seen, parts, rays, colour, light, readable=readable)
    return Painted(colour, there, light)


def _letter(seen: Uprights, parts: _Parts, rays: Rays, colour: Floats, light: Floats, *, readable: bool) -> None:
    """Write on the boards that are seen from the front; their backs are grey and dark."""
    for index, thing in enumerate(seen.things):
        if thing.kind not in _BOARDS:
            continue
        mine = np.flatnonzero(parts.thing == index)
        if not len(mine):
            continue
        if thing.facing_deg is not None and not seen.front[index]:
            colour[mine], light[mine] = np.float32(120), 0
        elif thing.text:
            high_px = thing.height_m / float(parts.away_m[mine].min()) / rays.pixel_rad
            colour[mine] = board_colours(thing, parts.u[mine], parts.v[mine], high_px, readable=readable)


def _rectangles(seen: Uprights, rays: Rays) -> tuple[Ints, Ints, Ints]:
    """Return thing, row and column of every pixel that a thing may cover."""
    rows, columns = rays.shape
    if not seen.things:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty, empty
    part = np.array([0, -1, -0.5, 0.5, 1], dtype=np.float32)  # the middle first: what the outline is wrapped around
    half = np.maximum(seen.width_m, 0.1)[:, None] / 2 * part
    x = seen.x_m[:, None] - half * np.cos(seen.facing)[:, None]
    y = seen.y_m[:, None] + half * np.sin(seen.facing)[:, None]
    base, tall = seen.column("base_m"), seen.column("height_m")
    z = np.stack([base, base + tall], axis=1)
    box = rays.outline(np.repeat(x, 2, axis=1), np.repeat(y, 2, axis=1), np.tile(z, (1, len(part))))
    left, top, right, bottom = (edge.astype(np.int64) for edge in box)
    top, bottom = np.clip(top, 0, rows), np.clip(bottom, 0, rows)
    if rays.wraps:
        right = np.minimum(right, left + columns)
    else:
        left, right = np.clip(left, 0, columns), np.clip(right, 0, columns)
    wide, high = np.maximum(right - left, 0), np.maximum(bottom - top, 0)
    count = wide * high
    thing = np.repeat(np.arange(len(count)), count)
    offset = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    row = top[thing] + offset // wide[thing]
    return thing, row, (left[thing] + offset % wide[thing]) % columns
