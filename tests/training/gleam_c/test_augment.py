"""A mark in a known direction must lie in the same direction in both pictures, whatever is done to the pair."""

import numpy as np
import pytest

from geosleuth.training.gleam_c import augment
from geosleuth.training.gleam_c.augment import augmented, recoloured, turned
from geosleuth.training.gleam_c.config import AugmentConfig

OFF = AugmentConfig(jpeg=0, colour=0, blur_or_sharpen=0, dropout=0, flip=0, turn=0)
JOINT = OFF.model_copy(update={"flip": 0.5, "turn": 0.75})
NOISE = np.random.default_rng(3).integers(0, 256, (96, 96, 3), np.uint8)
PANORAMA_PX = (40, 160)


def marked_tile(azimuth_deg, side=81):
    tile = np.zeros((side, side, 3), np.uint8)
    angle = np.radians(azimuth_deg)
    row, column = round(side // 2 - 30 * np.cos(angle)), round(side // 2 + 30 * np.sin(angle))
    tile[row - 1 : row + 2, column - 1 : column + 2] = 255
    return tile


def marked_panorama(azimuth_deg):
    height, width = PANORAMA_PX
    panorama = np.zeros((height, width, 3), np.uint8)
    middle = width / 2 + azimuth_deg / 360 * width  # the middle column looks north
    panorama[:, np.arange(round(middle) - 2, round(middle) + 2) % width] = 255
    return panorama


def azimuth_in_tile(tile):
    rows, columns = np.nonzero(tile[..., 0])
    middle = (tile.shape[0] - 1) / 2
    return np.degrees(np.arctan2(columns.mean() - middle, middle - rows.mean())) % 360


def azimuth_in_panorama(panorama):
    columns = np.nonzero(panorama[0, :, 0])[0] + 0.5
    angles = np.radians((columns / panorama.shape[1] - 0.5) * 360)
    return np.degrees(np.arctan2(np.sin(angles).mean(), np.cos(angles).mean())) % 360


def apart(first_deg, second_deg):
    return abs((first_deg - second_deg + 180) % 360 - 180)


def test_the_marks_are_where_they_should_be():
    for azimuth in (0, 45, 90, 180, 292.5):
        assert apart(azimuth_in_tile(marked_tile(azimuth)), azimuth) < 2
        assert apart(azimuth_in_panorama(marked_panorama(azimuth)), azimuth) < 2
    assert marked_tile(90)[40, 70, 0]  # east is right
    assert marked_panorama(90)[0, 120, 0]  # and a quarter to the right of the middle


@pytest.mark.parametrize("azimuth", [90, 67.5, 202.5])
def test_panorama_and_tile_stay_aligned_in_all_eight_ways(azimuth):
    seen = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        panorama, tile = augmented(
            marked_panorama(azimuth), marked_tile(azimuth), view="panorama", config=JOINT, rng=rng
        )
        found = azimuth_in_tile(tile)
        assert apart(found, azimuth_in_panorama(panorama)) < 3
        seen.add(round(found / 22.5) % 16)
    ways = {(sign * azimuth - 90 * k) % 360 for sign in (1, -1) for k in range(4)}
    assert seen == {round(way / 22.5) % 16 for way in ways}
    assert len(seen) == (4 if azimuth == 90 else 8)  # a mark on an axis is mirrored onto an axis


def test_one_quarter_makes_east_the_new_north():
    assert azimuth_in_tile(turned(marked_tile(90), "satellite", 1)) == pytest.approx(0, abs=1)
    assert apart(azimuth_in_panorama(turned(marked_panorama(90), "panorama", 1)), 0) < 2


def test_a_map_turns_with_its_tile_and_a_photo_only_mirrors():
    turns, mirrors = 0, 0
    for seed in range(30):
        drawn, tile = augmented(NOISE, NOISE, view="map", config=JOINT, rng=np.random.default_rng(seed))
        assert np.array_equal(drawn, tile)
        for view in ("ground", "drone"):
            photo, same_tile = augmented(NOISE, NOISE, view=view, config=JOINT, rng=np.random.default_rng(seed))
            assert np.array_equal(same_tile, tile)
            is_mirrored = np.array_equal(photo, NOISE[:, ::-1])
            assert is_mirrored or np.array_equal(photo, NOISE)
            mirrors += is_mirrored
            turns += not np.array_equal(tile, photo)
    assert 15 < mirrors < 45  # of 60, each with probability 1/2
    assert 30 < turns < 58  # each with probability 3/4


def test_what_is_no_square_is_only_turned_upside_down():
    wide = NOISE[:48]
    for seed in range(20):
        drawn, tile = augmented(wide, wide, view="map", config=JOINT, rng=np.random.default_rng(seed))
        assert drawn.shape == wide.shape
        ways = (wide, wide[:, ::-1], wide[::-1, ::-1], wide[::-1])
        assert any(np.array_equal(tile, way) for way in ways)


def test_all_off_changes_nothing_and_nothing_is_changed_in_place():
    query, reference = NOISE.copy(), NOISE[::-1].copy()
    same = augmented(query, reference, view="panorama", config=OFF, rng=np.random.default_rng(0))
    assert np.array_equal(same[0], query)
    assert np.array_equal(same[1], reference)
    on = AugmentConfig(jpeg=1, colour=1, blur_or_sharpen=1, dropout=1, flip=1, turn=1)
    for seed in range(8):
        found = augmented(query, reference, view="panorama", config=on, rng=np.random.default_rng(seed))
        again = augmented(query, reference, view="panorama", config=on, rng=np.random.default_rng(seed))
        for one, other in zip(found, again, strict=True):
            assert one.shape == NOISE.shape
            assert one.dtype == np.uint8
            assert np.array_equal(one, other)
        assert np.array_equal(query, NOISE)
        assert np.array_equal(reference, NOISE[::-1])


def test_colours_by_hand():
    grey = np.full((4, 4, 3), 100, np.uint8)
    assert np.array_equal(recoloured(NOISE, 0, 0, 0, 0), NOISE)
    assert (recoloured(grey, 0.1, 0, 0, 0) == 110).all()
    assert (recoloured(grey, 0, 0.15, 0, 0) == 100).all()  # contrast is about the picture's own mean
    assert (recoloured(grey, 0, 0, 0.15, 0.15) == 100).all()  # grey has no hue
    halves = np.concatenate([np.full((2, 4, 3), 50, np.uint8), np.full((2, 4, 3), 150, np.uint8)])
    assert np.array_equal(np.unique(recoloured(halves, 0, 0.1, 0, 0)), [45, 155])
    red = np.zeros((2, 2, 3), np.uint8) + np.array([200, 0, 0], np.uint8)
    assert (recoloured(red, 0, 0, -1, 0) == 43).all()  # its luma, 0.213 x 200
    by_a_third = recoloured(np.full((2, 2, 3), (140, 110, 110), np.uint8), 0, 0, 0, 1 / 3)[0, 0]
    assert by_a_third.argmax() == 1  # red becomes green


def test_each_change_does_what_it_says():
    rng = np.random.default_rng(1)
    smooth = np.repeat(np.repeat(NOISE[::12, ::12], 12, 0), 12, 1)
    grey = smooth[..., [0, 0, 0]]  # without colours, of which JPEG keeps every other pixel
    assert 0 < np.abs(augment._through_jpeg(grey, 95).astype(int) - grey).mean() < 3
    red = np.full((16, 16, 3), (250, 10, 10), np.uint8)
    assert np.abs(augment._through_jpeg(red, 95).astype(int) - red).max() < 6  # red and blue are not swapped
    assert augment._blurred(NOISE, rng).std() < NOISE.std()
    assert augment._sharpened(smooth, rng).std() > smooth.std()
    white = np.full((200, 300, 3), 255, np.uint8)
    black = (augment._with_grid(white, rng) == 0).mean()
    assert black == pytest.approx(0.16, abs=0.01)  # 0.4 x 0.4
    for _ in range(10):  # 10 to 25 holes of 20 to 40 px, which may overlap and lie inside
        share = (augment._with_holes(white, rng) == 0).mean()
        assert 20 * 20 / 60_000 < share <= 25 * 40 * 40 / 60_000
