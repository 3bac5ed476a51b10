import dataclasses

import numpy as np
import pytest

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.town import TownObject
from geosleuth.training.towns.views.satellite import satellite
from geosleuth.training.towns.views.shadows import Sun, shadows, sun_of

HOUSE = slice(30, 50)  # rows and columns of the house in the town of `one_house`, in cells of 0.5 m


def test_labels_and_things_are_those_of_the_town(one_house):
    view = satellite(one_house(), 20, 20, side_m=40, px=80)
    expected = np.full((80, 80), class_number("grass"))
    expected[HOUSE, HOUSE] = class_number("building")
    assert np.array_equal(view.labels, expected)
    assert view.pixels.shape == (80, 80, 3)
    (house,) = view.seen
    assert (house.kind, house.structure, house.object, house.text) == ("building", 0, None, None)
    assert house.share == 400 / 6400
    assert house.box == (0.375, 0.375, 0.625, 0.625)


def test_a_part_of_the_town_is_cut_out_north_up(one_house):
    view = satellite(one_house(), 30, 30, side_m=20, px=20)  # its south-west quarter's corner is the house's
    expected = np.full((20, 20), class_number("grass"))
    expected[15:, :5] = class_number("building")
    assert np.array_equal(view.labels, expected)
    assert view.seen[0].box == (0.0, 0.75, 0.25, 1.0)
    assert view.seen[0].share == 25 / 400


def test_lit_colours_are_the_towns_but_for_the_seasons_tint(one_house):
    view = satellite(one_house(), 20, 20, side_m=40, px=80).pixels.astype(float)
    roof, lawn = view[34:46, 34:46].mean((0, 1)), view[60:, :10].mean((0, 1))
    assert roof / (200, 60, 40) == pytest.approx(lawn / (100, 150, 80), rel=0.03)
    assert (np.abs(lawn / (100, 150, 80) - 1) < 0.12).all()


def test_the_shadow_lies_away_from_the_sun(one_house):
    """8 m high, the sun 45 degrees above the south: 8 m of shadow, 15 cells of 0.5 m and one whose edge it meets."""
    dark = shadows(one_house(), Sun(180.0, 45.0))
    assert dark[15:30, HOUSE].all()
    assert not dark[:14].any()
    assert not dark[30:].any()
    west = shadows(one_house(), Sun(90.0, 45.0))
    assert west[HOUSE, 15:30].all()
    assert not west[:, 30:].any()


def test_a_shadow_on_a_roof_begins_where_the_higher_house_clears_it(one_house):
    town = one_house()
    height = town.height_m.copy()
    height[20:30] = 3.0  # a terrace to the north, 5 m lower: 5 m of shadow on it, 9 cells of 0.5 m and an edge
    dark = shadows(dataclasses.replace(town, height_m=height), Sun(180.0, 45.0))
    assert dark[21:30, 40].all()
    assert not dark[20, 40]


def test_shaded_ground_is_darker_and_bluer(one_house):
    town = one_house()
    dark = shadows(town, sun_of(town))
    view = satellite(town, 20, 20, side_m=40, px=80).pixels.astype(float)
    inner = np.zeros_like(dark)
    inner[1:-1, 1:-1] = dark[1:-1, 1:-1] & dark[2:, 1:-1] & dark[:-2, 1:-1] & dark[1:-1, 2:] & dark[1:-1, :-2]
    ratio = view[inner].mean(0) / view[60:, :10].mean((0, 1))
    assert ratio[0] < 0.75
    assert ratio[2] > ratio[0]


def test_the_sun_stands_towards_the_equator(one_house):
    south = one_house(origin=LatLon(-34.0, 18.0))
    assert 130 <= sun_of(one_house()).azimuth_deg <= 230
    assert not 50 < sun_of(south).azimuth_deg < 310


def test_vehicles_are_drawn_in_their_direction(one_house):
    car = TownObject("car", 10, 10, 0.0, 1.8, 1.5, 90.0, (250, 240, 30))
    lamp = TownObject("streetlight", 5, 5, 0.0, 0.5, 6.0, None, (80, 80, 80))
    view = satellite(one_house(objects=(lamp, car)), 20, 20, side_m=40, px=80)
    rows, columns = np.nonzero(view.labels == class_number("car"))
    assert len(rows) / 4 == pytest.approx(4.4 * 1.8, rel=0.35)  # m2, in cells that are half as long as it is wide
    assert np.ptp(columns) + 1 == pytest.approx(4.4 / 0.5, abs=1.5)
    assert np.ptp(rows) + 1 == pytest.approx(1.8 / 0.5, abs=1.5)
    assert [(thing.kind, thing.object) for thing in view.seen] == [("building", None), ("car", 1)]


def test_conditions_change_pixels_and_nothing_else(one_house):
    lamp = TownObject("streetlight", 5, 5, 0.0, 0.5, 6.0, None, (80, 80, 80))
    town = one_house(objects=(lamp,))
    day, night, band = (satellite(town, 20, 20, side_m=40, px=80, condition=c) for c in ("day", "night", "infrared"))
    assert np.array_equal(day.labels, night.labels)
    assert day.seen == night.seen == band.seen
    assert night.pixels.mean() < 0.45 * day.pixels.mean()
    lit, unlit = night.pixels[68:72, 8:12].mean(), night.pixels[68:72, 60:64].mean()  # under the lamp, and away from it
    assert lit > 2 * unlit
    assert band.pixels[70, 70, 0] > band.pixels[40, 40, 0] + 60  # lawn over roof


def test_a_view_is_the_same_each_time(one_house):
    first, again = (satellite(one_house(), 21, 19, side_m=30, px=32) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)


@pytest.mark.parametrize(
    ("x", "side", "found"),
    [
        (9, 20, "leaves the town of 40 m"),
        (20, 41, "leaves the town of 40 m"),
        (20, -1, "no square of -1 m"),
        (float("nan"), 5, "no square"),
    ],
)
def test_squares_beyond_the_town_are_errors(one_house, x, side, found):
    with pytest.raises(ValueError, match=found):
        satellite(one_house(), x, 20, side_m=side, px=16)
