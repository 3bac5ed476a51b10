"""A drone's view: from the air, down at a place."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.boxes import draw_boxes
from geosleuth.training.towns.views.camera import Camera
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.ground_view import draw_solid, eye_at, finish
from geosleuth.training.towns.views.passing import objects_on_a_day
from geosleuth.training.towns.views.rays import Eye, cast
from geosleuth.training.towns.views.scene import scene_of
from geosleuth.training.towns.views.seen import list_seen
from geosleuth.training.towns.views.sky import weather_of

_REACH_M = 450.0  # beyond, haze has taken half of the colour


def drone(
    town: Town,
    x_m: float,
    y_m: float,
    *,
    azimuth_deg: float,
    elevation_deg: float,
    distance_m: float,
    fov_deg: float = 60.0,
    px: int,
    condition: Condition = "day",
    rng: np.random.Generator | None = None,
) -> Rendered:
    """Draw what a drone sees that looks at a place on the ground. No text can be read from there.

    Args:
        town: The town.
        x_m: The place in the middle of the view.
        y_m: The same, to the north.
        azimuth_deg: Where the drone is, as seen from the place, clockwise from north; it looks the other way.
        elevation_deg: How high it stands above the place, above 0 to 90.
        distance_m: From the place to the drone.
        fov_deg: From the left edge to the right one.
        px: Rows and columns.
        condition: Light.
        rng: Draws the traffic of another day; None has all that the town has.

    Raises:
        ValueError: The place is outside the town, the drone is on the ground, or there is no such condition.
    """
    if not 0 < elevation_deg <= 90 or distance_m <= 0:
        raise ValueError(f"a drone {elevation_deg} degrees up at {distance_m} m is not in the air")
    eye_at(town, x_m, y_m, 0.0)
    up, way = np.radians(elevation_deg), np.radians(azimuth_deg)
    level = distance_m * float(np.cos(up))
    eye = Eye(x_m + level * float(np.sin(way)), y_m + level * float(np.cos(way)), distance_m * float(np.sin(up)))
    camera = Camera(eye, azimuth_deg + 180.0, -elevation_deg, fov_deg, px, px)
    scene, rays = scene_of(town), camera.rays()
    lowest = float(rays.slope.max())  # what looks nearest to the horizon, or above it
    reach = min(_REACH_M, 1.02 * eye.z_m / -lowest) if lowest < 0 else _REACH_M
    hits = cast(scene, scene.whole, rays, reach_m=reach)
    objects = objects_on_a_day(town, rng)
    drawing = draw_solid(scene, hits, rays, weather_of(scene, rng))
    draw_boxes(scene, drawing, camera, hits, objects)
    pixels = finish(scene, drawing, hits, condition, rng)
    things = {len(town.structures) + index: thing for index, thing in objects}
    return Rendered(pixels, drawing.labels, list_seen(scene, drawing.number, things, {}))
