import numpy as np
import pytest

from geosleuth.training.towns.making.shapes import (
    area_m2,
    bearing_deg,
    clip_to_square,
    inset,
    lot,
    rounded,
    sides_m,
    within,
)

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


def test_an_inset_moves_each_edge_by_its_own_width():
    inner = inset(SQUARE, np.array([1.0, 2.0, 3.0, 0.0]))  # south, east, north, west
    assert inner.tolist() == [[0.0, 1.0], [8.0, 1.0], [8.0, 7.0], [0.0, 7.0]]
    assert area_m2(inner) == 48.0


def test_an_inset_of_a_clockwise_polygon_keeps_its_widths():
    clockwise = SQUARE[::-1]  # edges: from the north-west corner east, south, west, north
    inner = inset(clockwise, np.array([3.0, 2.0, 1.0, 0.0]))
    assert sorted(inner.tolist()) == [[0.0, 1.0], [0.0, 7.0], [8.0, 1.0], [8.0, 7.0]]
    assert area_m2(inner) > 0


def test_nothing_is_left_of_a_small_block_between_wide_streets():
    assert inset(SQUARE, np.full(4, 6.0)) is None


def test_an_edge_of_no_length_has_no_inset():
    assert inset(SQUARE[[0, 0, 1, 2]], np.ones(4)) is None


def test_lots_are_cut_in_shares_of_the_block():
    assert lot(SQUARE, 0.2, 0.5, 0.0, 1.0).tolist() == [[2, 0], [5, 0], [5, 10], [2, 10]]
    assert within(SQUARE, np.array([0.5]), np.array([0.25])).tolist() == [[5.0, 2.5]]
    assert sides_m(SQUARE * (1, 2)) == (10.0, 20.0)


def test_rounding_cuts_corners_only():
    smooth = rounded(SQUARE, 2.0)
    assert smooth.shape == (16, 2)
    # The curve leaves out a third of a corner's triangle of 2 m2; three chords instead of the curve, a little more.
    assert 100 - 4 * 0.9 < area_m2(smooth) < 100 - 4 * 0.6


def test_segments_are_clipped_to_the_square():
    assert clip_to_square(np.array([[-5.0, 5.0], [15.0, 5.0]]), 0.0, 10.0).tolist() == [[0.0, 5.0], [10.0, 5.0]]
    assert clip_to_square(np.array([[-5.0, 12.0], [15.0, 12.0]]), 0.0, 10.0) is None
    assert clip_to_square(np.array([[9.0, 5.0], [30.0, 5.0]]), 0.0, 10.0) is None  # 1 m inside


@pytest.mark.parametrize(("x", "y", "degrees"), [(0, 1, 0), (1, 0, 90), (0, -1, 180), (-1, 0, 270)])
def test_bearings_go_clockwise_from_north(x, y, degrees):
    assert bearing_deg(x, y) == pytest.approx(degrees)
