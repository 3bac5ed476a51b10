import math

import numpy as np
import pytest

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.towns.making.styles import STYLES
from geosleuth.training.towns.places import (
    Place,
    building_places,
    cells,
    metres,
    nearest_views,
    spiral,
    street_places,
)
from geosleuth.training.towns.town import NOTHING, Street, Structure, Town

SIDE_CELLS, CELL_M = 200, 1.0


def hand_made() -> Town:
    """200 m of open ground; one street from west to east at y = 100; a building of 20 x 10 m and a shed beside it."""
    owner = np.full((SIDE_CELLS, SIDE_CELLS), NOTHING, np.int32)
    owner[SIDE_CELLS - 130 : SIDE_CELLS - 120, 80:100] = 0  # x 80 to 100, y 120 to 130
    owner[SIDE_CELLS - 62 : SIDE_CELLS - 60, 80:82] = 1  # 4 square metres
    owner[SIDE_CELLS - 104 : SIDE_CELLS - 96, 140:160] = 2  # a tree's crown over the street, x 140 to 160
    height = np.where(owner == NOTHING, 0.0, 8.0).astype(np.float32)
    flat = np.zeros((SIDE_CELLS, SIDE_CELLS, 3), np.uint8)
    kinds = ("building", "house", "tree")
    structures = tuple(Structure(kind, 8.0, (90, 90, 90)) for kind in kinds)
    street = Street((0.0, 100.0), (200.0, 100.0), 8.0, "High Street")
    return Town(
        7, STYLES[0], LatLon(45.0, 10.0), CELL_M, np.ones(owner.shape, np.uint8), height, flat, owner, structures, (),
        (street,),
    )  # fmt: skip


def test_places_lie_on_streets_within_the_margin_and_apart():
    places = street_places(hand_made(), 6, np.random.default_rng(0), margin_m=30.0)
    assert len(places) == 6
    for place in places:
        assert 30.0 <= place.x_m <= 170.0
        assert abs(place.y_m - 100.0) <= 1.6  # a fifth of the street's 8 m
        assert place.heading_deg in (90.0, 270.0)  # along the street, either way
        assert not 139.0 < place.x_m < 161.0  # the tree, and a metre around it
    gaps = [math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) for a in places for b in places if a is not b]
    assert min(gaps) >= 12.0  # 120 m of street hold 6 places at 24 m only by luck; 12 m always fit


def test_a_small_town_has_fewer_places_than_wanted():
    # 100 m of free street, at 8 m from each other: no more than 13 and the ends
    assert 6 <= len(street_places(hand_made(), 500, np.random.default_rng(0), margin_m=50.0)) <= 13


def test_no_more_places_than_allowed_are_of_one_group():
    places = street_places(
        hand_made(), 500, np.random.default_rng(0), margin_m=30.0, group=lambda place: place.x_m < 100.0, most=2
    )
    assert sorted(place.x_m < 100.0 for place in places) == [False, False, True, True]


def test_the_same_numbers_choose_the_same_places():
    first, second = (street_places(hand_made(), 5, np.random.default_rng(3), margin_m=30.0) for _ in range(2))
    assert first == second


def test_a_building_s_place_is_the_middle_of_its_footprint():
    (place,) = building_places(hand_made(), 5, np.random.default_rng(0), margin_m=40.0)
    assert (place.x_m, place.y_m) == (90.0, 125.0)  # the shed is too small, and a tree is no building
    assert building_places(hand_made(), 5, np.random.default_rng(0), margin_m=80.0) == []  # 75 m from the north


def test_photographers_stand_nearest_and_look_at_the_building():
    stands = [Place(90.0, 100.0), Place(10.0, 100.0), Place(115.0, 100.0)]
    first, second = nearest_views(Place(90.0, 125.0), stands, 2)
    assert (first.x_m, first.heading_deg) == (90.0, 0.0)  # due north
    assert (second.x_m, second.heading_deg) == (115.0, 315.0)  # 25 m west and 25 m north


def test_a_drone_descends_around_the_building():
    six = spiral(6, start_deg=350.0)
    assert [flight.azimuth_deg for flight in six] == pytest.approx([350.0, 50.0, 110.0, 170.0, 230.0, 290.0])
    heights = [flight.distance_m * math.sin(math.radians(flight.elevation_deg)) for flight in six]
    assert heights[0] == pytest.approx(128.0)
    assert heights == sorted(heights, reverse=True)
    real = spiral(54, start_deg=0.0)
    assert real[18].azimuth_deg == pytest.approx(0.0)  # three turns of 18 views


def test_positions_become_metres_again():
    town = hand_made()
    assert metres(town, town.position(123.0, 45.0)) == pytest.approx((123.0, 45.0), abs=1e-6)


def test_cells_are_tiles_of_web_maps_that_lie_within_the_town():
    town = hand_made()
    found = cells(town, 19)
    # At 45 degrees a tile of zoom 19 has 2 pi 6371008.8 / 2^19 x cos 45 = 53.99 m: 200 m hold 2 or 3 rows and columns.
    assert 4 <= len(found) <= 9
    for cell in found:
        assert cell.side_m == pytest.approx(53.99, abs=0.01)
        assert cell.side_m / 2 <= cell.x_m <= 200.0 - cell.side_m / 2
        assert cell.side_m / 2 <= cell.y_m <= 200.0 - cell.side_m / 2
        assert metres(town, cell.tile.middle) == pytest.approx((cell.x_m, cell.y_m), abs=1e-6)
        east = [other.x_m - cell.x_m for other in found if other.tile.x == cell.tile.x + 1]
        assert east == pytest.approx([cell.side_m] * len(east))
        south = [cell.y_m - other.y_m for other in found if other.tile.y == cell.tile.y + 1]
        assert south == pytest.approx([cell.side_m] * len(south), rel=1e-3)
    middle = found[0]
    assert middle.holds(Place(middle.x_m + 26.9, middle.y_m))
    assert not middle.holds(Place(middle.x_m + 27.1, middle.y_m))
