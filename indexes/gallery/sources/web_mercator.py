"""The tiles of web maps: z/x/y in spherical Mercator (EPSG:3857), rows counted from the north."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geosleuth.indexes.geodesy import LatLon

# Web Mercator takes the WGS 84 equator's radius (6378137 m) for a sphere; EPSG guidance note 7-2, method 1024.
EQUATOR_M = 2.0 * math.pi * 6378137.0
# Tiles of 256 pixels are 4 mm on the ground at zoom 25; servers and the MBTiles files in the wild stop at 22 to 24.
# Above 30, column numbers leave 31 bits.
MAX_ZOOM = 30


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile; x grows to the east, y to the south."""

    zoom: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """Whether the zoom has such a column and row: both are below 2^zoom."""
        return 0 <= self.zoom <= MAX_ZOOM and 0 <= self.x < 1 << self.zoom and 0 <= self.y < 1 << self.zoom

    @property
    def middle(self) -> LatLon:
        """Position of the picture's middle, which lies poleward of the mean of the two latitudes."""
        across, down = (self.x + 0.5) / (1 << self.zoom), (self.y + 0.5) / (1 << self.zoom)
        return LatLon(math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * down)))), across * 360.0 - 180.0)

    @property
    def side_m(self) -> float:
        """Length of a side on the ground through the middle; true to 0.4 %, the Earth being no sphere."""
        return EQUATOR_M / (1 << self.zoom) * math.cos(math.radians(self.middle.lat))

    def __str__(self) -> str:
        return f"{self.zoom}/{self.x}/{self.y}"


def row_from_south(zoom: int, row: int) -> int:
    """Turn a row of XYZ, counted from the north, into one of TMS, counted from the south; or the other way round."""
    return (1 << zoom) - 1 - row
