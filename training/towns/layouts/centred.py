"""What CVUSA's and CVACT's forms share: a panorama, and a tile whose middle it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from geosleuth.training.towns.places import Place, street_places
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.world import World

_HELD_OUT = 5  # a fifth is for tests, as of CVUSA's 44,416 pairs


@dataclass(frozen=True, slots=True)
class Centred:
    """A place with its number in the whole data set, from 0, and its part of the split."""

    number: int
    place: Place
    held_out: bool
    readable: bool


def centred_places(town: Town, index: int, world: World, *, tile_m: float, salt: int) -> Iterator[Centred]:
    """Choose places so that their tiles lie within the town."""
    rng = np.random.default_rng([town.seed, salt])
    for number, place in enumerate(street_places(town, world.places, rng, margin_m=tile_m / 2)):
        yield Centred(index * world.places + number, place, held_out(index, number, world), number % 2 == 0)


def held_out(index: int, number: int, world: World) -> bool:
    """Tell whether a place is for tests: the last fifth of the towns, or of one town every fifth place."""
    if world.towns == 1:
        return number % _HELD_OUT == _HELD_OUT - 1
    return index >= world.towns - max(1, world.towns // _HELD_OUT)
