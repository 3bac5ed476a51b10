import importlib.util
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from geosleuth.training.towns.town import Facade, Structure, Town
from geosleuth.training.towns.views.facade import _stripe
from geosleuth.training.towns.views.street_photo import street_photo

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)
WALL, WINDOW = (230, 230, 40), (10, 10, 240)
FLATS = Structure("building", 12.4, (90, 90, 90), Facade(WALL, WINDOW, 0.5, 3.0, 2.5, WALL))


def turned_town(turn_deg: float) -> tuple[Town, float, float, float]:
    """A block of 20 by 10 m turned clockwise, and a place 20 m before its long side, with the heading to it."""
    town = hand.hand_town(structures=((FLATS, (0.0, 1.0, 0.0, 1.0)),), cell_m=0.25)
    way = np.radians(turn_deg)
    right, ahead = np.array([np.cos(way), -np.sin(way)]), np.array([np.sin(way), np.cos(way)])
    corners = np.array([60 + s * 10 * right + a * 5 * ahead for s, a in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    cells = np.stack([corners[:, 0] / 0.25 - 0.5, 480 - corners[:, 1] / 0.25 - 0.5], axis=1)
    mask = cv2.fillPoly(np.zeros((480, 480), np.uint8), [np.rint(cells * 16).astype(np.int32)], 1, cv2.LINE_8, 4) > 0
    town.owner[mask], town.height_m[mask] = 0, FLATS.height_m
    town.owner[-4:, :4], town.height_m[-4:, :4] = -1, 0
    x, y = 60 - 25 * ahead
    return town, float(x), float(y), turn_deg


def blue_windows(turn_deg: float) -> np.ndarray:
    town, x, y, heading = turned_town(turn_deg)
    photo = street_photo(town, x, y, heading_deg=heading, fov_deg=60.0, height_px=240, width_px=240)
    return (photo.pixels[..., 2] > photo.pixels[..., 0]) & (photo.labels == 2)


def test_windows_stand_in_storeys_and_bays() -> None:
    windows = blue_windows(0.0)
    column = windows[:, windows.any(axis=0)]
    starts = [int((np.diff(line.astype(int)) == 1).sum()) for line in column.T]
    assert max(starts) == 4  # storeys of 3 m below 12.4 m
    # 20 m away on 240 pixels at 60 degrees a metre is 10.4 pixels, and windows of the second storey reach from
    # 3.84 to 5.46 m, 2.2 to 3.9 m above the eye. A wall of 20 m has 8 bays of 2.5 m, half of each is glass.
    row = windows[90]
    assert (np.diff(row.astype(int)) == 1).sum() == 8
    assert row.sum() == pytest.approx(10 * 10.4, abs=8)


@pytest.mark.parametrize("turn", [20.0, 45.0, 290.0])
def test_a_turned_wall_has_straight_windows_too(turn: float) -> None:
    windows = blue_windows(turn)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(windows.astype(np.uint8), connectivity=4)
    whole = [box for box in boxes[1:] if box[4] > 50]
    assert count > 20
    # Each window is full of itself: a ragged one fills less of its box.
    assert np.mean([box[4] / (box[2] * box[3]) for box in whole]) > 0.985  # 0.97 for a staircase
    upright = cv2.connectedComponentsWithStats(blue_windows(0.0).astype(np.uint8), connectivity=4)[2][1:]
    assert np.median([b[2] for b in whole]) == pytest.approx(np.median([b[2] for b in upright]), abs=1)
    assert np.median([b[3] for b in whole]) == pytest.approx(np.median([b[3] for b in upright]), abs=1)


@pytest.mark.parametrize(
    ("position", "width", "covered"),
    [(0.5, 0.1, 1.0), (0.1, 0.1, 0.0), (0.25, 0.5, 0.5), (3.5, 0.1, 1.0), (0.123, 1.0, 0.5), (7.9, 50.0, 0.5)],
)
def test_a_stripe_covers_the_share_of_a_pixel_that_lies_in_it(position: float, width: float, covered: float) -> None:
    found = _stripe(np.array([position]), 0.25, 0.75, np.array([width]))
    assert found[0] == pytest.approx(covered, abs=1e-9)


def test_a_wall_without_windows_has_none() -> None:
    blind = replace(FLATS, facade=replace(FLATS.facade, window_share=0.0))
    town = hand.hand_town(structures=((blind, hand.BLOCK),))
    photo = street_photo(town, 60.0, 60.0, heading_deg=0.0, height_px=120, width_px=120)
    assert not ((photo.pixels[..., 2] > photo.pixels[..., 0]) & (photo.labels == 2)).any()
