"""CVACT's form, as it is unpacked for training: pairs of a panorama and a tile around it, told apart by a MATLAB file.

`utm` holds easting and northing in each town's own zone, as the real set has them for Canberra's zone 55 south; the
variable `utmZone`, which the real file lacks, names it (32 north, -55 south).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.towns.layouts.centred import centred_places
from geosleuth.training.towns.shots import About, Layout, Shot, TownPlan, panorama_shot, satellite_shot
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.world import World

if TYPE_CHECKING:
    from pyproj import Transformer

TILE_M = 144.0  # 1200 px of 0.12 m: Google's zoom 20 at Canberra's latitude
FILE = "ACT_data.mat"
_FOLDER = "ANU_data_small"  # of the pictures
_HEADER_BYTES = 116  # of text, at the beginning of a MATLAB file; scipy writes the time of day there
_PAIRS = "pairs"  # a line for each: id, easting, northing, zone, split
_SALT = 4
README = """Pairs of invented towns; none lies in Canberra. Form: CVACT (Liu and Li, CVPR 2019). ACT_data.mat has one
variable more than the real one: utmZone, the zone of each pair's easting and northing (negative in the south)."""


def plan(town: Town, index: int, world: World) -> TownPlan:
    """Say which pictures a town gives, and what the MATLAB file says of them."""
    lines: list[str] = []
    shots: list[Shot] = []
    for one in centred_places(town, index, world, tile_m=TILE_M, salt=_SALT):
        name, split = f"town{one.number:018d}", "val" if one.held_out else "train"  # 22 letters, as Google's
        tile, seen = f"{_FOLDER}/satview_polish/{name}_satView_polish.jpg", f"{_FOLDER}/streetview/{name}_grdView.jpg"
        shots.append(satellite_shot(town, world, About(tile, name, split), one.place, TILE_M))
        shots.append(panorama_shot(town, world, About(seen, name, split), one.place, readable=one.readable))
        east_m, north_m, zone = utm(town.position(one.place.x_m, one.place.y_m))
        lines.append(f"{name} {east_m:.3f} {north_m:.3f} {zone} {split}")
    return TownPlan(shots, {_PAIRS: lines})


def utm(position: LatLon) -> tuple[float, float, int]:
    """Return easting, northing and zone, which is negative south of the equator."""
    zone = int((position.lon + 180.0) // 6.0) % 60 + 1
    east_m, north_m = _projection(zone, position.lat < 0).transform(position.lon, position.lat)
    return east_m, north_m, -zone if position.lat < 0 else zone


@cache
def _projection(zone: int, south: bool) -> Transformer:
    from pyproj import Transformer

    return Transformer.from_crs(4326, (32700 if south else 32600) + zone, always_xy=True)


def _write_mat(root: Path, lists: Mapping[str, list[str]]) -> None:
    scipy_io = _scipy_io()
    rows = [line.split() for line in lists.get(_PAIRS, [])]
    parts = {
        split: np.array([[i] for i, row in enumerate(rows, start=1) if row[4] == split], np.int32).reshape(-1, 1)
        for split in ("train", "val")
    }
    table: dict[str, object] = {
        "panoIds": np.array([row[0] for row in rows]),
        "utm": np.array([row[1:3] for row in rows], np.float64).reshape(-1, 2),
        "utmZone": np.array([row[3:4] for row in rows], np.float64).reshape(-1, 1),
    }
    for split, indexes in parts.items():
        # Readers take the indexes by name, or as the second field: `trainSet[0][0][1]`. The first counts them.
        table[f"{split}Set"] = {f"{split}Num": float(len(indexes)), f"{split}Ind": indexes}
    content = io.BytesIO()
    scipy_io.savemat(content, table)
    header = b"MATLAB 5.0 MAT-file, written by geosleuth: invented towns".ljust(_HEADER_BYTES)
    with appearing(root / FILE) as scratch:
        scratch.write_bytes(header + content.getvalue()[_HEADER_BYTES:])


def _scipy_io() -> ModuleType:
    """Import what writes MATLAB files.

    Raises:
        InputError: SciPy is not installed.
    """
    try:
        import scipy.io
    except ImportError as error:
        wanted = "SciPy, which writes CVACT's MATLAB file"
        found = f"none that can be imported ({error})"
        raise InputError(wanted, found, "Run `pip install 'geosleuth[train]'`, or leave cvact out.") from error
    module: ModuleType = scipy.io
    return module


def _check() -> None:
    _scipy_io()


LAYOUT = Layout("cvact", plan, README, ("train", "val"), check=_check, finish=_write_mat)
