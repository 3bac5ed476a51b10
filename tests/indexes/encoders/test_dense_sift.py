import numpy as np

from geosleuth.indexes.encoders.dense_sift import DenseSift, dense_rootsift


def test_a_plain_picture_has_no_features_and_a_tiny_one_neither():
    assert dense_rootsift(np.full((64, 64, 3), 90, np.uint8)).shape == (0, 128)
    assert dense_rootsift(np.zeros((8, 8, 3), np.uint8)).shape == (0, 128)


def test_a_vertical_edge_has_its_gradient_to_the_right():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 32:] = 200
    features = dense_rootsift(picture)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    by_orientation = (features**2).reshape(-1, 16, 8).sum((0, 1))
    assert by_orientation.argmax() == 0  # dark to bright along x: angle 0
    assert by_orientation[0] > 0.99 * by_orientation.sum()


def test_brightness_and_contrast_do_not_matter():
    rng = np.random.default_rng(0)
    dark = np.repeat(rng.integers(0, 100, (64, 64, 1), np.uint8), 3, axis=2)
    bright = (2 * dark + 30).astype(np.uint8)
    assert np.allclose(dense_rootsift(dark), dense_rootsift(bright), atol=2e-3)


def test_the_grid_has_a_feature_per_8_px_and_scale():
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    # Along a side of s px with a region of r: (s - r) // 8 + 1. 7 x 11, 6 x 10, 5 x 9, 4 x 8.
    assert len(dense_rootsift(noise)) == 77 + 60 + 45 + 32
    (local,) = DenseSift().local([noise])
    assert np.array_equal(local, dense_rootsift(noise))
