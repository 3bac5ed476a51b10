"""Polygons packed into a few hundred kB: points on a 1e-5 degree lattice, stored as differences, deflated by numpy.

GeoJSON of the same borders is ten times as large, and GeoParquet needs pyarrow, which takes longer to import than all
borders to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SCALE = 100_000  # steps per degree; 1.1 m, the resolution of country-coder's file


class Areas(NamedTuple):
    """Named areas; area i has the polygons whose `owner` is i."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: NDArray[Any]  # shapely Polygons, (lon, lat)
    owner: NDArray[np.int64]


def save_areas(path: Path, codes: Sequence[str], names: Sequence[str], geometries: Sequence[Any], scale: int) -> None:
    """Write (multi)polygons that stay inside longitudes -180 to 180, rounded to 1 / `scale` degrees."""
    import shapely

    parts, owner = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
    _, coordinates, (rings, polygons) = shapely.to_ragged_array(parts)
    lattice = np.rint(coordinates * scale).astype(np.int32)
    deltas = np.diff(lattice, axis=0, prepend=np.zeros((1, 2), dtype=np.int32))
    np.savez_compressed(
        path,
        codes=np.asarray(codes, dtype=np.str_),
        names=np.asarray(names, dtype=np.str_),
        scale=np.int64(scale),
        x=deltas[:, 0],  # apart: equal bytes lie together and deflate better
        y=deltas[:, 1],
        rings=np.diff(rings).astype(np.int32),
        polygons=np.diff(polygons).astype(np.int32),
        owner=owner.astype(np.int32),
    )


def load_areas(name: str) -> Areas:
    """Read the shipped areas of that name: "countries" or "divisions"."""
    import shapely

    with files("geosleuth.indexes").joinpath(f"data/{name}.npz").open("rb") as stream:
        table = np.load(stream, allow_pickle=False)
        packed = {key: table[key] for key in table.files}
    lattice = np.stack([packed["x"], packed["y"]], axis=1).cumsum(axis=0, dtype=np.int64)
    offsets = tuple(np.concatenate([[0], packed[key].cumsum()]).astype(np.int64) for key in ("rings", "polygons"))
    polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, lattice / int(packed["scale"]), offsets)
    return Areas(
        tuple(packed["codes"].tolist()), tuple(packed["names"].tolist()), polygons, packed["owner"].astype(int)
    )
