"""A photo from the pavement: one direction, as a person takes it."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.camera import Camera
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.ground_view import draw_from_ground, eye_at
from geosleuth.training.towns.views.scene import scene_of

HAND_M = 1.6  # above the ground: a phone before the eyes of a grown person


def street_photo(
    town: Town,
    x_m: float,
    y_m: float,
    *,
    heading_deg: float,
    fov_deg: float = 90.0,
    pitch_deg: float = 0.0,
    height_px: int,
    width_px: int,
    readable: bool = True,
    condition: Condition = "day",
    rng: np.random.Generator | None = None,
    eye_m: float = HAND_M,
) -> Rendered:
    """Draw what a camera sees from a place.

    It is cast by rays of its own, not cut from a panorama: as fast, and sharp at any angle.

    Args:
        town: The town.
        x_m: Place of the camera; a structure that it stands in is not drawn.
        y_m: The same, to the north.
        heading_deg: Where it looks, clockwise from north.
        fov_deg: From the left edge to the right one, below 180.
        pitch_deg: Above the horizon.
        height_px: Rows.
        width_px: Columns.
        readable: Signs have text; otherwise strokes that are none.
        condition: Light.
        rng: Draws the traffic and the sky of another day; None has all that the town has.
        eye_m: Height of the camera.

    Raises:
        ValueError: The place is outside the town, or there is no such condition.
    """
    camera = Camera(eye_at(town, x_m, y_m, eye_m), heading_deg, pitch_deg, fov_deg, height_px, width_px)
    return draw_from_ground(scene_of(town), camera.rays(), readable=readable, condition=condition, rng=rng)
