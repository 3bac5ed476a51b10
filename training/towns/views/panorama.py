"""A panorama: all around from one place, equirectangular, as cameras on cars take it."""

from __future__ import annotations

import numpy as np

from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.ground_view import draw_from_ground, eye_at
from geosleuth.training.towns.views.rays import Eye, Outline, Rays
from geosleuth.training.towns.views.scene import Floats, scene_of

CAMERA_M = 2.5  # above the road: on the roof of a car, as street-level imagery is taken


def panorama(
    town: Town,
    x_m: float,
    y_m: float,
    *,
    height_px: int,
    width_px: int,
    heading_deg: float = 0.0,
    readable: bool = True,
    condition: Condition = "day",
    rng: np.random.Generator | None = None,
    eye_m: float = CAMERA_M,
) -> Rendered:
    """Draw all that is seen from a place.

    The middle looks to `heading_deg`, clockwise from north, which grows to the right; rows go from +90 degrees
    (straight up) to -90. The first and last columns are as far from the middle as pixel centres can be, so flipping
    the picture mirrors the town, and turning by a quarter rolls it by a quarter of its width.

    Args:
        town: The town.
        x_m: Place of the camera; a structure that it stands in is not drawn.
        y_m: The same, to the north.
        height_px: Rows.
        width_px: Columns.
        heading_deg: Where the middle looks.
        readable: Signs have text; otherwise strokes that are none.
        condition: Light.
        rng: Draws the traffic and the sky of another day; None has all that the town has.
        eye_m: Height of the camera.

    Raises:
        ValueError: The place is outside the town, or there is no such condition.
    """
    eye = eye_at(town, x_m, y_m, eye_m)
    column = np.arange(width_px)
    # Degrees first: at usual widths these are exact, so two headings share each direction to the last bit.
    compass_deg = (heading_deg + (column + 0.5 - width_px / 2) * (360.0 / width_px)) % 360.0
    elevation = np.radians(90.0 - (np.arange(height_px) + 0.5) * (180.0 / height_px))
    rays = Rays(
        eye=eye,
        compass=np.radians(compass_deg).astype(np.float32),
        column=column[None, :].astype(np.int64),
        slope=np.tan(elevation).astype(np.float32)[:, None],
        pixel_rad=float(np.pi / height_px),
        outline=_outline(eye, height_px, width_px, heading_deg),
        wraps=True,
    )
    return draw_from_ground(scene_of(town), rays, readable=readable, condition=condition, rng=rng)


def _outline(eye: Eye, height_px: int, width_px: int, heading_deg: float) -> Outline:
    def outline(x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        east, north = x - np.float32(eye.x_m), y - np.float32(eye.y_m)
        compass = np.arctan2(east, north)
        aside = (compass - compass[:, :1] + np.pi) % (2 * np.pi) - np.pi
        middle = ((compass[:, 0] - np.radians(heading_deg)) / (2 * np.pi) % 1.0 + 0.5) * width_px
        elevation = np.arctan2(z - eye.z_m, np.maximum(np.hypot(east, north), 1e-3))
        row = (0.5 - elevation / np.pi) * height_px
        per_rad = width_px / (2 * np.pi)
        # A pixel of margin: thin things are drawn a pixel wide, and pixels count by their centres.
        left, right = middle + aside.min(axis=1) * per_rad - 2, middle + aside.max(axis=1) * per_rad + 2
        return left, row.min(axis=1) - 1, right, row.max(axis=1) + 2

    return outline
