import importlib.util
from pathlib import Path

import numpy as np
import pytest

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.town import Rendered
from geosleuth.training.towns.views.from_above import seen_from_above
from geosleuth.training.towns.views.panorama import panorama
from geosleuth.training.towns.views.satellite import satellite

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)
EYE = 2.5


def view(town, x=60.0, y=60.0, height_px=180, width_px=360, **options) -> Rendered:
    return panorama(town, x, y, height_px=height_px, width_px=width_px, **options)


def rows_of(rendered: Rendered, kind: str, column: int) -> np.ndarray:
    return np.flatnonzero(rendered.labels[:, column] == class_number(kind))


def test_a_building_fills_the_angle_that_its_height_and_distance_give() -> None:
    # A row is a degree: from atan(12.5 / 20) = 32.0 degrees up to atan(2.5 / 20) = 7.1 degrees down.
    rows = rows_of(view(hand.hand_town()), "building", 180)
    assert rows.min() == pytest.approx(90 - np.degrees(np.arctan(12.5 / 20)), abs=1)
    assert rows.max() + 1 == pytest.approx(90 + np.degrees(np.arctan(2.5 / 20)), abs=1)
    assert len(rows) == rows.max() - rows.min() + 1  # no hole


def test_a_building_is_as_wide_as_its_corners_and_at_the_left_once_one_looks_east() -> None:
    half = np.degrees(np.arctan(10 / 20))  # corners 10 m to each side, 20 m ahead: 26.6 degrees
    for heading, middle in ((0.0, 180), (90.0, 90), (270.0, 270)):
        labels = view(hand.hand_town(), heading_deg=heading).labels
        columns = np.flatnonzero((labels == class_number("building")).any(axis=0))
        assert (columns.min(), columns.max() + 1) == pytest.approx((middle - half, middle + half), abs=1)


def test_labels_are_the_classes_of_what_is_there() -> None:
    labels = view(hand.hand_town()).labels
    assert labels[0, 0] == class_number("sky") == 3
    assert labels[179, 0] == class_number("road") == 7  # straight down
    assert labels[100, 90 + 180 + 40] == class_number("grass")  # south-east, 14 m away
    assert rows_of(view(hand.hand_town()), "house", 180 + 130).size  # the cottage lies to the east-south-east
    west = 180 + round(np.degrees(np.arctan2(46 - 60, 52 - 60)))  # the tree stands to the south-west
    assert rows_of(view(hand.hand_town()), "tree", west).size > 5
    kinds = ("sky", "road", "grass", "building", "house", "tree", "earth")  # earth: beyond the town's edge
    assert set(np.unique(labels)) == {class_number(k) for k in kinds}


def test_one_sees_below_a_crown() -> None:
    rendered = view(hand.hand_town())
    west = 180 + round(np.degrees(np.arctan2(46 - 60, 52 - 60)))
    beside = rendered.labels[:, west - 4]  # 1.1 m from the trunk: the crown, then sky or ground below it
    rows = np.flatnonzero(beside == class_number("tree"))
    assert rows.size
    assert rows.max() < 90 + np.degrees(np.arctan(EYE / np.hypot(14, 8))) - 3


@pytest.mark.parametrize("width", [256, 768])
def test_turning_by_a_quarter_rolls_the_picture_by_a_quarter(width: int) -> None:
    town = hand.hand_town(hand.sign(), hand.car(), cell_m=0.5)
    shown = [view(town, height_px=width // 4, width_px=width, heading_deg=h) for h in (0.0, 90.0, 180.0, 270.0)]
    for turns, turned in enumerate(shown):
        np.testing.assert_array_equal(turned.pixels, np.roll(shown[0].pixels, -turns * width // 4, axis=1))
        np.testing.assert_array_equal(turned.labels, np.roll(shown[0].labels, -turns * width // 4, axis=1))


@pytest.mark.parametrize(("x", "y"), [(60.0, 60.0), (30.0, 90.0), (80.0, 100.0)])
def test_panorama_and_satellite_tile_agree_on_where_the_red_building_is(x: float, y: float) -> None:
    town = hand.hand_town(structures=((hand.RED, (56.0, 60.0, 75.0, 79.0)),))
    tile = satellite(town, 60.0, 60.0, side_m=110.0, px=110).labels
    row, column = (np.mean(v) for v in np.nonzero(tile == class_number("building")))
    at = (column + 0.5 + 5, 115 - row - 0.5)  # the tile begins at (5, 115)
    compass = np.degrees(np.arctan2(at[0] - x, at[1] - y))
    columns = np.nonzero(view(town, x, y).labels == class_number("building"))[1]
    turned = np.exp(1j * np.radians(columns + 0.5 - 180))
    assert np.degrees(np.angle(turned.mean() * np.exp(-1j * np.radians(compass)))) == pytest.approx(0, abs=1.5)


def test_shadows_fall_as_in_the_satellite_tile() -> None:
    town = hand.hand_town(cell_m=0.5)
    above = seen_from_above(town).pixels.astype(int).sum(axis=2)  # rows from the north, half a metre each
    pixels = view(town, 60.0, 60.0).pixels.astype(int).sum(axis=2)
    labels = view(town, 60.0, 60.0).labels
    seen, flat = [], []
    for row in range(100, 130):
        away = EYE / np.tan(np.radians(row + 0.5 - 90))
        for column in range(0, 360, 3):
            way = np.radians(column + 0.5 - 180)
            x, y = 60 + away * np.sin(way), 60 + away * np.cos(way)
            if labels[row, column] == class_number("grass"):
                seen.append(pixels[row, column])
                flat.append(above[int((120 - y) / 0.5), int(x / 0.5)])
    assert np.ptp(flat) > 60  # part of the grass is shaded
    assert np.corrcoef(seen, flat)[0, 1] > 0.8


def test_conditions_change_the_light_and_nothing_else() -> None:
    town = hand.hand_town(hand.sign())
    day, night, infrared = (view(town, condition=c) for c in ("day", "night", "infrared"))
    for other in (night, infrared):
        np.testing.assert_array_equal(day.labels, other.labels)
        assert day.seen == other.seen
    assert night.pixels.mean() < 0.5 * day.pixels.mean()
    assert (infrared.pixels[..., 0] == infrared.pixels[..., 1]).all()
    house = day.labels == class_number("house")
    assert night.pixels[house].max() > 200  # a lit window


def test_seen_lists_shares_and_boxes_of_the_mask() -> None:
    rendered = view(hand.hand_town(hand.car()))
    block = next(s for s in rendered.seen if s.structure == 0)
    shown = rendered.labels == class_number("building")
    assert block.kind == "building"
    assert block.share == pytest.approx(shown.mean())
    rows, columns = np.nonzero(shown)
    assert block.box == pytest.approx(
        (columns.min() / 360, rows.min() / 180, (columns.max() + 1) / 360, (rows.max() + 1) / 180)
    )
    assert next(s for s in rendered.seen if s.kind == "car").object == 0
    assert [s.share for s in rendered.seen] == sorted((s.share for s in rendered.seen), reverse=True)


def test_a_place_outside_and_an_unknown_condition_are_refused() -> None:
    town = hand.hand_town()
    with pytest.raises(ValueError, match=r"\(130.0, 60.0\) is outside the town of 120.0 m"):
        view(town, 130.0)
    with pytest.raises(ValueError, match="condition is 'dusk', not 'day', 'night' or 'infrared'"):
        view(town, condition="dusk")
