import importlib.util
from pathlib import Path

import numpy as np
import pytest

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.town import Rendered, Structure, TownObject
from geosleuth.training.towns.views.drone import drone
from geosleuth.training.towns.views.satellite import satellite

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)


def view(town, x=60.0, y=60.0, **options) -> Rendered:
    return drone(town, x, y, **{"azimuth_deg": 180.0, "elevation_deg": 45.0, "distance_m": 80.0, "px": 128, **options})


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 30.0), (77.0, 45.0), (200.0, 60.0), (180.0, 90.0)])
def test_the_place_is_in_the_middle(azimuth: float, elevation: float) -> None:
    spot = hand.hand_town(TownObject("box", 60.0, 50.0, 0.0, 4.0, 0.1, 0.0, (255, 0, 255)), structures=())
    labels = view(spot, 60.0, 50.0, azimuth_deg=azimuth, elevation_deg=elevation).labels
    rows, columns = np.nonzero(labels == class_number("box"))
    assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((64, 64), abs=1.5)


def test_looking_from_the_south_the_north_is_up_and_from_the_north_it_is_down() -> None:
    for azimuth, side in ((180.0, np.less), (0.0, np.greater)):
        rows = np.nonzero(view(hand.hand_town(), azimuth_deg=azimuth).labels == class_number("building"))[0]
        assert side(rows.mean(), 64)


def test_straight_down_it_is_a_satellite_tile() -> None:
    flat = hand.hand_town(structures=(), cell_m=0.5)
    # From 50 m at 60 degrees one sees 2 * 50 * tan(30) = 57.7 m; above a drone south of nothing, north is up.
    down = view(flat, 60.0, 60.0, elevation_deg=90.0, distance_m=50.0)
    tile = satellite(flat, 60.0, 60.0, side_m=57.735, px=128)
    assert (down.labels == tile.labels).mean() > 0.98
    # The scene's level of blur and haze differ, its colours do not.
    inner = np.s_[10:118, 10:118]
    assert np.abs(down.pixels[inner].astype(int) - tile.pixels[inner].astype(int)).mean() < 25


def test_a_roof_is_where_the_height_moves_it() -> None:
    block = Structure("building", 15.0, (30, 30, 200), hand.RED.facade)  # blue from above, red walls
    town = hand.hand_town(structures=((block, hand.BLOCK),))
    # The eye is 40 m to the south and 40 m up; walls stand 20 and 30 m to the north, so 60 and 70 m away.
    rendered = view(town, distance_m=40.0 * np.sqrt(2), px=256)
    down_deg = np.degrees(np.arctan2([25.0, 25.0, 40.0], [70.0, 60.0, 60.0]))  # back edge, front edge, foot
    back, front, foot = 128 - 128 / np.tan(np.radians(30)) * np.tan(np.radians(45.0 - down_deg))
    column = rendered.pixels[:, 128].astype(int)
    roof = np.flatnonzero(column[:, 2] - column[:, 0] > 40)
    wall = np.flatnonzero(column[:, 0] - column[:, 2] > 40)
    assert (roof.min(), roof.max() + 1) == pytest.approx((back, front), abs=1)
    assert (wall.min(), wall.max() + 1) == pytest.approx((front, foot), abs=1)


def test_trees_stand_as_blocks_and_cars_as_boxes() -> None:
    rendered = view(hand.hand_town(hand.car(), TownObject("person", 62.0, 58.0, 0.0, 0.5, 1.75, None, (200, 0, 0))))
    kinds = {s.kind for s in rendered.seen}
    assert {"building", "house", "tree", "car"} <= kinds
    assert next(s for s in rendered.seen if s.kind == "car").object == 0
    assert all(s.text is None for s in rendered.seen)


def test_a_building_hides_the_car_behind_it() -> None:
    hidden = hand.hand_town(hand.car(x_m=60.0, y_m=93.0))
    low = {"elevation_deg": 20.0, "distance_m": 60.0}
    assert not [s for s in view(hidden, **low).seen if s.kind == "car"]
    assert [s for s in view(hidden, azimuth_deg=0.0, **low).seen if s.kind == "car"]


def test_conditions_and_days_keep_what_stands() -> None:
    town = hand.hand_town(hand.car())
    day, night, infrared = (view(town, condition=c) for c in ("day", "night", "infrared"))
    np.testing.assert_array_equal(day.labels, night.labels)
    np.testing.assert_array_equal(day.labels, infrared.labels)
    assert night.pixels.mean() < 0.6 * day.pixels.mean()
    other = view(town, rng=np.random.default_rng(0))
    car = np.isin(day.labels, class_number("car")) | np.isin(other.labels, class_number("car"))
    np.testing.assert_array_equal(day.labels[~car], other.labels[~car])


@pytest.mark.parametrize("change", [{"elevation_deg": 0.0}, {"elevation_deg": 91.0}, {"distance_m": 0.0}])
def test_a_drone_on_the_ground_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is not in the air"):
        view(hand.hand_town(), **change)


def test_a_place_outside_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the town"):
        view(hand.hand_town(), x=-1.0)
