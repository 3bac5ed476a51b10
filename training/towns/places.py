"""Where on a town its pictures are taken: on streets, over buildings, and on the cells of web maps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

import numpy as np

from geosleuth.indexes.gallery.sources.web_mercator import Tile
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.towns.town import EARTH_RADIUS_M, NOTHING, Town

# Tried one after the other until there are enough places: Street View stands every 10 m, VIGOR keeps about every third.
_SPACINGS_M = (24.0, 16.0, 12.0, 8.0)
_STEP_M = 4.0  # between candidates along a street; finer would only be sorted out again
_OFF_CENTRE = 0.2  # of a street's width, at most, to either side: a lane
_LOOKED_AT = frozenset({"building", "house", "skyscraper"})
_LEAST_BUILDING_M2 = 40.0  # sheds are nobody's landmark
_CAMERA_ROOM_M = 1.0  # no wall or trunk nearer than this, or it fills the picture
# University-1652's drones descend from 256 to 121.5 m in three turns; half of that fits a town of 512 m.
_SPIRAL_HEIGHT_M = (128.0, 61.0)
_SPIRAL_ELEVATION_DEG = (55.0, 40.0)
_VIEWS_PER_TURN = 18  # 54 views are three turns; with fewer than 36 there is one, so that all sides are seen


@dataclass(frozen=True, slots=True)
class Place:
    """A point of a town, in its metres."""

    x_m: float
    y_m: float
    heading_deg: float = 0.0  # along the street


@dataclass(frozen=True, slots=True)
class Cell:
    """A tile of a web map that lies inside a town."""

    tile: Tile
    x_m: float  # its middle
    y_m: float
    side_m: float

    def holds(self, place: Place) -> bool:
        """Whether a place is on it."""
        return max(abs(place.x_m - self.x_m), abs(place.y_m - self.y_m)) < self.side_m / 2


@dataclass(frozen=True, slots=True)
class Flight:
    """Where a drone is, seen from what it looks at."""

    azimuth_deg: float
    elevation_deg: float
    distance_m: float


def street_places(
    town: Town,
    wanted: int,
    rng: np.random.Generator,
    *,
    margin_m: float,
    group: Callable[[Place], Hashable] | None = None,
    most: int = 2,
) -> list[Place]:
    """Choose places on streets, as far from each other as their number allows.

    Args:
        town: The town.
        wanted: How many; there are fewer where the town has no room.
        rng: Decides which.
        margin_m: None is nearer to the town's edge than this.
        group: Of a place; None puts no limit.
        most: Of the places of one group.
    """
    candidates = [place for place in _along_streets(town, rng) if _is_free(town, place, margin_m)]
    order = rng.permutation(len(candidates))
    chosen: list[Place] = []
    for spacing in _SPACINGS_M:
        chosen = _spread([candidates[i] for i in order], wanted, spacing, group, most)
        if len(chosen) == wanted:
            break
    return chosen


def building_places(town: Town, wanted: int, rng: np.random.Generator, *, margin_m: float) -> list[Place]:
    """Choose buildings, and return the middles of their footprints."""
    rows, columns = np.nonzero(town.owner != NOTHING)
    owners = town.owner[rows, columns]
    cells = np.bincount(owners, minlength=len(town.structures))
    x_m = (np.bincount(owners, columns, len(town.structures)) / np.maximum(cells, 1) + 0.5) * town.cell_m
    y_m = town.side_m - (np.bincount(owners, rows, len(town.structures)) / np.maximum(cells, 1) + 0.5) * town.cell_m
    inside = np.minimum(np.minimum(x_m, y_m), town.side_m - np.maximum(x_m, y_m)) >= margin_m
    large = cells * town.cell_m**2 >= _LEAST_BUILDING_M2
    fit = [i for i in np.flatnonzero(inside & large) if town.structures[i].kind in _LOOKED_AT]
    places = [Place(float(x_m[i]), float(y_m[i])) for i in rng.permutation(np.array(fit, dtype=np.int64))]
    return _spread(places, wanted, _SPACINGS_M[-1], None, 0)


def nearest_views(place: Place, stands: list[Place], wanted: int) -> list[Place]:
    """Return the nearest places on streets, each with the heading towards `place`."""
    nearest = sorted(stands, key=lambda one: (one.x_m - place.x_m) ** 2 + (one.y_m - place.y_m) ** 2)[:wanted]
    return [
        Place(one.x_m, one.y_m, math.degrees(math.atan2(place.x_m - one.x_m, place.y_m - one.y_m)) % 360.0)
        for one in nearest
    ]


def spiral(views: int, start_deg: float) -> list[Flight]:
    """Return the stations of a descent around a point, as University-1652's drones fly it."""
    turns = max(1, views // _VIEWS_PER_TURN)
    flights = []
    for number in range(views):
        done = number / views
        height_m, elevation_deg = (
            first + (last - first) * done for first, last in (_SPIRAL_HEIGHT_M, _SPIRAL_ELEVATION_DEG)
        )
        distance_m = height_m / math.sin(math.radians(elevation_deg))
        flights.append(Flight((start_deg + 360.0 * turns * done) % 360.0, elevation_deg, distance_m))
    return flights


def cells(town: Town, zoom: int) -> list[Cell]:
    """Return the tiles of web maps that lie wholly inside a town, from the north-west to the south-east."""
    west, north = _tile_coordinates(town.position(0.0, town.side_m), zoom)
    east, south = _tile_coordinates(town.position(town.side_m, 0.0), zoom)
    found = []
    for row in range(math.ceil(north), math.floor(south)):
        for column in range(math.ceil(west), math.floor(east)):
            tile = Tile(zoom, column, row)
            x_m, y_m = metres(town, tile.middle)
            # The town's metres are those of the mean sphere, Mercator's those of the equator.
            side_m = math.radians(360.0 / (1 << zoom)) * EARTH_RADIUS_M * math.cos(math.radians(town.origin.lat))
            found.append(Cell(tile, x_m, y_m, side_m))
    return found


def metres(town: Town, position: LatLon) -> tuple[float, float]:
    """Return x, y of a position on Earth: the inverse of `Town.position`."""
    x_m = math.radians(position.lon - town.origin.lon) * EARTH_RADIUS_M * math.cos(math.radians(town.origin.lat))
    return x_m, math.radians(position.lat - town.origin.lat) * EARTH_RADIUS_M


def _tile_coordinates(position: LatLon, zoom: int) -> tuple[float, float]:
    """Return column and row of a position, with fractions."""
    across = (position.lon + 180.0) / 360.0
    down = 0.5 - math.asinh(math.tan(math.radians(position.lat))) / (2.0 * math.pi)
    return across * (1 << zoom), down * (1 << zoom)


def _along_streets(town: Town, rng: np.random.Generator) -> Iterator[Place]:
    for street in town.streets:
        (x0, y0), (x1, y1) = street.start, street.end
        length = math.hypot(x1 - x0, y1 - y0)
        if length < _STEP_M:
            continue
        east, north = (x1 - x0) / length, (y1 - y0) / length
        heading = math.degrees(math.atan2(east, north)) % 360.0
        for along in np.arange(rng.uniform(0.0, _STEP_M), length, _STEP_M):
            aside = rng.uniform(-_OFF_CENTRE, _OFF_CENTRE) * street.width_m
            turn = 180.0 * rng.integers(2)  # traffic goes both ways
            yield Place(
                float(x0 + along * east + aside * north),
                float(y0 + along * north - aside * east),
                float((heading + turn) % 360.0),
            )


def _is_free(town: Town, place: Place, margin_m: float) -> bool:
    """Whether a camera may stand there: within the margin, and with nothing at arm's length."""
    low, high = min(place.x_m, place.y_m), max(place.x_m, place.y_m)
    if low < margin_m or high > town.side_m - margin_m:
        return False
    height = town.owner.shape[0]
    row, column = height - 1 - int(place.y_m // town.cell_m), int(place.x_m // town.cell_m)
    reach = math.ceil(_CAMERA_ROOM_M / town.cell_m)
    around = town.owner[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
    return bool(around.size) and bool((around == NOTHING).all())


def _spread(
    candidates: list[Place], wanted: int, spacing_m: float, group: Callable[[Place], Hashable] | None, most: int
) -> list[Place]:
    """Take candidates in their order, but none near one that was taken, and not too many of a group."""
    taken: dict[tuple[int, int], list[Place]] = {}
    groups: Counter[Hashable] = Counter()
    chosen: list[Place] = []
    for place in candidates:
        if len(chosen) == wanted:
            break
        of = group(place) if group else None
        if group and groups[of] == most:
            continue
        column, row = int(place.x_m // spacing_m), int(place.y_m // spacing_m)
        near = (other for i in (-1, 0, 1) for j in (-1, 0, 1) for other in taken.get((column + i, row + j), ()))
        if any(math.hypot(other.x_m - place.x_m, other.y_m - place.y_m) < spacing_m for other in near):
            continue
        taken.setdefault((column, row), []).append(place)
        groups[of] += 1
        chosen.append(place)
    return chosen
