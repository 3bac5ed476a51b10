"""The part of the world that a map shows, and where a position lies on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.localization import Localization, RegionFeature

Floats = NDArray[np.float64]
KM_PER_DEGREE = 111.195  # of latitude, on the sphere of geodesy.EARTH_RADIUS_KM
_ROOM = 1.7  # the window is so many times as wide as the region: its surroundings say where that is
_WIDE_DEG = 90.0  # a region that reaches farther round the Earth has scraps on several continents
_LEAST_KM = 40.0  # height of a window: around a point alone, the next towns are seen
_WORLD = (-60.0, 84.0)  # latitudes of a map of the world: all land but Antarctica
_LEAST_COSINE = 0.05  # beyond 87 degrees a map of this kind is a smear, whatever is done


@dataclass(frozen=True)
class Window:
    """An equirectangular map, true to shape at its middle latitude.

    Longitudes run on beyond the date line: `west` is in [-360, 180), `east` at most 360 above it.
    """

    west: float
    south: float
    east: float
    north: float
    width: int  # pixels
    height: int

    @property
    def px_per_lon(self) -> float:
        """Pixels per degree of longitude."""
        return self.width / (self.east - self.west)

    @property
    def px_per_lat(self) -> float:
        """Pixels per degree of latitude."""
        return self.height / (self.north - self.south)

    @property
    def px_per_km(self) -> float:
        """Pixels per km along the middle parallel, of which the scale bar speaks."""
        cosine = max(math.cos(math.radians((self.south + self.north) / 2)), _LEAST_COSINE)
        return self.px_per_lon / (KM_PER_DEGREE * cosine)

    def pixels(self, lon_lat: Floats) -> Floats:
        """Project positions of shape (n, 2), (lon, lat) with longitudes that run on; x to the right, y down."""
        scale = np.array([self.px_per_lon, -self.px_per_lat])
        pixels: Floats = (lon_lat - np.array([self.west, self.north])) * scale
        return pixels

    def place(self, lon: float, lat: float) -> tuple[float, float] | None:
        """Return the pixel of one position, None where it lies outside."""
        x, y = self.pixels(np.array([[self.west + (lon - self.west) % 360.0, lat]]))[0].tolist()
        return (x, y) if 0 <= x <= self.width and 0 <= y <= self.height else None


def window_around(answer: Localization, width: int, height: int) -> Window:
    """Choose the window: `shown_region` with room around it, or the world where there is none."""
    boxes = _boxes(answer)
    if not boxes:
        return _fitted(0.0, 360.0, *_WORLD, width, height)
    west, span = _shortest_arc([(west, east) for west, _, east, _ in boxes])
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    middle = (south + north) / 2
    lat_span = max((north - south) * _ROOM, _LEAST_KM / KM_PER_DEGREE)
    return _fitted(west + span / 2, span * _ROOM, middle - lat_span / 2, middle + lat_span / 2, width, height)


def _boxes(answer: Localization) -> list[tuple[float, float, float, float]]:
    """West, south, east, north of each polygon of the region that is shown, and of the point."""
    boxes = []
    if answer.point is not None:
        boxes.append((answer.point.lon, answer.point.lat, answer.point.lon, answer.point.lat))
    region = None if answer.status == "not_locatable" else shown_region(answer)
    return boxes if region is None else boxes + _region_boxes(region)


def shown_region(answer: Localization) -> RegionFeature | None:
    """The region that a map is fitted to: the 90 % one, or a smaller one where that has scraps all over the world.

    A tenth of a belief lies in many places: a map of all of them would show none. Where even half of it lies far apart
    (Russia's towns do), it is the region that reaches least far.
    """
    widest_first = sorted(answer.regions.features, key=lambda one: -one.properties.share)
    near = (region for region in widest_first if _reach(region) <= _WIDE_DEG)
    return next(near, None) or min(widest_first, key=_reach, default=None)


def beyond_the_map(answer: Localization) -> str | None:
    """Say so where a map that is fitted to `shown_region` leaves part of a region out."""
    shown = shown_region(answer)
    if shown is None or answer.status == "not_locatable" or _reach(shown) * _ROOM >= 360.0:
        return None
    left_out = [one for one in answer.regions.features if one.properties.share > shown.properties.share]
    return f"The {left_out[-1].properties.share:.0%} region has parts far beyond this view." if left_out else None


def _reach(region: RegionFeature) -> float:
    """Degrees of longitude, the widest gap left out."""
    return _shortest_arc([(west, east) for west, _, east, _ in _region_boxes(region)])[1]


def _region_boxes(region: RegionFeature) -> list[tuple[float, float, float, float]]:
    shape, boxes = region.geometry, []
    polygons: list[Any] = [shape.coordinates] if shape.type == "Polygon" else shape.coordinates
    for rings in polygons:
        outer = np.asarray(rings[0], dtype=np.float64)[:, :2]
        boxes.append((*outer.min(axis=0).tolist(), *outer.max(axis=0).tolist()))
    return boxes


def _shortest_arc(arcs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the west end and the degrees of the shortest arc that holds all arcs: the widest gap is left out."""
    ordered = sorted((west % 360.0, east - west) for west, east in arcs)
    reach, best, start = ordered[0][0] + ordered[0][1], -1.0, ordered[0][0]
    for west, span in ordered[1:]:
        if west - reach > best:
            best, start = west - reach, west
        reach = max(reach, west + span)
    closing = ordered[0][0] + 360.0 - reach  # the gap that runs over the Greenwich meridian
    if closing >= best:
        best, start = closing, ordered[0][0]
    return start, min(360.0 - max(best, 0.0), 360.0)


def _fitted(lon: float, lon_span: float, south: float, north: float, width: int, height: int) -> Window:
    """Widen one side until the map has the picture's form; no latitude beyond a pole, no longitude twice."""
    lon = (lon + 180.0) % 360.0 - 180.0
    middle = min(max((south + north) / 2, -90.0), 90.0)
    cosine = max(math.cos(math.radians(middle)), _LEAST_COSINE)
    lat_span = min(max(north - south, min(lon_span, 360.0) * cosine * height / width), 180.0)
    lon_span = min(max(lon_span, lat_span / cosine * width / height), 360.0)
    if lon_span == 360.0:  # all of it: stretched upwards, as maps of the world are, and without empty margins
        south, north = max(min(south, _WORLD[0]), -90.0), min(max(north, _WORLD[1]), 90.0)
        return Window(lon - 180.0, south, lon + 180.0, north, width, height)
    south = min(max(middle - lat_span / 2, -90.0), 90.0 - lat_span)
    return Window(lon - lon_span / 2, south, lon + lon_span / 2, south + lat_span, width, height)
