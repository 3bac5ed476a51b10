"""The part of the world that is left to search, given the belief: the countries that hold most of it, buffered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, wrap_lon
from geosleuth.indexes.regions import load_countries

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

# A submap of more countries than this cuts off only the smallest, and is not worth its seconds.
MOST_COUNTRIES = 125  # half of the world's

_CHUNK_DEGREES = 4.0  # borders are buffered in pieces this long: a flat map of one is true to 0.1 %
_EDGE_DEGREES = 1.0  # longer edges are divided first


@dataclass(frozen=True, slots=True)
class Submap:
    """Countries in the order of the belief, with their buffered polygons."""

    countries: tuple[str, ...]  # ISO 3166-1; empty when the submap is the whole world
    share_held: float  # of the belief, 0 to 1
    buffer_km: float
    frame: GeoDataFrame  # columns code, name, probability, geometry (EPSG:4326, cut at the date line)
    reason: str | None = None  # why the submap is the whole world; None when it is not

    def contains(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie in the submap; shape (n,)."""
        import shapely

        y, x = np.atleast_1d(np.asarray(lats, dtype=np.float64)), np.atleast_1d(wrap_lon(lons))
        inside = np.zeros(y.shape, dtype=bool)
        for geometry in self.frame.geometry:
            shapely.prepare(geometry)
            inside |= shapely.intersects_xy(geometry, x, y)
        return inside


def select_submap(country_probabilities: Mapping[str, float], share: float = 0.95, buffer_km: float = 50.0) -> Submap:
    """Choose the fewest countries that together hold `share` of the belief, and widen their borders by `buffer_km`.

    Use it before searching references. Without any belief, or when it takes more than half of the world's countries
    to hold the share, the submap is the whole world, and `reason` says so.

    Raises:
        InputError: A probability is no number from 0 up, a country is unknown, `share` or `buffer_km` out of range.
    """
    _check(country_probabilities, share, buffer_km)
    total = sum(country_probabilities.values())
    if total <= 0.0:
        return _whole_world(buffer_km, "there is no belief about countries yet")
    chosen: dict[str, float] = {}
    for code, probability in sorted(country_probabilities.items(), key=lambda row: (-row[1], row[0])):
        if sum(chosen.values()) >= share - 1e-9 or probability <= 0.0:  # 1e-9: rounding of the sum
            break
        chosen[code] = probability / total
    if len(chosen) > MOST_COUNTRIES:
        return _whole_world(buffer_km, f"it takes {len(chosen)} countries to hold {share:.0%} of the belief")
    return Submap(tuple(chosen), min(sum(chosen.values()), 1.0), buffer_km, _frame(chosen, buffer_km))


def _check(country_probabilities: Mapping[str, float], share: float, buffer_km: float) -> None:
    if not 0.0 < share <= 1.0:
        raise InputError("a share of the belief above 0 and up to 1", str(share), "Use 0.95 for most purposes.")
    if not 0.0 <= buffer_km <= 1000.0:  # beyond, flat maps of the border's pieces are no longer true
        raise InputError("a buffer from 0 to 1000 km", str(buffer_km), "Use 50 for most purposes.")
    known = set(country_codes())
    for code, probability in country_probabilities.items():
        if code not in known:
            raise InputError("ISO 3166-1 alpha-2 codes of countries", repr(code), "Use codes such as DE.")
        if not (math.isfinite(probability) and probability >= 0.0):
            raise InputError(f"a probability for {code}", str(probability), "Give a number from 0 to 1.")


def _whole_world(buffer_km: float, why: str) -> Submap:
    import geopandas
    import shapely

    row = {"code": [None], "name": ["World"], "probability": [1.0]}
    frame = geopandas.GeoDataFrame(row, geometry=[shapely.box(-180, -90, 180, 90)], crs="EPSG:4326")
    return Submap((), 1.0, buffer_km, frame, reason=f"the whole world, because {why}")


def _frame(chosen: Mapping[str, float], buffer_km: float) -> GeoDataFrame:
    import geopandas

    columns = {
        "code": list(chosen),
        "name": [country_name(code) for code in chosen],
        "probability": list(chosen.values()),
    }
    shapes = [buffered_country(code, buffer_km) for code in chosen]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")


@lru_cache(maxsize=1)
def _shapes() -> dict[str, Any]:
    frame = load_countries()
    return dict(zip(frame["code"], frame.geometry, strict=True))


@lru_cache(maxsize=256)  # every country once, for the usual buffer
def buffered_country(code: str, buffer_km: float) -> Any:
    """Widen a country's polygon by a distance on the ground, cut at the date line; in degrees (lon, lat)."""
    import shapely

    country = _shapes()[code]
    if buffer_km == 0.0:
        return country
    strips = [buffered_line(piece, buffer_km) for piece in _border_pieces(country)]
    return shapely.union_all([country, *strips])


def _border_pieces(country: Any) -> list[Floats]:
    """Cut the rings of a polygon into lines of a few degrees, each (n, 2) in (lon, lat)."""
    import shapely

    pieces: list[Floats] = []
    for ring in shapely.get_rings(shapely.get_parts(shapely.segmentize(country, _EDGE_DEGREES))):
        points = shapely.get_coordinates(ring)
        steps = np.hypot(*np.diff(points, axis=0).T)
        chunk = (np.concatenate([[0.0], steps.cumsum()])[:-1] // _CHUNK_DEGREES).astype(int)
        first = np.flatnonzero(np.diff(chunk, prepend=-1))
        pieces.extend(points[a : b + 1] for a, b in zip(first, [*first[1:], len(points) - 1], strict=True))
    return pieces


def buffered_line(points: Floats, buffer_km: float) -> Any:
    """Widen a line of a few degrees, (n, 2) in (lon, lat), on an azimuthal equidistant map around its middle.

    A strip that would hold a pole is a cap of latitudes instead, which is somewhat larger.
    """
    import shapely

    reach = math.degrees(buffer_km / EARTH_RADIUS_KM)
    low, high = float(points[:, 1].min()) - reach, float(points[:, 1].max()) + reach
    if high >= 90.0 or low <= -90.0:
        return shapely.box(-180.0, max(low, -90.0), 180.0, min(high, 90.0))
    center = points[len(points) // 2]
    strip = shapely.buffer(shapely.linestrings(_to_map(points, center)), buffer_km)
    unrolled = shapely.transform(strip, lambda xy: _from_map(xy, center))
    world = shapely.box(-180.0, -90.0, 180.0, 90.0)
    sides = [shapely.transform(unrolled, lambda xy, by=by: xy + np.array([by, 0.0])) for by in (-360.0, 0.0, 360.0)]
    return shapely.union_all(shapely.intersection(sides, world))


def _to_map(points: Floats, center: Floats) -> Floats:
    """Project (lon, lat) to km east and north of a center: Snyder, Map Projections, equations 22-4 and 5-3."""
    phi, phi0 = np.radians(points[:, 1]), math.radians(center[1])
    lam = np.radians(points[:, 0] - center[0])
    x = np.cos(phi) * np.sin(lam)
    y = math.cos(phi0) * np.sin(phi) - math.sin(phi0) * np.cos(phi) * np.cos(lam)
    z = math.sin(phi0) * np.sin(phi) + math.cos(phi0) * np.cos(phi) * np.cos(lam)
    flat = np.hypot(x, y)
    scale = EARTH_RADIUS_KM * np.arctan2(flat, z) / np.maximum(flat, 1e-15)
    return np.stack([x * scale, y * scale], axis=1)


def _from_map(xy: Floats, center: Floats) -> Floats:
    """Bring km east and north of a center back to (lon, lat); longitudes run on beyond 180."""
    phi0 = math.radians(center[1])
    distance = np.maximum(np.hypot(xy[:, 0], xy[:, 1]), 1e-12)
    angle = distance / EARTH_RADIUS_KM
    north, east = xy[:, 1] / distance, xy[:, 0] / distance
    phi = np.arcsin(np.clip(np.cos(angle) * math.sin(phi0) + north * np.sin(angle) * math.cos(phi0), -1.0, 1.0))
    lam = np.arctan2(
        east * np.sin(angle), math.cos(phi0) * np.cos(angle) - north * math.sin(phi0) * np.sin(angle)
    )  # of the same sign as the way east, so continuous around the center
    return np.stack([np.degrees(lam) + center[0], np.degrees(phi)], axis=1)
