import importlib.util
from pathlib import Path

import numpy as np
import pytest

from geosleuth.training.towns.making.classes import class_number
from geosleuth.training.towns.views.panorama import panorama
from geosleuth.training.towns.views.street_photo import street_photo

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)


def test_the_building_ahead_has_the_size_that_the_focal_length_gives() -> None:
    photo = street_photo(hand.hand_town(), 60.0, 60.0, heading_deg=0.0, height_px=200, width_px=200)
    # 90 degrees on 200 pixels: a focal length of 100, so 20 m away 5 pixels a metre; the eye is 1.6 m up.
    rows = np.flatnonzero(photo.labels[:, 100] == class_number("building"))
    assert (rows.min(), rows.max() + 1) == pytest.approx((100 - 5 * 13.4, 100 + 5 * 1.6), abs=1)
    columns = np.flatnonzero(photo.labels[90] == class_number("building"))
    assert (columns.min(), columns.max() + 1) == pytest.approx((50, 150), abs=1)


@pytest.mark.parametrize("heading", [0.0, 33.0, 120.0, 235.0])
def test_the_middle_column_is_the_panorama_in_that_direction(heading: float) -> None:
    town = hand.hand_town(hand.car(), cell_m=0.5)
    # Odd widths have a middle column that looks exactly ahead; half a degree a row near the horizon in both.
    around = panorama(town, 60.0, 60.0, height_px=360, width_px=721, heading_deg=heading)
    focal = 1 / np.tan(np.radians(0.5))
    wide = 181
    fov = float(np.degrees(2 * np.arctan(wide / 2 / focal)))
    photo = street_photo(town, 60.0, 60.0, heading_deg=heading, fov_deg=fov, height_px=180, width_px=wide, eye_m=2.5)
    rows = np.arange(180)
    elevation = np.degrees(np.arctan((89.5 - rows) / focal))
    same = np.round((90 - elevation) * 2 - 0.5).astype(int)
    differs = photo.labels[:, 90] != around.labels[same, 360]
    assert differs.sum() <= 4  # at the borders of things, where a row falls between two


@pytest.mark.parametrize("pitch", [-30.0, 15.0, 45.0])
def test_a_pitch_moves_the_horizon(pitch: float) -> None:
    town = hand.hand_town(structures=())
    labels = street_photo(town, 60.0, 60.0, heading_deg=90.0, pitch_deg=pitch, height_px=200, width_px=201).labels
    sky = int((labels[:, 100] == class_number("sky")).sum())
    assert sky == pytest.approx(np.clip(100 + 100.5 * np.tan(np.radians(pitch)), 0, 200), abs=1)


def test_a_pitched_view_shows_the_same_things_as_a_level_one() -> None:
    town = hand.hand_town(hand.sign(), hand.car())
    options = {"heading_deg": -10.0, "height_px": 240, "width_px": 240}
    level, up = (street_photo(town, 60.0, 60.0, pitch_deg=p, **options) for p in (0.0, 3.0))
    shares = [{(s.kind, s.text): s.share for s in view.seen} for view in (level, up)]
    assert shares[0].keys() == shares[1].keys()
    assert shares[0]["signboard", "BAKERY"] == pytest.approx(shares[1]["signboard", "BAKERY"], rel=0.1)
    assert shares[0]["car", None] == pytest.approx(shares[1]["car", None], rel=0.1)


def test_things_behind_the_camera_are_not_in_the_picture() -> None:
    town = hand.hand_town(hand.car(x_m=60.0, y_m=55.0), hand.sign(y_m=50.0))
    photo = street_photo(town, 60.0, 60.0, heading_deg=0.0, height_px=120, width_px=160)
    assert {s.kind for s in photo.seen} == {"building"}


def test_conditions_keep_the_labels() -> None:
    town = hand.hand_town()
    options = {"heading_deg": 80.0, "height_px": 90, "width_px": 120}
    day, night = (street_photo(town, 60.0, 60.0, condition=c, **options) for c in ("day", "night"))
    np.testing.assert_array_equal(day.labels, night.labels)
    assert night.pixels.mean() < 0.6 * day.pixels.mean()
