"""Countries as a browser can draw them: small, in common borders, cut at the date line, made once a process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.polygons import Areas, load_areas
from geosleuth.indexes.regions import Codes

if TYPE_CHECKING:
    from geosleuth.ui.view.map_view import Bounds

_COARSE_DEG = 0.1  # 640 kB of GeoJSON; 0.03 would be 1.9 MB, for coasts that a map of the world cannot show
_DIGITS = 2  # decimals: a tenth of the tolerance
_MERCATOR_LAT = 85.0  # the projection has no poles
_FINE_SPAN_DEG = 12.0  # below this width the coarse coast is visibly wrong, and a true one is small enough to send
_FINE_STEPS = 800  # tolerance of the fine borders, in parts of the view: about a pixel
_AROUND = 1.5  # how many times the view's width is drawn finely on each side, for those who move the map


# Without divisions, a country's outline holds its coastal water too. These hug their land (GeoNames gives at least a
# fifth of the outline's area as land); the others (French Polynesia, Svalbard) are mostly sea, and are drawn as lines.
_HUGGING = frozenset({"EH", "GF", "HK", "PR", "XK"})

Features = list[dict[str, Any]]


class Land(NamedTuple):
    """GeoJSON features, from the lowest to the highest."""

    world: Features
    sea: Features  # covers the coarse land where there is a finer one
    detail: Features
    waters: Features  # outlines to be drawn as lines: islands with the sea around them


def land(bounds: Bounds) -> Land:
    """Return countries of the world, and first-level divisions in a small view."""
    west, south, east, north = bounds
    if east - west > _FINE_SPAN_DEG or north - south > _FINE_SPAN_DEG:
        return Land(world(), [], [], [])  # around islands, the lines would be the largest thing in sight
    wide, high = _AROUND * max(east - west, 0.2), _AROUND * max(north - south, 0.2)
    box = (west - wide, max(south - high, -_MERCATOR_LAT), east + wide, min(north + high, _MERCATOR_LAT))
    sea, detail = [], []
    for shift in (-360.0, 0.0, 360.0):  # of the view beyond the date line, and of the land there
        left, right = max(box[0] + shift, -180.0), min(box[2] + shift, 180.0)
        if left < right:
            part = (left, box[1], right, box[3])
            sea.append(_box(part))
            detail += _detail(part, (box[2] - box[0]) / _FINE_STEPS)
    return Land(world(), sea, detail, waters())


@cache
def world() -> Features:
    """Return the land of every country that has one to draw. Takes about a second, once."""
    import shapely

    divisions = load_areas("divisions")
    owners = _countries_of(divisions)
    codes = sorted(set(owners))
    united = np.array([shapely.coverage_union_all(divisions.polygons[owners == code]) for code in codes])
    shapes = dict(zip(codes, shapely.coverage_simplify(united, _COARSE_DEG), strict=True)) | _undivided()
    return [
        _feature(shape, country_name(code), _DIGITS)
        for code, shape in shapes.items()
        if code in owners or code in _HUGGING
    ]


@cache
def waters() -> Features:
    """Return the outlines of islands whose land nobody ships: with the sea around them."""
    return [
        _feature(shape, f"{country_name(code)}, with its waters", _DIGITS)
        for code, shape in _undivided().items()
        if code not in _HUGGING and code != "AQ"  # a line around the world at 60 S would say nothing
    ]


@cache
def _undivided() -> dict[str, Any]:
    """The outlines of countries without divisions."""
    import shapely

    divided = set(_countries_of(load_areas("divisions")))
    countries = load_areas("countries")
    return {
        code: shapely.multipolygons(countries.polygons[countries.owner == i])
        for i, code in enumerate(countries.codes)
        if code not in divided
    }


def _detail(part: Bounds, tolerance_deg: float) -> Features:
    import shapely

    divisions = load_areas("divisions")
    names = [f"{divisions.names[i]}, {country_name(divisions.codes[i][:2])}" for i in range(len(divisions.codes))]
    whole = {code: shape for code, shape in _undivided().items() if code in _HUGGING}
    shapes = np.array([*divisions.polygons, *whole.values()], dtype=object)
    named = [names[i] for i in divisions.owner] + [country_name(code) for code in whole]
    near = np.flatnonzero(shapely.intersects(shapes, shapely.box(*part)))
    clipped = shapely.simplify(shapely.clip_by_rect(shapes[near], *part), tolerance_deg)
    return [
        _feature(shape, named[i], 4)
        for shape, i in zip(clipped, near, strict=True)
        if shape.geom_type in ("Polygon", "MultiPolygon") and not shape.is_empty  # a touched edge is a line
    ]


def _countries_of(divisions: Areas) -> Codes:
    return np.asarray([divisions.codes[owner][:2] for owner in divisions.owner], dtype=object)


def _feature(shape: Any, name: str, digits: int) -> dict[str, Any]:
    import shapely

    clipped = shapely.clip_by_rect(shape, -180.0, -_MERCATOR_LAT, 180.0, _MERCATOR_LAT)
    geometry = shapely.set_precision(clipped, 10.0**-digits).__geo_interface__
    return {"type": "Feature", "geometry": _rounded(geometry, digits), "properties": {"name": name}}


def _rounded(geometry: Any, digits: int) -> dict[str, Any]:
    """Lattice points as the shortest decimals: 0.1 + 0.2 would be sent with 17 digits."""

    def short(node: Any) -> Any:
        return round(node, digits) if isinstance(node, float) else [short(part) for part in node]

    return {"type": geometry["type"], "coordinates": short(geometry["coordinates"])}


def _box(part: Bounds) -> dict[str, Any]:
    import shapely

    return _feature(shapely.box(*part), "Sea", 4)
