"""The countries of a map's window as shapes in pixels, as fine as the scale shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from geosleuth.agent.report.coarse_land import coarse_land
from geosleuth.agent.report.map_window import Window
from geosleuth.indexes.polygons import load_areas

_WIDE = 45.0  # degrees of longitude; wider maps take the coarse outlines, which are there at once
_FINE_PX = 0.7  # a bend of less is not seen
_SLIVER_PX = 8.0  # square pixels: smaller holes are gaps between divisions, not enclaves
_SPECK_PX = 0.3  # square pixels of the smallest island that is drawn
_POLYGONAL = (3, 6)  # shapely's numbers of Polygon and MultiPolygon
_BEYOND_PX = 6.0  # shapes end so far outside of the picture: their cut edges are not seen


@lru_cache(maxsize=8)  # a report draws its map twice, light and dark; a case draws every answer
def countries_of(window: Window) -> Mapping[str, Any]:
    """Return the land of each country inside the window: shapely geometries in pixels, by code, the largest first.

    Near by, it is Natural Earth's divisions, put together again.
    """
    if window.east - window.west > _WIDE:
        shapes = _joined(*coarse_land(), window)
    else:
        fine = load_areas("divisions")
        shapes = _joined(fine.polygons, np.asarray([code[:2] for code in fine.codes])[fine.owner], window)
    ordered = sorted(shapes.items(), key=lambda one: (-float(one[1].area), one[0]))  # enclaves over what is around them
    return MappingProxyType(dict(ordered))


def waters_of(window: Window) -> dict[str, Any]:
    """Return the rough outlines, coastal water included, of countries whose coast no shipped table has.

    These are Antarctica and small islands without divisions; maps of continents leave them out.
    """
    if window.east - window.west > _WIDE:
        return {}
    coarse = load_areas("countries")
    divided = {code[:2] for code in load_areas("divisions").codes}
    codes = np.asarray(coarse.codes)[coarse.owner]
    alone = ~np.isin(codes, sorted(divided))
    return _joined(coarse.polygons[alone], codes[alone], window)


def _joined(polygons: Any, codes: Any, window: Window) -> dict[str, Any]:
    import shapely

    found: dict[str, list[Any]] = {}
    bounds = shapely.bounds(polygons)
    beyond = _BEYOND_PX / window.px_per_lon
    for turn in (-360.0, 0.0, 360.0):  # the window's longitudes run on beyond the date line
        west, east = window.west - turn - beyond, window.east - turn + beyond
        seen = (bounds[:, 2] > west) & (bounds[:, 0] < east)
        seen &= (bounds[:, 3] > window.south) & (bounds[:, 1] < window.north)
        if not seen.any():
            continue
        cut = shapely.clip_by_rect(polygons[seen], west, window.south - beyond, east, window.north + beyond)
        whole = np.isin(shapely.get_type_id(cut), _POLYGONAL) & ~shapely.is_empty(cut)
        moved = shapely.transform(cut[whole], lambda xy, by=turn: window.pixels(xy + np.array([by, 0.0])))
        drawn = shapely.coverage_simplify(moved, _FINE_PX)  # neighbours keep one border, without gaps
        for code, shape in zip(codes[seen][whole].tolist(), drawn, strict=True):
            if not shape.is_empty:
                found.setdefault(code, []).append(shape)
    # Both sources have borders that cross themselves: they are mended before they are put together.
    joined = {code: _cleaned(shapely.union_all(shapely.make_valid(np.asarray(parts)))) for code, parts in found.items()}
    return {code: shape for code, shape in joined.items() if not shape.is_empty}


def _cleaned(shape: Any) -> Any:
    """Leave out specks, and the gaps that two drawings of one border leave."""
    import shapely

    polygons = [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon" and one.area >= _SPECK_PX]
    holes = [[ring for ring in one.interiors if shapely.Polygon(ring).area > _SLIVER_PX] for one in polygons]
    return shapely.MultiPolygon(
        [shapely.Polygon(one.exterior, kept) for one, kept in zip(polygons, holes, strict=True)]
    )
