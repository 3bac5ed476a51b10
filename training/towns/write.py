"""Towns on disk, in the forms of the real data sets: `write_towns`.

Synthetic: every town, street, sign and picture is invented; only positions and country codes are of this Earth.

The folder holds one data set a layout, `towns.json` with the settings, and in `.towns` a marker for each town that
is done. The same command goes on where an earlier one stopped. What is written depends on the settings alone, not on
how many processes draw.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from geosleuth.training.towns.crew import draw_all
from geosleuth.training.towns.draw_town import TownDone, marker
from geosleuth.training.towns.layouts.by_name import layouts_of
from geosleuth.training.towns.listings import TextCounts, begun, finish, gaps, read_done, text_counts
from geosleuth.training.towns.shots import Layout
from geosleuth.training.towns.world import World, checked_world


@dataclass(frozen=True, slots=True)
class TownsProgress:
    """A moment of the writing."""

    done: int  # towns, those of earlier runs too
    towns: int
    pairs: int  # queries that this run has drawn
    seconds: float


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """What was written."""

    out: Path
    towns: int
    resumed: int  # of them were drawn by an earlier run
    pictures: int  # in all data sets, copies not counted
    pairs: dict[str, int]  # queries, by data set
    texts: dict[str, TextCounts]  # by data set: how many can be read of those drawn with text
    gaps: tuple[str, ...]  # splits that got no query, in words
    seconds: float  # of this run
    pairs_per_s: float | None  # of what this run drew; None where it drew nothing


def write_towns(
    out: Path,
    *,
    layouts: Sequence[str],
    towns: int,
    places: int,
    seed: int = 0,
    difficulty: float = 0.5,
    side_m: float = 512.0,
    satellite_px: int = 128,
    panorama_px: tuple[int, int] = (64, 256),
    drone_px: int = 128,
    street_px: tuple[int, int] = (96, 128),
    drone_views: int = 6,
    street_views: int = 2,
    queries: int = 4,
    tile_format: Literal["png", "jpg"] = "png",
    labels: bool = True,
    processes: int | None = None,
    on_progress: Callable[[TownsProgress], None] = lambda _: None,
) -> WrittenReport:
    """Draw invented towns and write them as data sets, `out/<layout>/`; the settings are explained in `World`.

    Args:
        out: The folder; made where it is missing.
        layouts: Names of `LAYOUTS`.
        towns: How many.
        places: Of each town and layout, at most.
        seed: Of the world; towns of two seeds are different.
        difficulty: 0 to 1.
        side_m: Of a town.
        satellite_px: Side of tiles and maps.
        panorama_px: Height, width.
        drone_px: Side.
        street_px: Height, width.
        drone_views: Of a building, for university1652.
        street_views: The same.
        queries: Of a cell, for setvl, night and infrared.
        tile_format: Of VIGOR's tiles.
        labels: With masks and lists of objects.
        processes: None: one for each core that this process may use.
        on_progress: Is told whenever a town is done.

    Raises:
        InputError: A setting is out of range, the folder holds something else or cannot be written, or a process died.
    """
    world = checked_world(
        layouts=tuple(layouts), towns=towns, places=places, seed=seed, difficulty=difficulty, side_m=side_m,
        satellite_px=satellite_px, panorama_px=panorama_px, drone_px=drone_px, street_px=street_px,
        drone_views=drone_views, street_views=street_views, queries=queries, tile_format=tile_format, labels=labels,
    )  # fmt: skip
    forms = layouts_of(world)
    for form in forms:
        if form.check:
            form.check()
    with begun(out, world):
        return _written(out, world, forms, processes, on_progress)


def _written(
    out: Path, world: World, forms: Sequence[Layout], processes: int | None, tell: Callable[[TownsProgress], None]
) -> WrittenReport:
    started = time.monotonic()
    missing = [index for index in range(world.towns) if not marker(out, index).exists()]
    fresh = _Fresh(world.towns, world.towns - len(missing), started, tell)
    with contextlib.closing(draw_all(out, missing, world, _processes(processes))) as drawn:
        for index in drawn:
            fresh.add(read_done(out, index))
    done = finish(out, world, forms)
    pairs = {name: sum(one.parts[name].pairs for one in done) for name in world.layouts}
    pictures = sum(part.pictures for one in done for part in one.parts.values())
    seconds = time.monotonic() - started
    return WrittenReport(
        out=out,
        towns=world.towns,
        resumed=world.towns - len(missing),
        pictures=pictures,
        pairs=pairs,
        texts={name: text_counts(done, name) for name in world.layouts},
        gaps=tuple(gap for form in forms for gap in gaps(done, form, world)),
        seconds=seconds,
        pairs_per_s=fresh.pairs / seconds if missing else None,
    )


class _Fresh:
    """Counts what this run draws."""

    def __init__(self, towns: int, done: int, started: float, tell: Callable[[TownsProgress], Any]) -> None:
        self._towns, self._done, self._started, self._tell = towns, done, started, tell
        self.pairs = 0
        self._say()

    def add(self, town: TownDone) -> None:
        self._done += 1
        self.pairs += sum(part.pairs for part in town.parts.values())
        self._say()

    def _say(self) -> None:
        self._tell(TownsProgress(self._done, self._towns, self.pairs, time.monotonic() - self._started))


def _processes(wanted: int | None) -> int:
    if wanted is not None:
        return max(1, wanted)
    if hasattr(os, "sched_getaffinity"):  # Linux: a container may be given fewer cores than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
