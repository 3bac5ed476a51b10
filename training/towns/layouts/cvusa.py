"""CVUSA's form: numbered pairs of a panorama, its middle to the north, and a tile around it.

A real panorama is cut to 65 degrees of height; these show the whole sphere. The third column of the lists, which in the
real set names a segmentation, names our mask of the same panorama. `split_locations/all.csv` has the pairs' positions,
that of the tile and that of the panorama, in the line of their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from geosleuth.indexes.whole_file import appearing
from geosleuth.training.towns.layouts.centred import centred_places
from geosleuth.training.towns.shots import About, Layout, Shot, TownPlan, panorama_shot, satellite_shot
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.world import World

TILE_M = 144.0  # 750 px of Bing's zoom 19 are some 170 m at 40 degrees; less, so that small towns hold several
_SALT = 3
_LISTS = {"train": "splits/train-19zl.csv", "val": "splits/val-19zl.csv"}
_LOCATIONS = "split_locations/all.csv"
_NUMBERED = "locations"  # a line for each pair: number, from 0, and two positions
README = """Pairs of invented towns; none lies in the USA but by chance. Form: CVUSA (Workman et al., ICCV 2015; subset
of Zhai et al., CVPR 2017). Panoramas show the whole sphere; the lists' third column names masks of ADE20K's classes."""


def plan(town: Town, index: int, world: World) -> TownPlan:
    """Say which pictures a town gives, and the lines of the lists."""
    lists: dict[str, list[str]] = {file: [] for file in (*_LISTS.values(), _NUMBERED)}
    shots: list[Shot] = []
    for one in centred_places(town, index, world, tile_m=TILE_M, salt=_SALT):
        name, split = f"{one.number + 1:07d}", "val" if one.held_out else "train"
        tile, seen = f"bingmap/19/{name}.jpg", f"streetview/panos/{name}.jpg"
        shots.append(satellite_shot(town, world, About(tile, name, split), one.place, TILE_M))
        shots.append(panorama_shot(town, world, About(seen, name, split), one.place, readable=one.readable))
        lists[_LISTS[split]].append(f"{tile},{seen},labels/streetview/panos/{name}.png")
        at = town.position(one.place.x_m, one.place.y_m)
        here = f"{at.lat:.7f},{at.lon:.7f}"
        lists[_NUMBERED].append(f"{one.number} {here},{here}")
    return TownPlan(shots, lists)


def _write_locations(root: Path, lists: Mapping[str, list[str]]) -> None:
    """Put each position into its line; numbers that a small town left unused have an empty one."""
    rows = dict(line.split(" ", 1) for line in lists.get(_NUMBERED, []))
    last = max((int(number) for number in rows), default=-1)
    path = root / _LOCATIONS
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path) as scratch:
        scratch.write_text("".join(f"{rows.get(str(i), ',,,')}\n" for i in range(last + 1)), encoding="utf-8")


LAYOUT = Layout("cvusa", plan, README, ("train", "val"), lists=tuple(_LISTS.values()), finish=_write_locations)
