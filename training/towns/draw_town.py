"""One town, drawn and written in all the forms that are wanted; then the marker that it is done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.towns.language.scene_facts import scene_facts
from geosleuth.training.towns.layouts.by_name import layouts_of
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.picture_files import PictureFiles
from geosleuth.training.towns.shots import Layout, Shot
from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.world import World

logger = logging.getLogger(__name__)

MARKERS = ".towns"  # folder of the markers
PLACES_HEADER = (
    "file", "view", "modality", "lat", "lon", "heading_deg", "country", "town_seed", "place_id", "readable_text",
    "split",
)  # fmt: skip
GALLERY_HEADER = ("file", "lat", "lon", "view", "extent_m", "heading_deg")


class PartDone(BaseModel):
    """What a town gave to one data set."""

    lists: dict[str, list[str]]
    places: list[list[str]]  # rows of places.csv
    gallery: list[list[str]]  # rows of gallery.csv
    pictures: int  # copies not counted
    pairs: int  # queries
    with_text: int = 0  # pictures whose signs or streets were given text
    readable: int = 0  # of them, those in which a text can be read


class TownDone(BaseModel):
    """What a marker says."""

    seed: int
    country: str
    lat: float
    lon: float
    parts: dict[str, PartDone]


class StoppedError(Exception):
    """The user has interrupted the run."""


def marker(out: Path, index: int) -> Path:
    """Return the path of a town's marker."""
    return out / MARKERS / f"{index:06d}.json"


def draw_town(out: Path, index: int, world: World, stopped: Callable[[], bool] = lambda: False) -> None:
    """Draw a town, write its pictures and, when all are on the disk, its marker.

    Raises:
        StoppedError: `stopped` became true; what was written so far is whole, and is written again by the next run.
        InputError: The disk takes no more.
    """
    town = build_town(world.town_seed(index), side_m=world.side_m, difficulty=world.difficulty)
    try:
        parts = {layout.name: _draw_part(out, town, index, world, layout, stopped) for layout in layouts_of(world)}
        at = town.position(town.side_m / 2, town.side_m / 2)
        done = TownDone(seed=town.seed, country=town.style.country, lat=at.lat, lon=at.lon, parts=parts)
        with appearing(marker(out, index)) as scratch:
            scratch.write_text(done.model_dump_json(), encoding="utf-8")
    except OSError as error:
        found = f"{out}: {error.strerror or error}"
        raise InputError(
            "a folder to write towns to", found, "Free space or name another; the same command goes on."
        ) from error


def _draw_part(
    out: Path, town: Town, index: int, world: World, layout: Layout, stopped: Callable[[], bool]
) -> PartDone:
    planned = layout.plan(town, index, world)
    files = PictureFiles(out / layout.name)
    done = PartDone(lists={}, places=[], gallery=[], pictures=0, pairs=0)
    lists = {file: list(lines) for file, lines in planned.lists.items()}
    for shot in planned.shots:
        if stopped():
            raise StoppedError
        facts = _write_shot(files, town, world, shot, lists)
        done.places += [_place_row(file, facts) for file in (shot.about.file, *shot.about.copies)]
        if shot.view == "satellite":
            done.gallery.append(_gallery_row(town, shot))
        done.pictures += 1
        done.pairs += shot.role == "query"
        done.with_text += shot.with_text
        done.readable += bool(shot.with_text and facts["readable_text"])
    files.flush()
    done.lists.update(lists)
    return done


def _write_shot(
    files: PictureFiles, town: Town, world: World, shot: Shot, lists: dict[str, list[str]]
) -> dict[str, object]:
    """Write a picture and what goes with it, and return what is said of it."""
    rendered = shot.take()
    facts = _facts(town, shot, rendered)
    for file, lines in (shot.lines(rendered) if shot.lines else {}).items():
        lists.setdefault(file, []).extend(lines)
    for file in (shot.about.file, *shot.about.copies):
        files.picture(file, rendered)
        if world.labels:
            files.mask(f"labels/{file}", rendered)
            files.objects(f"objects/{file}", rendered, {"file": file, **facts, "scene": _scene(town, shot, rendered)})
    return facts


def _facts(town: Town, shot: Shot, rendered: Rendered) -> dict[str, object]:
    at = town.position(shot.x_m, shot.y_m)
    return {
        "invented": True,
        "note": town.style.note,
        "town_seed": town.seed,
        "country": town.style.country,
        "view": shot.view,
        "modality": shot.about.modality or shot.view,
        "place_id": shot.about.place,
        "lat": round(at.lat, 7),
        "lon": round(at.lon, 7),
        "heading_deg": None if shot.heading_deg is None else round(shot.heading_deg, 3),
        "extent_m": None if shot.extent_m is None else round(shot.extent_m, 3),
        "readable_text": any(one.text for one in rendered.seen),
        "split": shot.about.split,
    }


def _scene(town: Town, shot: Shot, rendered: Rendered) -> dict[str, object]:
    return scene_facts(
        town, rendered, view=shot.view, x_m=shot.x_m, y_m=shot.y_m, heading_deg=shot.heading_deg,
        extent_m=shot.extent_m,
    )  # fmt: skip


def _place_row(file: str, facts: dict[str, object]) -> list[str]:
    values = {"file": file, **facts}
    return ["" if values[column] is None else str(values[column]) for column in PLACES_HEADER]


def _gallery_row(town: Town, shot: Shot) -> list[str]:
    at = town.position(shot.x_m, shot.y_m)
    # No heading: a tile's north is up, and the column is for where a camera looked.
    return [shot.about.file, f"{at.lat:.7f}", f"{at.lon:.7f}", shot.view, f"{shot.extent_m or 0.0:.3f}", ""]
