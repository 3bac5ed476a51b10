"""Traffic and people: on another day they are elsewhere or gone."""

from __future__ import annotations

import dataclasses

import numpy as np

from geosleuth.training.towns.town import Town, TownObject

_GONE = 0.4  # share of passing things that another view does not have; invented
_DRIVE_M = 15.0  # how far along its way a thing is moved at most
_WALK_M = 5.0  # the same for people, who have no way of their own: more would put them into houses


def objects_on_a_day(town: Town, rng: np.random.Generator | None) -> tuple[tuple[int, TownObject], ...]:
    """Return the objects of a view with their index in the town: as planned, or with the traffic of another day."""
    everything = tuple(enumerate(town.objects))
    if rng is None:
        return everything
    gone = rng.random(len(everything)) < _GONE
    ahead, way = rng.uniform(-1, 1, len(everything)), rng.uniform(0, 360, len(everything))
    return tuple(
        (index, _moved(thing, float(ahead[index]), float(way[index])) if thing.passing else thing)
        for index, thing in everything
        if not (thing.passing and gone[index])
    )


def _moved(thing: TownObject, ahead: float, any_way_deg: float) -> TownObject:
    """Move a thing by a share of its reach along the way that it faces, which keeps cars in their lane."""
    if thing.facing_deg is None:
        way, away_m = np.radians(any_way_deg), ahead * _WALK_M
    else:
        way, away_m = np.radians(thing.facing_deg), ahead * _DRIVE_M
    x, y = thing.x_m + away_m * float(np.sin(way)), thing.y_m + away_m * float(np.cos(way))
    return dataclasses.replace(thing, x_m=x, y_m=y)
