"""Geometry over point pairs whose truth is known, without any picture."""

from __future__ import annotations

import numpy as np
import pytest

from geosleuth.tools.local_features import Pairs
from geosleuth.tools.two_view import two_view

SIZE = (1000, 800)


def pairs(query: np.ndarray, reference: np.ndarray) -> Pairs:
    return Pairs(query.astype(np.float32), reference.astype(np.float32), SIZE, SIZE)


def two_cameras(n: int, seed: int = 0, *, box: tuple[float, float, float, float] = (-1, 1, -0.8, 0.8)) -> Pairs:
    """Points of a wall and of things before it, seen from 0 and from 1 m to the right and 2 m ahead; f = 800 px."""
    rng = np.random.default_rng(seed)
    depth = np.where(np.arange(n) % 2, 12.0, rng.uniform(8, 20, n))
    x, y = rng.uniform(box[0], box[1], n) * 0.5 * depth, rng.uniform(box[2], box[3], n) * 0.5 * depth
    first = np.stack([800 * x / depth + 500, 800 * y / depth + 400], axis=1)
    second = np.stack([800 * (x - 1) / (depth - 2) + 500, 800 * y / (depth - 2) + 400], axis=1)
    return pairs(first, second)


def joined(*parts: Pairs) -> Pairs:
    return pairs(np.concatenate([p.query for p in parts]), np.concatenate([p.reference for p in parts]))


def chance(n: int, seed: int = 1) -> Pairs:
    rng = np.random.default_rng(seed)
    return pairs(rng.uniform(0, SIZE, (n, 2)), rng.uniform(0, SIZE, (n, 2)))


def test_a_scene_from_two_places_agrees_and_the_false_pairs_are_told_apart() -> None:
    found = two_view(joined(two_cameras(60), chance(60)))
    assert found.agrees
    assert found.inliers[:60].sum() >= 55  # MAGSAC++ stops when it is sure, not when the last pair is in
    assert found.inliers[60:].sum() <= 5  # an epipolar line of 3 px meets 3 px of 800: one in 250, and the best of many
    assert found.left_out <= 3  # near the point that the camera moves to, the scene stands still


def test_the_same_pairs_give_the_same_inliers_also_in_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    given = [joined(two_cameras(30, seed), chance(80, seed)) for seed in range(8)]
    alone = [two_view(one).inliers for one in given]
    with ThreadPoolExecutor(8) as workers:
        for _ in range(3):
            for one, other in zip(alone, workers.map(two_view, given), strict=True):
                assert np.array_equal(one, other.inliers)


@pytest.mark.parametrize("n", [0, 1, 7, 23, 120])
def test_pairs_by_chance_do_not_agree(n: int) -> None:
    found = two_view(chance(n))
    assert not found.agrees
    assert "unrelated pictures reach as many by chance; it takes 24" in found.reason
    assert found.inliers.shape == (n,)


def test_more_pairs_need_more_that_agree() -> None:
    found = two_view(joined(two_cameras(30), chance(170)))
    assert found.reason.endswith("it takes 40")  # a fifth of 200
    assert not found.agrees


def test_one_sign_is_no_scene() -> None:
    # A poster of a tenth of the picture's width and height, 1 % of it, moved and turned a little.
    rng = np.random.default_rng(0)
    poster = rng.uniform((400, 300), (500, 380), (60, 2))
    turned = (poster - 450) @ np.array([[0.9, 0.1], [-0.1, 0.9]]) + (300, 500)
    found = two_view(joined(pairs(poster, turned), chance(40)))
    assert not found.agrees
    assert "may be a sign or a poster" in found.reason


def test_a_facade_that_fills_the_picture_is_a_scene_though_it_is_flat() -> None:
    rng = np.random.default_rng(0)
    facade = rng.uniform((100, 100), (900, 700), (60, 2))
    assert two_view(joined(pairs(facade, facade * (0.8, 0.85) + (60, 20)), chance(40))).agrees


def test_an_overlay_is_left_out_and_a_copy_is_not() -> None:
    rng = np.random.default_rng(0)
    bonnet = rng.uniform((0, 640), (1000, 800), (200, 2))
    stamp = rng.uniform((0, 0), (300, 30), (40, 2))
    overlay = pairs(np.concatenate([bonnet, stamp]), np.concatenate([bonnet, stamp]) + 3)
    found = two_view(joined(overlay, chance(60)))
    assert not found.agrees
    assert found.left_out >= 240
    assert "stand at the same place in both frames and were left out" in found.reason
    beside = two_view(joined(overlay, two_cameras(60)))
    assert beside.agrees  # the scene above the bonnet still counts, by itself
    assert not beside.inliers[:240].any()
    everywhere = rng.uniform((0, 0), SIZE, (300, 2))
    copy = two_view(pairs(everywhere, everywhere))
    assert copy.agrees
    assert copy.left_out == 0


def test_a_bonnet_that_has_moved_is_no_scene() -> None:
    rng = np.random.default_rng(0)
    bonnet = rng.uniform((0, 600), (1000, 800), (80, 2))
    moved = bonnet * (0.9, 0.98) + (80, 14)  # remounted: nearer the middle, and up to 30 px off its place
    found = two_view(joined(pairs(bonnet, moved), chance(40)))
    assert not found.agrees
    assert "lower edge" in found.reason


def test_tiles_shifted_as_a_whole_are_a_watermark_unless_most_pairs_do_so() -> None:
    rng = np.random.default_rng(0)
    tiles = rng.uniform((50, 50), (800, 700), (40, 2))
    found = two_view(joined(pairs(tiles, tiles + np.array([150, 0])), chance(100)))
    assert not found.agrees
    assert "repeated watermark" in found.reason
    crop = rng.uniform((200, 100), (1000, 800), (300, 2))
    assert two_view(joined(pairs(crop, crop - (200, 100)), chance(60))).agrees
