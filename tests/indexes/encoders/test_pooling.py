import itertools
import math

import numpy as np
import pytest

from geosleuth.indexes.encoders.k_means import k_means, nearest_centres
from geosleuth.indexes.encoders.pooling import Gem, own, unit
from geosleuth.indexes.encoders.resizing import resized, target_shape
from geosleuth.indexes.encoders.vlad import Vlad, fitted_sharpness
from geosleuth.indexes.encoders.whitening import Whitening, fit_whitening
from geosleuth.indexes.errors import InputError


def rows(*values):
    return np.array(values, np.float32)


def test_gem_of_power_three_is_the_root_of_the_mean_cube():
    # Channel means of cubes: (27 + 64 + 125) / 3 = 72 and (1 + 1 + 1) / 3 = 1; cube roots 4.1602 and 1.
    pooled = Gem(3.0)(rows((3, 1), (4, 1), (5, 1)))
    expected = np.array([72 ** (1 / 3), 1.0]) / math.hypot(72 ** (1 / 3), 1.0)
    assert np.allclose(pooled, expected, atol=1e-6)


def test_gem_of_power_one_is_the_mean_and_negatives_count_as_none():
    assert np.allclose(Gem(1.0)(rows((6, -5), (0, 8))), (0.6, 0.8), atol=1e-6)


def test_a_zero_has_no_direction_and_becomes_the_diagonal():
    assert np.allclose(unit(np.zeros(4, np.float32)), 0.5)
    assert np.allclose(own(rows((3, 4))), (0.6, 0.8))


def test_k_means_finds_the_means_of_separate_heaps():
    points = rows((0, 0), (0, 2), (10, 10), (10, 12), (-20, 0))
    centres = k_means(points, 3)
    assert sorted(map(tuple, centres.tolist())) == [(-20.0, 0.0), (0.0, 1.0), (10.0, 11.0)]
    nearest, distance = nearest_centres(points, centres)
    assert np.allclose(distance, (1, 1, 1, 1, 0), atol=1e-4)
    assert nearest[0] == nearest[1] != nearest[2] == nearest[3]


def test_k_means_is_the_same_every_time_and_survives_equal_points():
    points = np.random.default_rng(1).normal(size=(500, 8)).astype(np.float32)
    assert np.array_equal(k_means(points, 10), k_means(points.copy(), 10))
    assert np.array_equal(k_means(np.ones((5, 2), np.float32), 3), np.ones((3, 2), np.float32))


def test_fewer_features_than_centres_are_refused():
    with pytest.raises(InputError, match="at least 4 local features for 4 centres; found 3"):
        k_means(np.eye(3, dtype=np.float32), 4)


def test_vlad_sums_residuals_per_centre_and_normalises_within_each():
    vlad = Vlad(rows((1, 0), (0, 1)), sharpness=None)
    # (0.6, 0.8) goes to the second centre, residual (0.6, -0.2); (1, 0) lies on the first: residual 0.
    length = math.hypot(0.6, -0.2)
    assert np.allclose(vlad(rows((0.6, 0.8), (1, 0))), (0, 0, 0.6 / length, -0.2 / length), atol=1e-6)
    # Twice the same facade is no more than once: that is what the normalisation within a centre is for.
    assert np.allclose(vlad(rows((0.6, 0.8), (0.6, 0.8))), vlad(rows((0.6, 0.8))), atol=1e-6)
    # The length of a local feature does not count.
    assert np.allclose(vlad(rows((3, 4))), vlad(rows((0.6, 0.8))), atol=1e-6)


def test_soft_vlad_weighs_by_the_distance():
    # |x - c|^2 is 0.8 and 0.4 for the unit vector (0.6, 0.8): weights in the ratio exp(-a (0.8 - 0.4)) = 1/3.
    sharpness = math.log(3) / 0.4
    vlad = Vlad(rows((1, 0), (0, 1)), sharpness=sharpness)
    first, second = np.array((-0.4, 0.8)) * 0.25, np.array((0.6, -0.2)) * 0.75
    expected = np.concatenate([first / np.linalg.norm(first), second / np.linalg.norm(second)]) / math.sqrt(2)
    assert np.allclose(vlad(rows((0.6, 0.8))), expected, atol=1e-5)
    # 0.4 apart: the second's share is 1/100 of the first's at ln(100) / 0.4.
    assert fitted_sharpness(rows((0.6, 0.8)), vlad.centres) == pytest.approx(math.log(100) / 0.4, rel=1e-4)


def test_a_picture_without_features_still_has_a_vector_of_length_one():
    assert np.linalg.norm(Vlad(rows((1, 0), (0, 1)), None)(np.zeros((0, 2), np.float32))) == pytest.approx(1)


def test_whitening_of_many_vectors_gives_nearly_equal_variances():
    corners = np.array(list(itertools.product((-10, 10), (-1, 1), (-0.1, 0.1))), np.float32)
    vectors = np.tile(corners, (50, 1))  # 400 with variances 100, 1 and 0.01 exactly
    whitening = fit_whitening(vectors, 2)
    mapped = np.stack([whitening(vector) for vector in vectors])
    # Shrunk by 2 / 400 towards their mean 50.5: 99.5 + 0.2525 and 0.995 + 0.2525.
    assert np.allclose(mapped.var(0), (100 / 99.7525, 1 / 1.2475), atol=1e-4)
    assert abs(np.corrcoef(mapped.T)[0, 1]) < 1e-4


def test_whitening_of_few_vectors_keeps_their_distances():
    # With n - 1 directions of n vectors, full whitening would make all distances equal.
    vectors = rows((0, 0, 0), (1, 0, 0), (9, 0, 0), (0, 5, 0))
    whitening = fit_whitening(vectors, 100)
    assert len(whitening.matrix) == 2  # four points of a plane
    mapped = np.stack([whitening(vector) for vector in vectors])
    near, far = np.linalg.norm(mapped[1] - mapped[0]), np.linalg.norm(mapped[2] - mapped[0])
    assert far > 5 * near
    with pytest.raises(InputError, match="different images"):
        fit_whitening(np.ones((3, 4), np.float32), 2)


def test_whitening_is_applied_and_the_result_has_length_one():
    whitening = Whitening(np.zeros(4, np.float32), np.eye(2, 4, dtype=np.float32))
    vlad = Vlad(rows((1, 0), (0, 1)), None, whitening)
    assert vlad.dimension == 2
    assert np.allclose(vlad(rows((1, 1e-3))), (0, 1), atol=1e-2)  # residual (0, +) of the first centre


def test_sizes_keep_the_aspect_in_steps_of_32():
    assert target_shape((768, 1024, 3), 512) == (384, 512)
    assert target_shape((610, 640, 3), 512) == (480, 512)  # 488 is nearer to 480 than to 512
    assert target_shape((20, 4000, 3), 512) == (32, 512)  # never nothing
    assert target_shape((768, 1024, 3), (384, 768)) == (384, 768)
    flat = resized(np.full((100, 300, 3), 77, np.uint8), (64, 64))
    assert flat.shape == (64, 64, 3)
    assert (flat == 77).all()
