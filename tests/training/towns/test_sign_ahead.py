"""Signs of the town made by hand, whose house stands from (15, 15) to (25, 25)."""

import pytest

from geosleuth.training.towns.layouts.by_name import LAYOUTS
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.places import Place
from geosleuth.training.towns.sign_ahead import towards_sign
from geosleuth.training.towns.town import TownObject
from geosleuth.training.towns.world import World


def sign(x_m: float, y_m: float, facing_deg: float, text: str | None = "Bakery", height_m: float = 0.8) -> TownObject:
    return TownObject("signboard", x_m, y_m, 2.9, 3.0, height_m, facing_deg, (200, 0, 0), text, "en")


def test_a_photographer_turns_to_the_sign_that_looks_largest(one_house):
    town = one_house(objects=(sign(10.0, 35.0, 180.0), sign(30.0, 10.0, 270.0)))
    # 25 m to the north, and 20 m to the east, of (10, 10)
    assert towards_sign(town, Place(10.0, 10.0, 200.0)) == Place(10.0, 10.0, 90.0)


@pytest.mark.parametrize(
    "hidden",
    [
        sign(30.0, 20.0, 270.0),  # behind the house
        sign(5.0, 30.0, 0.0),  # its back
        sign(5.0, 30.0, 110.0),  # at 70 degrees
        sign(5.0, 30.0, 180.0, text=None),
        sign(5.0, 20.5, 180.0),  # overhead
    ],
)
def test_what_cannot_be_read_is_not_looked_at(one_house, hidden):
    assert towards_sign(one_house(objects=(hidden,)), Place(5.0, 20.0, 33.0)) == Place(5.0, 20.0, 33.0)


def test_the_heading_turns_no_further_than_it_may(one_house):
    town = one_house(objects=(sign(5.0, 30.0, 180.0),))
    assert towards_sign(town, Place(5.0, 20.0, 29.0), most_deg=30.0).heading_deg == 0.0
    assert towards_sign(town, Place(5.0, 20.0, 331.0), most_deg=30.0).heading_deg == 0.0
    assert towards_sign(town, Place(5.0, 20.0, 31.0), most_deg=30.0).heading_deg == 31.0


def test_photos_of_a_sensible_size_can_often_be_read_and_the_others_never():
    world = World(layouts=("setvl",), towns=1, places=6, side_m=220.0, street_px=(288, 384), queries=2)
    shots = [
        shot for shot in LAYOUTS["setvl"].plan(build_town(4, side_m=220.0), 0, world).shots if shot.view == "ground"
    ]
    read = {True: [], False: []}
    for shot in shots:
        read[shot.with_text].append(any(one.text for one in shot.take().seen))
    assert not any(read[False])
    assert sum(read[True]) >= len(read[True]) / 3
