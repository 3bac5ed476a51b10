"""Local features of made pictures whose geometry is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.local_features import MOST_POINTS, Pairs, local_features, one_per_place, pair_up
from geosleuth.tools.matching import load_matcher, match_pictures, match_prepared


def wall(seed: int, size: tuple[int, int] = (640, 480)) -> Pixels:
    """Coarse noise in colour: corners everywhere, and no two alike."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


TURN = np.array([[0.9, -0.1, 60.0], [0.08, 0.92, 10.0], [1e-4, 5e-5, 1.0]])


def seen_from_elsewhere(pixels: Pixels) -> Pixels:
    size = (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.warpPerspective(pixels, TURN, size, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def test_a_wall_is_found_again_and_the_points_are_where_they_are() -> None:
    found = match_pictures(wall(0), seen_from_elsewhere(wall(0)))
    assert found.verdict == "match"
    assert found.inliers >= 100
    query, reference = found.pairs.query[found.geometry.inliers], found.pairs.reference[found.geometry.inliers]
    expected = cv2.perspectiveTransform(query[None].astype(np.float64), TURN)[0]
    assert np.median(np.linalg.norm(reference - expected, axis=1)) < 1.0
    assert len(found.points()) == 100
    assert found.points()[0][:2] == tuple(round(float(v), 1) for v in query[0])


def test_two_walls_do_not_match_and_a_wall_matches_itself() -> None:
    assert match_pictures(wall(0), wall(1)).verdict == "no_match"
    itself = match_pictures(wall(0), wall(0))
    assert itself.verdict == "match"
    assert itself.geometry.left_out == 0


def test_the_same_pair_gives_the_same_answer() -> None:
    first, second = (match_pictures(wall(0), seen_from_elsewhere(wall(0))) for _ in range(2))
    assert first.points() == second.points()
    assert np.array_equal(first.geometry.inliers, second.geometry.inliers)


@pytest.mark.parametrize(
    "flat",
    [
        np.full((480, 640, 3), 128, np.uint8),  # one colour: no point
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((2, 4000, 3), np.uint8),
        np.asarray(np.indices((480, 640)).sum(axis=0)[..., None] // 5 * [1, 1, 1], dtype=np.uint8),  # a slope of grey
        np.asarray(np.indices((480, 640))[1][..., None] // 16 % 2 * [255, 255, 255], dtype=np.uint8),  # stripes
        np.asarray((np.indices((480, 640)) // 20).sum(axis=0)[..., None] % 2 * [255, 255, 255], dtype=np.uint8),
    ],
)
def test_pictures_without_distinct_points_match_no_wall(flat: Pixels) -> None:
    assert match_pictures(flat, wall(0)).verdict == "no_match"
    assert match_pictures(wall(0), flat).verdict == "no_match"


def test_a_large_picture_is_reduced_and_its_points_are_in_full_pixels() -> None:
    large = np.asarray(cv2.resize(wall(0), (2560, 1920), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    features = local_features(large)
    assert features.size == (2560, 1920)
    assert 0 < len(features.points) <= MOST_POINTS
    assert features.points[:, 0].max() > 2000
    assert np.allclose(np.linalg.norm(features.descriptors, axis=1), 1.0, atol=1e-3)
    found = match_pictures(wall(0), large)
    query, reference = found.pairs.query[found.geometry.inliers], found.pairs.reference[found.geometry.inliers]
    assert found.verdict == "match"
    assert np.median(np.abs(reference - 4 * query)) < 4.0  # one pixel of the small one


def test_a_query_is_prepared_once_for_many() -> None:
    matcher = load_matcher("embedded")
    query = matcher.prepare(wall(0))
    assert match_prepared(matcher, query, matcher.prepare(seen_from_elsewhere(wall(0)))).verdict == "match"
    assert match_prepared(matcher, query, matcher.prepare(wall(2))).verdict == "no_match"
    assert load_matcher("embedded") is matcher


def test_pairs_are_each_others_nearest() -> None:
    features = local_features(wall(0))
    pairs = pair_up(features, features)
    assert np.array_equal(pairs.query, pairs.reference)
    assert len(pairs) > 0.5 * len(features.points)


def test_one_witness_per_pixel() -> None:
    query = np.array([[10, 10], [10.2, 9.9], [20, 20], [30, 30]], np.float32)
    reference = np.array([[1, 1], [5, 5], [7, 7], [7.1, 7.0]], np.float32)
    kept = one_per_place(Pairs(query, reference, (100, 100), (100, 100)))
    assert kept.query.tolist() == [[10, 10], [20, 20]]
    assert kept.reference.tolist() == [[1, 1], [7, 7]]


def test_a_spec_that_is_no_matcher_is_refused() -> None:
    with pytest.raises(InputError, match="role matching"):
        load_matcher("timm:convnext_base")
