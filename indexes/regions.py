"""Countries and first-level divisions as polygons: which of them holds a point.

Countries are those of country-coder, which include coastal water (22 km and more, drawn in rough lines), by ISO 3166-1:
territories with a code of their own (Puerto Rico, Hong Kong, Reunion, Svalbard) are that code. Disputed areas go to the
country under which ISO 3166-2 and GeoNames list them: Crimea is UA, Northern Cyprus CY, Western Sahara (all south of
27 40 N) EH, Akrotiri and Dhekelia GB; Kosovo is XK, Taiwan TW. Divisions are Natural Earth's 1:10 million, by ISO
3166-2; in France, Italy, Spain and the United Kingdom they are the smaller ones (departments, provinces, counties).
"""

from __future__ import annotations

from functools import cache, cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geosleuth.indexes.geodesy import Floats, distance_km, wrap_lon
from geosleuth.indexes.polygons import Areas, load_areas

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

NEAR_COAST_KM = 44.0  # 24 nautical miles: the contiguous zone, the farthest water where a coast's law applies
COASTAL_WATER_KM = 22.2  # 12 nautical miles: the territorial sea, which country-coder's polygons include
_KM_PER_DEGREE = 111.195  # of latitude, on the sphere of geodesy.EARTH_RADIUS_KM
_EDGE = 1.0  # degrees of the date line within which polygons are met from both sides; above NEAR_COAST_KM at 66 N

Codes = NDArray[np.object_]
Indices = NDArray[np.int64]


class RegionIndex:
    """Polygons in a tree, with copies beyond the date line, so that neighbours across it are neighbours."""

    def __init__(self, areas: Areas) -> None:
        import shapely

        bounds = shapely.bounds(areas.polygons)
        east, west = bounds[:, 2] > 180.0 - _EDGE, bounds[:, 0] < -180.0 + _EDGE
        copies = [areas.polygons]
        for chosen, shift in ((east, -360.0), (west, 360.0)):
            moved = shapely.transform(areas.polygons[chosen], lambda xy, by=shift: xy + np.array([by, 0.0]))
            copies.append(moved)
        self.codes = np.asarray((*areas.codes, None), dtype=object)  # index -1 is None: no area
        self.polygons = np.concatenate(copies)
        self.owner = np.concatenate([areas.owner, areas.owner[east], areas.owner[west]])
        shapely.prepare(self.polygons)
        self._tree = shapely.STRtree(self.polygons)

    def holding(self, lats: Floats, lons: Floats) -> tuple[Indices, Indices]:
        """Pair points with the areas that hold them: arrays of point indices and of area indices."""
        import shapely

        point, polygon = self._tree.query(shapely.points(lons, lats))  # by bounding box
        order = np.argsort(polygon, kind="stable")
        point, polygon = point[order], polygon[order]
        inside = np.zeros(len(point), dtype=bool)
        starts = np.flatnonzero(np.diff(polygon, prepend=-1))
        for start, stop in pairwise([*starts.tolist(), len(point)]):
            rows = point[start:stop]  # one prepared polygon at a time
            inside[start:stop] = shapely.intersects_xy(self.polygons[polygon[start]], lons[rows], lats[rows])
        return point[inside], self.owner[polygon[inside]]

    def nearest(self, lats: Floats, lons: Floats, within_km: float, countries: Codes | None = None) -> Indices:
        """Return the nearest area of each point within a distance, -1 where there is none.

        With `countries` only areas of each point's country count. The nearest point of a polygon is sought in plain
        degrees, then measured in km: at high latitudes a distance may come out too long by some km, never too short.
        """
        import shapely

        height = within_km / _KM_PER_DEGREE
        width = np.minimum(height / np.maximum(np.cos(np.radians(lats)), 0.05), 180.0)
        boxes = shapely.box(lons - width, lats - height, lons + width, lats + height)
        point, polygon = self._tree.query(boxes)
        if countries is not None:
            same = self.countries[self.owner[polygon]] == countries[point]
            point, polygon = point[same], polygon[same]
        lines = shapely.shortest_line(shapely.points(lons[point], lats[point]), self.polygons[polygon])
        ends = shapely.get_coordinates(shapely.get_point(lines, 1))
        km = distance_km(lats[point], lons[point], ends[:, 1], ends[:, 0])
        order = np.lexsort((km, point))
        order = order[km[order] <= within_km]
        first = order[np.flatnonzero(np.diff(point[order], prepend=-1))]
        found = np.full(len(lats), -1, dtype=np.int64)
        found[point[first]] = self.owner[polygon[first]]
        return found

    @cached_property
    def countries(self) -> Codes:
        """The country of each area: the first two letters of DE and of DE-BY."""
        return np.asarray([code[:2] for code in self.codes[:-1]], dtype=object)


@cache
def _countries() -> RegionIndex:
    return RegionIndex(load_areas("countries"))


@cache
def _divisions() -> RegionIndex:
    return RegionIndex(load_areas("divisions"))


def _positions(lats: ArrayLike, lons: ArrayLike) -> tuple[Floats, Floats]:
    return np.atleast_1d(np.asarray(lats, dtype=np.float64)), np.atleast_1d(wrap_lon(lons))


def countries_at(lats: ArrayLike, lons: ArrayLike) -> Codes:
    """Return the ISO 3166-1 code of each point, None on the open ocean; arrays of shape (n,).

    A point at sea gets the nearest country within 44 km. Where two polygons meet, the first by code wins.
    """
    y, x = _positions(lats, lons)
    index = _countries()
    area = np.full(len(y), -1, dtype=np.int64)
    point, owner = index.holding(y, x)
    order = np.lexsort((-owner, point))
    area[point[order]] = owner[order]
    lost = np.flatnonzero((area < 0) & np.isfinite(y) & np.isfinite(x))
    area[lost] = index.nearest(y[lost], x[lost], NEAR_COAST_KM)
    return index.codes[area]


def country_at(lat: float, lon: float) -> str | None:
    """Return the ISO 3166-1 code of the country at a point, or nearest within 44 km at sea; None on the open ocean."""
    code: str | None = countries_at(lat, lon)[0]
    return code


def divisions_at(lats: ArrayLike, lons: ArrayLike) -> Codes:
    """Return the ISO 3166-2 code of each point, shape (n,); None at sea and in countries without divisions.

    The division is of the country that `countries_at` names: the one that holds the point, else that country's nearest
    one within 66 km (coastal water and the distance above), since coasts and borders of the two sources differ.
    """
    y, x = _positions(lats, lons)
    index = _divisions()
    countries = countries_at(y, x)
    area = np.full(len(y), -1, dtype=np.int64)
    point, owner = index.holding(y, x)
    same = index.countries[owner] == countries[point]
    area[point[same]] = owner[same]
    lost = np.flatnonzero((area < 0) & np.asarray([code is not None for code in countries], dtype=bool))
    area[lost] = index.nearest(y[lost], x[lost], NEAR_COAST_KM + COASTAL_WATER_KM, countries[lost])
    return index.codes[area]


def division_at(lat: float, lon: float) -> str | None:
    """Return the ISO 3166-2 code of the first-level division at a point; None at sea and where there is none."""
    code: str | None = divisions_at(lat, lon)[0]
    return code


def _frame(areas: Areas) -> GeoDataFrame:
    import geopandas
    import shapely

    united: Any = shapely.multipolygons(areas.polygons, indices=areas.owner)
    return geopandas.GeoDataFrame({"code": areas.codes, "name": areas.names}, geometry=united, crs="EPSG:4326")


def load_countries() -> GeoDataFrame:
    """Load the countries, coastal water included: columns code (ISO 3166-1), name, geometry."""
    return _frame(load_areas("countries"))


def load_divisions() -> GeoDataFrame:
    """Load the divisions, land only: columns code (ISO 3166-2), name, country, geometry."""
    frame = _frame(load_areas("divisions"))
    frame.insert(2, "country", frame["code"].str[:2])
    return frame
