"""Draw a view from the ground: rays meet walls and ground, upright things stand before them, the light changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import NOTHING, Rendered, Town
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.facade import walls_at
from geosleuth.training.towns.views.light import LAMP, in_condition
from geosleuth.training.towns.views.passing import objects_on_a_day
from geosleuth.training.towns.views.rays import Eye, Hits, Rays, cast
from geosleuth.training.towns.views.scene import SKY, Floats, Ints, Scene
from geosleuth.training.towns.views.seen import list_seen, reads_well
from geosleuth.training.towns.views.sky import HAZE, Weather, sky_at, weather_of
from geosleuth.training.towns.views.tops import tops_at
from geosleuth.training.towns.views.upright import Drawn, Uprights, draw_uprights, uprights_near

_REACH_M = 260.0  # at this distance a house of 12 m is 2.6 degrees high: a pixel of a panorama of 64 rows
_LAMP_M = 6.0  # height of a street lamp: from half of it to one and a half its light on walls fades
_HAZE_M = 700.0  # distance over which the haze takes 63 % of the colour: a clear day in a town
_STEP_OF_ROOF_M = 1.2  # a rise within one structure up to this is its roof, above it a wall


@dataclass(frozen=True, eq=False)
class Drawing:
    """A view being drawn."""

    colour: Floats  # (h, w, 3)
    light: Floats  # (h, w, 3) what shines at night, 0 where nothing does
    labels: NDArray[np.uint8]  # (h, w)
    number: Ints  # (h, w) structure, structures + object, or -1


def eye_at(town: Town, x_m: float, y_m: float, eye_m: float) -> Eye:
    """Return an eye in the town.

    Raises:
        ValueError: The place is outside.
    """
    if not (0 <= x_m < town.side_m and 0 <= y_m < town.side_m):
        raise ValueError(f"({x_m}, {y_m}) is outside the town of {town.side_m} m")
    return Eye(x_m, y_m, eye_m)


def draw_from_ground(
    scene: Scene, rays: Rays, *, readable: bool, condition: Condition, rng: np.random.Generator | None
) -> Rendered:
    """Draw what the rays see; with rng the traffic and the sky are another day's."""
    objects = objects_on_a_day(scene.town, rng)
    weather = weather_of(scene, rng)
    hits = cast(scene, scene.without_crowns, rays, reach_m=_REACH_M)
    drawing = draw_solid(scene, hits, rays, weather)
    near = uprights_near(scene, objects, rays)
    drawn = draw_uprights(scene, near, rays, hits, readable=readable)
    _put(drawing, drawn)
    pixels = finish(scene, drawing, hits, condition, rng)
    things = {len(scene.town.structures) + index: thing for index, thing in objects}
    reads = _readable(near, drawn, drawing.number, rays) if readable else {}
    return Rendered(pixels, drawing.labels, list_seen(scene, drawing.number, things, reads))


def finish(
    scene: Scene, drawing: Drawing, hits: Hits, condition: Condition, rng: np.random.Generator | None
) -> NDArray[np.uint8]:
    """Return the pixels of a drawing in its condition.

    Raises:
        ValueError: No such condition.
    """
    pixels = np.clip(drawing.colour, 0, 255).astype(np.uint8)
    if condition == "day":
        return pixels
    below = np.clip(1.5 - hits.z_m / _LAMP_M, 0, 1) * ~hits.sky  # lamps shine downwards
    pools = np.append(scene.lamplight.ravel(), np.float32(0))[hits.cell] * below if condition == "night" else None
    return in_condition(pixels, drawing.labels, drawing.light, pools, condition, rng)


def draw_solid(scene: Scene, hits: Hits, rays: Rays, weather: Weather) -> Drawing:
    """Colour what the rays meet: sky, ground, roofs and walls."""
    shape = rays.shape
    colour, light = np.zeros((2, *shape, 3), dtype=np.float32)
    owner = hits.owner
    wall = hits.wall & (owner != NOTHING)
    stepped = hits.lower >= 0
    if stepped.any():
        wall &= ~(stepped & (scene.whole.height[hits.cell] - scene.whole.height[hits.lower] <= _STEP_OF_ROOF_M))
    top = ~hits.sky & ~wall
    slope = np.broadcast_to(rays.slope, shape)
    span = hits.distance_m * np.sqrt(1 + slope * slope) * np.float32(rays.pixel_rad)
    if wall.any():
        walls = walls_at(scene, hits, wall, span[wall], rays.eye)
        colour[wall], light[wall] = walls.colour, walls.lamplight[:, None] * LAMP
    if top.any():
        flat = np.sqrt(1 + 1 / np.maximum(slope[top] ** 2, 1e-6))  # a pixel on the ground is drawn out along the ray
        colour[top] = tops_at(scene, hits, top, span[top] * np.sqrt(flat))
    clear = np.exp(-hits.distance_m / np.float32(_HAZE_M))[..., None]
    colour += (HAZE - colour) * (1 - clear)
    light *= clear
    if hits.sky.any():
        compass = rays.compass[np.broadcast_to(rays.column, shape)[hits.sky]]
        colour[hits.sky] = sky_at(scene, compass, slope[hits.sky], weather)
    labels = np.where(owner != NOTHING, scene.structure_label[owner], scene.surface[hits.cell])
    labels[hits.sky] = SKY
    number = np.where(hits.sky, NOTHING, owner).astype(np.int64)
    return Drawing(colour, light, labels.astype(np.uint8), number)


def _put(drawing: Drawing, drawn: Drawn) -> None:
    """Draw upright things over the rest, the nearest last."""
    at = drawn.row, drawn.column
    drawing.colour[at] = drawn.colour
    drawing.light[at] = drawn.light[:, None] * drawn.colour  # lamps and signs shine in their own colour
    drawing.labels[at] = drawn.label
    drawing.number[at] = drawn.number


def _readable(near: Uprights, drawn: Drawn, number: Ints, rays: Rays) -> dict[int, bool]:
    """Tell which signs can be read, by their number."""
    shown = np.bincount(number[number >= 0]) if (number >= 0).any() else np.zeros(0, dtype=np.int64)
    found = {}
    for index, thing in enumerate(near.things):
        what = int(near.number[index])
        if not thing.text or what not in drawn.planned or not near.front[index]:
            continue
        east, north = near.x_m[index] - rays.eye.x_m, near.y_m[index] - rays.eye.y_m
        away = float(np.hypot(east, north))
        cosine = -float(np.sin(near.facing[index]) * east + np.cos(near.facing[index]) * north) / away
        high_px = thing.height_m / away / rays.pixel_rad
        seen_px = int(shown[what]) if what < len(shown) else 0
        found[what] = reads_well(drawn.planned[what], seen_px, high_px, cosine)
    return found
