"""University-1652's form: a folder per building with views from a drone, from the street and from a satellite.

Towns with an even number are for training, those with an odd number for tests, so that no town is in both. A quarter
of the buildings of the tests are in the galleries alone, as 250 of the real 951 are. The galleries hold the queries'
pictures too, as the real ones do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geosleuth.training.towns.places import Place, building_places, nearest_views, spiral, street_places
from geosleuth.training.towns.shots import About, Layout, Shot, TownPlan, drone_shot, satellite_shot, street_shot
from geosleuth.training.towns.sign_ahead import towards_sign
from geosleuth.training.towns.town import Town
from geosleuth.training.towns.world import World

TILE_M = 128.0  # the drone sees 110 to 180 m of ground, and the tile is to show as much
_SALT = 2
_DISTRACTOR_EVERY = 4  # 250 of 951 in the real set
_STREET_CANDIDATES = 400  # of a town of 512 m, at a distance of some 10 m: a building has several nearby
_CAMERA_MARGIN_M = 4.0  # of a photographer from the town's edge
_TURN_DEG = 30.0  # towards a sign: the building stays within the 90 degrees of the photo
README = """Ids are buildings of invented towns; none is a university's. Form: University-1652 (Zheng et al., ACM MM
2020). The folders of the tests' queries hold pictures of the galleries once more, as the real ones do."""


def plan(town: Town, index: int, world: World) -> TownPlan:
    """Say which pictures a town gives; this data set has no lists."""
    rng = np.random.default_rng([town.seed, _SALT])
    buildings = building_places(town, world.places, rng, margin_m=TILE_M / 2)
    stands = street_places(town, _STREET_CANDIDATES, rng, margin_m=_CAMERA_MARGIN_M)
    starts = rng.uniform(0.0, 360.0, len(buildings))
    shots = (
        shot
        for number, building in enumerate(buildings)
        for shot in _of_building(town, index, number, building, stands, float(starts[number]), world)
    )
    return TownPlan(shots)


def _of_building(
    town: Town, index: int, number: int, building: Place, stands: list[Place], start_deg: float, world: World
) -> Iterator[Shot]:
    place = f"{index * world.places + number:04d}"
    # Not every second one: the same half of the distractors as of the others.
    readable = (number + number // _DISTRACTOR_EVERY) % 2 == 0

    def about(view: str, name: str) -> About:
        if index % 2 == 0:
            return About(f"train/{view}/{place}/{name}", place, "train")
        gallery = f"test/gallery_{view}/{place}/{name}"
        if number % _DISTRACTOR_EVERY == _DISTRACTOR_EVERY - 1:
            return About(gallery, place, "distractor")
        return About(gallery, place, "test", copies=(f"test/query_{view}/{place}/{name}",))

    yield satellite_shot(town, world, about("satellite", f"{place}.jpg"), building, TILE_M)
    for view, flight in enumerate(spiral(world.drone_views, start_deg), start=1):
        yield drone_shot(town, world, about("drone", f"image-{view:02d}.jpeg"), building, flight)
    for view, stand in enumerate(nearest_views(building, stands, world.street_views), start=1):
        looked = towards_sign(town, stand, most_deg=_TURN_DEG) if readable else stand
        yield street_shot(town, world, about("street", f"{view}.jpg"), looked, readable=readable)


LAYOUT = Layout("university1652", plan, README, ("train", "test"), least_towns=2)
