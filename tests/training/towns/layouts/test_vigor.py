import numpy as np
import pytest

from geosleuth.training.towns.layouts.vigor import CITIES, STEP_M, TILE_M, Grid, plan
from geosleuth.training.towns.making.build import build_town
from geosleuth.training.towns.places import Place
from geosleuth.training.towns.world import World

WORLD = World(layouts=("vigor",), towns=4, places=6, side_m=180.0, satellite_px=64)


def test_tiles_overlap_by_half_and_fill_the_town():
    # 180 m: tiles of 72 m from 0, 36, 72 and 108 m on
    grid = Grid.of(180.0)
    assert grid.per_side == 4
    assert grid.middle(0, 0) == Place(36.0, 36.0)
    assert grid.middle(3, 1) == Place(144.0, 72.0)


@pytest.mark.parametrize(
    ("x_m", "y_m", "own", "others"),
    [
        (40.0, 40.0, (0, 0), {(1, 0), (0, 1), (1, 1)}),  # 4 m from the first middle
        (60.0, 40.0, (1, 0), {(0, 0), (1, 1), (0, 1)}),  # 12 m from the middle at 72, 24 m from the one at 36
        (144.0, 144.0, (3, 3), {(2, 3), (3, 2), (2, 2)}),  # on the last middle: none lies beyond
        (36.0, 100.0, (0, 2), {(1, 2), (0, 1), (1, 1)}),  # 100 is 8 m from the middle at 108
    ],
)
def test_a_place_is_in_the_middle_quarter_of_its_own_tile_and_on_three_more(x_m, y_m, own, others):
    grid = Grid.of(180.0)
    shown = grid.showing(Place(x_m, y_m))
    assert shown[0] == own
    assert set(shown[1:]) == others
    middle = grid.middle(*own)
    assert max(abs(middle.x_m - x_m), abs(middle.y_m - y_m)) <= TILE_M / 4
    for tile in shown:
        middle = grid.middle(*tile)
        assert max(abs(middle.x_m - x_m), abs(middle.y_m - y_m)) <= STEP_M  # on the tile


def test_the_lists_have_13_columns_whose_offsets_lead_from_the_panorama_to_the_tile():
    town = build_town(WORLD.town_seed(1), side_m=WORLD.side_m)
    planned = plan(town, 1, WORLD)
    shots = {shot.about.file.rpartition("/")[2]: shot for shot in planned.shots}
    assert CITIES[1] == "NewYork"
    lines = planned.lists["splits/NewYork/pano_label_balanced.txt"]
    assert len(lines) == sum(shot.view == "panorama" for shot in shots.values()) >= 3
    for line in lines:
        name, *rest = line.split(" ")
        assert len(rest) == 12
        panorama = shots[name]
        assert name.endswith(",.jpg")
        lat, lon = (float(value) for value in name.split(",")[1:3])
        position = town.position(panorama.x_m, panorama.y_m)
        assert (lat, lon) == pytest.approx((position.lat, position.lon), abs=1e-6)
        for column in range(0, 12, 3):
            tile = shots[rest[column]]
            north_px, east_px = float(rest[column + 1]), float(rest[column + 2])
            # 72 m are 64 px
            assert north_px == pytest.approx((tile.y_m - panorama.y_m) * 64 / 72, abs=1e-3)
            assert east_px == pytest.approx((tile.x_m - panorama.x_m) * 64 / 72, abs=1e-3)
            assert max(abs(north_px), abs(east_px)) <= (16.001 if column == 0 else 32.001)
    halves = [planned.lists.get(f"splits/NewYork/same_area_balanced_{half}.txt", []) for half in ("train", "test")]
    assert sorted([*halves[0], *halves[1]]) == sorted(lines)
    own = [{line.split(" ")[1] for line in half} for half in halves]
    assert not own[0] & own[1]  # the tiles of the tests answer no panorama of the training
    gallery = planned.lists["splits/NewYork/satellite_list.txt"]
    assert len(set(gallery)) == len(gallery)
    assert {cell for line in lines for cell in line.split(" ")[1::3]} == set(gallery)


def test_a_tile_has_two_panoramas_at_most():
    world = World(layouts=("vigor",), towns=4, places=500, side_m=180.0)
    planned = plan(build_town(0, side_m=180.0), 0, world)
    tiles = [line.split(" ")[1] for line in planned.lists["splits/Chicago/pano_label_balanced.txt"]]
    assert np.unique(tiles, return_counts=True)[1].max() <= 2


def test_what_the_panorama_shows_on_the_ground_lies_there_on_its_four_tiles():
    """Offsets, north, and metres agree: labels below the horizon are the tile's labels where their rays end."""
    world = World(layouts=("vigor",), towns=4, places=2, side_m=180.0, satellite_px=144, panorama_px=(64, 128))
    town = build_town(1, side_m=180.0)
    planned = plan(town, 1, world)
    labels = {shot.about.file.rpartition("/")[2]: shot.take().labels for shot in planned.shots}
    right, mirrored = [], []
    rows, columns = np.meshgrid(np.arange(35, 48), np.arange(128), indexing="ij")
    away_m = 2.5 / np.tan(np.radians((rows + 0.5) * 180 / 64 - 90))  # 2.5 m: the camera on a car
    north_m = away_m * np.cos(np.radians((columns + 0.5) * 360 / 128 - 180))
    east_m = away_m * np.sin(np.radians((columns + 0.5) * 360 / 128 - 180))
    for line in planned.lists["splits/NewYork/pano_label_balanced.txt"]:
        cells = line.split(" ")
        seen = labels[cells[0]][rows, columns]
        for column in range(1, 13, 3):
            tile = labels[cells[column]]
            row = 72 + float(cells[column + 1]) - north_m * 2  # 144 px are 72 m
            for sign, agreed in ((1, right), (-1, mirrored)):
                place = 72 - float(cells[column + 2]) + sign * east_m * 2
                inside = (row >= 0) & (row < 144) & (place >= 0) & (place < 144)
                agreed.append((tile[row[inside].astype(int), place[inside].astype(int)] == seen[inside]).mean())
    assert np.mean(right) > 0.75  # cars and walls hide the rest
    assert np.mean(right) > np.mean(mirrored) + 0.05
