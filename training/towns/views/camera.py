"""A camera that looks one way: the rays of its pixels, and where points of the town lie in its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosleuth.training.towns.views.rays import Eye, Rays
from geosleuth.training.towns.views.scene import Floats

_NEAR_M = 0.05  # points nearer to the picture's plane, or behind it, are put on it: they lie far outside the view
_STRAIGHT = 1e-3  # least horizontal part of a ray: straight up and down have no slope
_DIRECTIONS_PER_PIXEL = 1.5  # so that what is seen in a direction is off by a third of a pixel at most
_FROM_ABOVE_DEG = -20.0  # a camera that looks down by more sees no direction wider than a pixel of it: 1 is enough


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera, level from left to right."""

    eye: Eye
    heading_deg: float  # clockwise from north
    pitch_deg: float  # above the horizon, -90 to 90
    fov_deg: float  # horizontal
    height_px: int
    width_px: int

    @property
    def focal_px(self) -> float:
        """Distance of the picture's plane in pixels."""
        return self.width_px / 2 / float(np.tan(np.radians(self.fov_deg) / 2))

    def rays(self) -> Rays:
        """Return where the pixels look."""
        across = (np.arange(self.width_px) + 0.5 - self.width_px / 2)[None, :]
        up = (self.height_px / 2 - np.arange(self.height_px) - 0.5)[:, None]
        sine, cosine = np.sin(np.radians(self.pitch_deg)), np.cos(np.radians(self.pitch_deg))
        ahead = self.focal_px * cosine - up * sine  # along the ground
        rise = self.focal_px * sine + up * cosine
        level = np.hypot(ahead, across)
        slope = (rise / np.maximum(level, _STRAIGHT * self.focal_px)).astype(np.float32)
        aside = np.arctan2(np.broadcast_to(across, level.shape), ahead)  # from the heading, clockwise
        if self.pitch_deg == 0:  # each column of the picture is one direction
            offsets, column = aside[0], np.arange(self.width_px)[None, :]
        else:
            step = 1 / ((1.0 if self.pitch_deg < _FROM_ABOVE_DEG else _DIRECTIONS_PER_PIXEL) * self.focal_px)
            low = float(aside.min())
            column = np.round((aside - low) / step).astype(np.int64)
            offsets = low + step * np.arange(int(column.max()) + 1)
        compass = np.radians(self.heading_deg) + offsets
        return Rays(self.eye, compass.astype(np.float32), column, slope, 1 / self.focal_px, self.outline)

    def project(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Return row and column, in pixels from the upper left corner, and distance in m along the view, of points."""
        heading, pitch = np.radians(self.heading_deg), np.radians(self.pitch_deg)
        east, north, up = x - self.eye.x_m, y - self.eye.y_m, z - self.eye.z_m
        level = east * np.sin(heading) + north * np.cos(heading)
        right = east * np.cos(heading) - north * np.sin(heading)
        ahead = level * np.cos(pitch) + up * np.sin(pitch)
        rise = up * np.cos(pitch) - level * np.sin(pitch)
        scale = self.focal_px / np.maximum(ahead, _NEAR_M)
        return self.height_px / 2 - rise * scale, self.width_px / 2 + right * scale, ahead

    def outline(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return what `Rays.outline` promises."""
        row, column, ahead = self.project(x, y, z)
        left, right = column.min(axis=1) - 2, column.max(axis=1) + 2  # thin things are drawn a pixel wide
        visible = ahead.max(axis=1) > _NEAR_M
        left, right = (np.clip(edge, -1, self.width_px + 1) for edge in (left, right))
        top, bottom = (np.clip(edge, -1, self.height_px + 1) for edge in (row.min(axis=1) - 1, row.max(axis=1) + 2))
        return left, top, np.where(visible, right, left), bottom
