"""A picture to be taken of a town, and what a data set says of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from geosleuth.indexes.gallery.reference import View
from geosleuth.training.towns.places import Flight, Place
from geosleuth.training.towns.town import Rendered, Town
from geosleuth.training.towns.views.conditions import Condition
from geosleuth.training.towns.views.drone import drone
from geosleuth.training.towns.views.map_tile import map_tile
from geosleuth.training.towns.views.panorama import panorama
from geosleuth.training.towns.views.satellite import satellite
from geosleuth.training.towns.views.street_photo import street_photo
from geosleuth.training.towns.world import World

Role = Literal["query", "reference"]


@dataclass(frozen=True, slots=True)
class About:
    """What the data set says of a picture."""

    file: str  # below the data set's root
    place: str  # pictures of one place have the same
    split: str
    copies: tuple[str, ...] = ()  # where the same picture lies as well
    modality: str | None = None  # None: the view's name


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to be taken."""

    about: About
    role: Role
    view: View
    x_m: float
    y_m: float
    take: Callable[[], Rendered]
    heading_deg: float | None = None  # of the middle of what is seen; None from above
    extent_m: float | None = None  # side of a tile
    with_text: bool = False  # drawn with text where there is some; it may be too small to read
    lines: Callable[[Rendered], Mapping[str, list[str]]] | None = None  # of the lists, by file, once it is drawn


@dataclass(frozen=True, slots=True)
class TownPlan:
    """What one town gives to a data set."""

    shots: Iterable[Shot]
    lists: Mapping[str, list[str]] = field(default_factory=dict)  # lines of the data set's lists, by file


@dataclass(frozen=True, slots=True)
class Layout:
    """A data set's form on disk."""

    name: str
    plan: Callable[[Town, int, World], TownPlan]  # of the town of this number
    readme: str
    splits: tuple[str, ...]  # of queries; none should be empty
    least_towns: int = 1
    lists: tuple[str, ...] = ()  # files of lines, which are there even where no town gave one
    headers: Mapping[str, str] = field(default_factory=dict)  # first line of a list
    check: Callable[[], None] | None = None  # before anything is drawn; raises InputError
    finish: Callable[[Path, Mapping[str, list[str]]], None] | None = None  # writes what is no file of lines


def satellite_shot(town: Town, world: World, about: About, place: Place, side_m: float) -> Shot:
    """Plan a tile, north up."""

    def take() -> Rendered:
        return satellite(town, place.x_m, place.y_m, side_m=side_m, px=world.satellite_px)

    return Shot(about, "reference", "satellite", place.x_m, place.y_m, take, extent_m=side_m)


def map_shot(town: Town, world: World, about: About, place: Place, side_m: float, *, readable: bool) -> Shot:
    """Plan a map tile, with names of streets or without."""

    def take() -> Rendered:
        return map_tile(town, place.x_m, place.y_m, side_m=side_m, px=world.satellite_px, readable=readable)

    return Shot(about, "query", "map", place.x_m, place.y_m, take, extent_m=side_m, with_text=readable)


def panorama_shot(town: Town, world: World, about: About, place: Place, *, readable: bool) -> Shot:
    """Plan a panorama of the whole sphere with the north in its middle, as in VIGOR, CVUSA and CVACT."""
    height, width = world.panorama_px

    def take() -> Rendered:
        return panorama(
            town, place.x_m, place.y_m, height_px=height, width_px=width, readable=readable, rng=_chance(town, about)
        )

    return Shot(about, "query", "panorama", place.x_m, place.y_m, take, 0.0, with_text=readable)


def street_shot(
    town: Town, world: World, about: About, place: Place, *, readable: bool, condition: Condition = "day",
    pitch_deg: float = 0.0,
) -> Shot:  # fmt: skip
    """Plan a photo along the place's heading."""
    height, width = world.street_px

    def take() -> Rendered:
        return street_photo(
            town, place.x_m, place.y_m, heading_deg=place.heading_deg, pitch_deg=pitch_deg, height_px=height,
            width_px=width, readable=readable, condition=condition, rng=_chance(town, about),
        )  # fmt: skip

    return Shot(about, "query", "ground", place.x_m, place.y_m, take, place.heading_deg, with_text=readable)


def drone_shot(
    town: Town, world: World, about: About, place: Place, flight: Flight, condition: Condition = "day"
) -> Shot:
    """Plan a view from a drone that looks at the place."""

    def take() -> Rendered:
        return drone(
            town, place.x_m, place.y_m, azimuth_deg=flight.azimuth_deg, elevation_deg=flight.elevation_deg,
            distance_m=flight.distance_m, px=world.drone_px, condition=condition, rng=_chance(town, about),
        )  # fmt: skip

    return Shot(about, "query", "drone", place.x_m, place.y_m, take, (flight.azimuth_deg + 180.0) % 360.0)


def _chance(town: Town, about: About) -> np.random.Generator:
    """What changes from view to view: the same in every run, other in every picture."""
    return np.random.default_rng([town.seed, zlib.crc32(about.file.encode())])
