import importlib.util
from pathlib import Path

import numpy as np
import pytest

from geosleuth.training.towns.town import NOTHING
from geosleuth.training.towns.views.camera import Camera
from geosleuth.training.towns.views.rays import Eye, Rays, cast
from geosleuth.training.towns.views.scene import scene_of

spec = importlib.util.spec_from_file_location("hand_town", Path(__file__).parent.with_name("hand_town.py"))
hand = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hand)


def nowhere(x, y, z):
    return (np.zeros(len(x)),) * 4


def rays(eye: Eye, compass_deg, slopes, pixel_rad: float = 0.001) -> Rays:
    """One column per direction, one row per slope."""
    compass = np.radians(np.asarray(compass_deg, dtype=np.float32))
    column = np.arange(len(compass))[None, :]
    return Rays(eye, compass, column, np.asarray(slopes, dtype=np.float32)[:, None], pixel_rad, nowhere)


def test_wall_ground_roof_and_sky_are_met_where_geometry_says() -> None:
    scene = scene_of(hand.hand_town())
    high = Eye(60.0, 60.0, 30.0)  # 15 m above the red block, whose wall is 20 m and whose back is 30 m away
    hits = cast(scene, scene.whole, rays(high, [0.0], [0.1, -0.6, -1.0, -2.0]), reach_m=200.0)
    assert hits.sky[:, 0].tolist() == [True, False, False, False]
    assert hits.wall[:, 0].tolist() == [False, False, True, False]
    # -0.6 comes down to the roof at 15 / 0.6 = 25 m; -1 to the wall 20 m away, 10 m up; -2 to the ground at 15 m.
    assert hits.distance_m[1:, 0] == pytest.approx([25.0, 20.0, 15.0], abs=1e-3)
    assert hits.z_m[1:, 0] == pytest.approx([15.0, 10.0, 0.0], abs=1e-3)
    assert hits.owner[:, 0].tolist() == [NOTHING, 0, 0, NOTHING]


@pytest.mark.parametrize("compass", [0.0, 10.0, 350.0])
def test_a_wall_is_as_far_in_a_slanted_direction_as_trigonometry_says(compass: float) -> None:
    scene = scene_of(hand.hand_town())
    hits = cast(scene, scene.whole, rays(Eye(60.0, 60.0, 2.5), [compass], [0.0]), reach_m=200.0)
    assert hits.distance_m[0, 0] == pytest.approx(20.0 / np.cos(np.radians(compass)), abs=1e-3)


def test_every_ray_agrees_with_a_march_of_small_steps() -> None:
    town = hand.hand_town()
    scene, eye = scene_of(town), Eye(61.3, 58.7, 9.0)
    compass, slopes = np.arange(0.5, 360, 7.3), np.array([-1.2, -0.5, -0.2, -0.02, 0.05, 0.3])
    hits = cast(scene, scene.whole, rays(eye, compass, slopes), reach_m=55.0)
    step = 0.02
    for row, slope in enumerate(slopes):
        for column, way in enumerate(np.radians(compass)):
            away = np.arange(step, 54.0, step)
            x, y, z = eye.x_m + away * np.sin(way), eye.y_m + away * np.cos(way), eye.z_m + slope * away
            top = np.where((x > 0) & (x < 120) & (y > 0) & (y < 120), 1.0, 0.0)
            cell = np.clip(119 - np.floor(y).astype(int), 0, 119), np.clip(np.floor(x).astype(int), 0, 119)
            below = z <= top * town.height_m[cell]
            if below.any():
                assert hits.distance_m[row, column] == pytest.approx(away[below.argmax()], abs=3 * step)
            else:
                assert hits.sky[row, column] or hits.distance_m[row, column] > 53.9


def test_blocks_of_cells_far_away_move_a_wall_by_less_than_a_pixel() -> None:
    town = hand.hand_town(cell_m=0.25)
    scene, eye = scene_of(town), Eye(60.0, 20.0, 2.5)  # 60 m from the wall
    pixel = 0.02  # blocks of four cells from 25 m, of eight from 50 m
    hits = cast(scene, scene.whole, rays(eye, [0.0, 3.0], [0.0], pixel), reach_m=200.0)
    assert hits.owner[0].tolist() == [0, 0]
    assert np.abs(hits.distance_m[0] - 60.0 / np.cos(np.radians([0.0, 3.0]))).max() < pixel * 60.0 * 1.01


def test_what_the_eye_stands_in_is_seen_through() -> None:
    scene = scene_of(hand.hand_town())
    hits = cast(scene, scene.whole, rays(Eye(60.0, 85.0, 2.5), [180.0], [0.0, -0.1]), reach_m=30.0)
    assert hits.sky[0, 0]
    assert hits.distance_m[1, 0] == pytest.approx(25.0, abs=1e-3)


def test_a_town_ends_in_open_ground() -> None:
    scene = scene_of(hand.hand_town())
    hits = cast(scene, scene.whole, rays(Eye(5.0, 5.0, 2.0), [270.0], [-0.1, -0.001]), reach_m=50.0)
    assert hits.cell[:, 0].tolist() == [scene.outside] * 2
    assert hits.distance_m[:, 0] == pytest.approx([20.0, 2000.0], rel=1e-3)


@pytest.mark.parametrize("pitch", [0.0, 12.0, -40.0, -90.0])
def test_a_camera_sees_a_point_in_the_pixel_whose_ray_leads_to_it(pitch: float) -> None:
    camera = Camera(Eye(60.0, 60.0, 20.0), 30.0, pitch, 70.0, 48, 64)
    view = camera.rays()
    row, column = 35, 20
    way = view.compass[np.broadcast_to(view.column, view.shape)[row, column]]
    slope = view.slope[row, column]
    at = [np.array([v]) for v in (60 + 9 * np.sin(way), 60 + 9 * np.cos(way), 20 + 9 * slope)]
    found = camera.project(*at)
    assert found[0][0] == pytest.approx(row + 0.5, abs=0.5)
    assert found[1][0] == pytest.approx(column + 0.5, abs=0.5)
    assert found[2][0] > 0
