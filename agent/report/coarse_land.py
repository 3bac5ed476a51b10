"""The land of every country, coarse enough for maps of a continent: made once of the divisions, and shipped.

Putting 770,000 corners together takes seconds, which no report should wait for. After a new `divisions.npz`, call
`make()` and write its bytes into data/coarse_land.npz; a test compares the two.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.polygons import load_areas

_TOLERANCE_DEG = 0.06  # half a pixel of a map 90 degrees wide
_LEAST_DEG2 = (
    0.01  # 120 km2 at the equator: smaller islands are below a pixel there, and kept where a country has no more
)
_LATTICE = 100  # corners per degree: 1 km


def make() -> bytes:
    """Put the divisions of each country together, and keep the corners that a coarse map shows."""
    import shapely

    fine = load_areas("divisions")
    owner = np.asarray([code[:2] for code in fine.codes])[fine.owner]
    polygons, codes = [], []
    for code in sorted(set(owner.tolist())):
        united = shapely.union_all(shapely.make_valid(fine.polygons[owner == code]))
        kept = [part for part in shapely.get_parts(united) if part.area >= _LEAST_DEG2]
        for part in kept or [max(shapely.get_parts(united), key=lambda one: one.area)]:
            drawn = shapely.simplify(shapely.Polygon(part.exterior), _TOLERANCE_DEG)
            polygons.append(drawn if drawn.geom_type == "Polygon" else part.envelope)
            codes.append(code)
    rings = [shapely.get_coordinates(polygon) for polygon in polygons]
    lattice = np.rint(np.concatenate(rings) * _LATTICE).astype(np.int16)
    stream = io.BytesIO()
    np.savez_compressed(stream, corners=lattice, counts=np.asarray([len(ring) for ring in rings]), codes=codes)
    return stream.getvalue()


@cache
def coarse_land() -> tuple[Any, NDArray[np.str_]]:
    """Return polygons in degrees and the country of each; enclaves lie over the country around them, by order."""
    import shapely

    with files("geosleuth.agent.report").joinpath("data/coarse_land.npz").open("rb") as stream:
        table = np.load(stream, allow_pickle=False)
        corners, counts, codes = table["corners"] / _LATTICE, table["counts"], table["codes"]
    ends = np.cumsum(counts)[:-1]
    polygons = np.asarray([shapely.Polygon(ring) for ring in np.split(corners, ends)], dtype=object)
    return polygons, codes
