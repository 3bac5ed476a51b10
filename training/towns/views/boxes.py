"""Vehicles, people and lamps from above: small boxes, drawn where nothing stands before them."""

from __future__ import annotations

import cv2
import numpy as np

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.making.traffic import VEHICLES
from geosleuth.training.towns.town import TownObject
from geosleuth.training.towns.views.camera import Camera
from geosleuth.training.towns.views.ground_view import Drawing
from geosleuth.training.towns.views.rays import Hits
from geosleuth.training.towns.views.scene import Floats, Scene

_SLACK_M = 2.0  # the ground below a thing is met up to half a car behind its middle
_THICK_M = 0.3  # from front to back of what is no vehicle
_GLASS = (70, 84, 98)
_LEAST_PX = 0.6  # of a thing's longest edge; smaller ones are lost between pixels
_CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float32)


def draw_boxes(
    scene: Scene, drawing: Drawing, camera: Camera, hits: Hits, objects: tuple[tuple[int, TownObject], ...]
) -> None:
    """Draw objects into a view from the air, far ones first."""
    if not objects:
        return
    things = [thing for _, thing in objects]
    east, north, up = _corners(things)
    row, column, ahead = camera.project(east, north, up)
    shown = (ahead.min(axis=1) > 1) & (row.max(axis=1) > 0) & (row.min(axis=1) < camera.height_px)
    shown &= (column.max(axis=1) > 0) & (column.min(axis=1) < camera.width_px)
    shown &= np.maximum(np.ptp(row, axis=1), np.ptp(column, axis=1)) > _LEAST_PX
    away = np.hypot(east.mean(axis=1) - camera.eye.x_m, north.mean(axis=1) - camera.eye.y_m)
    first = len(scene.town.structures)
    for i in np.argsort(-away, kind="stable"):
        if shown[i]:
            corners = np.stack([column[i], row[i]], axis=1)
            _fill(drawing, hits, things[i], corners, float(away[i]), first + objects[i][0])


def _corners(things: list[TownObject]) -> tuple[Floats, Floats, Floats]:
    """Return x, y and z (things, 8) of the corners of each, the upper four last."""
    wide = np.array([t.width_m for t in things], dtype=np.float32)[:, None]
    long = [VEHICLES[t.kind][0] if t.kind in VEHICLES else min(t.width_m, _THICK_M) for t in things]
    way = np.radians([t.facing_deg or 0.0 for t in things]).astype(np.float32)[:, None]
    right = _CORNERS[:, 0] * wide / 2
    ahead = _CORNERS[:, 1] * np.array(long, dtype=np.float32)[:, None] / 2
    x = np.array([[t.x_m] for t in things], dtype=np.float32) + right * np.cos(way) + ahead * np.sin(way)
    y = np.array([[t.y_m] for t in things], dtype=np.float32) - right * np.sin(way) + ahead * np.cos(way)
    z = np.array([[t.base_m, t.base_m + t.height_m] for t in things], dtype=np.float32)
    return np.tile(x, (1, 2)), np.tile(y, (1, 2)), np.repeat(z, 4, axis=1)


def _fill(drawing: Drawing, hits: Hits, thing: TownObject, corners: Floats, away_m: float, number: int) -> None:
    rows, columns = drawing.labels.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (columns - 1, rows - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 1, (columns, rows))
    part = (slice(top, bottom), slice(left, right))
    free = hits.distance_m[part] + _SLACK_M >= away_m
    here = np.round(corners - (left, top) - 0.5).astype(np.int32)  # pixel centres
    body = np.zeros(free.shape, dtype=np.uint8)
    cv2.fillConvexPoly(body, cv2.convexHull(here), 1)
    upper = np.zeros(free.shape, dtype=np.uint8)
    cv2.fillConvexPoly(upper, here[4:], 1)
    colour = np.array(thing.colour, dtype=np.float32)
    shown = (body == 1) & free
    drawing.colour[part][shown] = 0.7 * colour
    drawing.colour[part][shown & (upper == 1)] = colour
    if thing.kind in VEHICLES:
        roof = np.zeros(free.shape, dtype=np.uint8)
        middle = here[4:].mean(axis=0)
        cv2.fillConvexPoly(roof, np.round(middle + 0.55 * (here[4:] - middle)).astype(np.int32), 1)
        drawing.colour[part][shown & (roof == 1)] = 0.5 * colour + 0.5 * np.array(_GLASS, dtype=np.float32)
    drawing.labels[part][shown] = class_number(thing.kind)
    drawing.number[part][shown] = number
