import numpy as np
import pytest

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.recall import chance, distances_m, found


def test_distances_are_geodesic():
    # A degree of latitude at the equator is 110,574 m on WGS 84, one of longitude 111,320 m.
    metres = distances_m([LatLon(0, 0), LatLon(0.001, 0)], [LatLon(0, 0), LatLon(0.001, 0), LatLon(0, 0.001)])
    assert metres[0] == pytest.approx([0.0, 110.574, 111.320], abs=0.01)
    assert metres[1, :2] == pytest.approx([110.574, 0.0], abs=0.01)


METRES = np.array([[5.0, 20.0, 300.0, 400.0], [100.0, 200.0, 300.0, 24.0]])
ORDERS = [np.array([2, 1, 0, 3]), np.array([0, 1, 2, 3])]


def test_recall_of_a_known_ranking():
    assert found(ORDERS, METRES, 1, 25).tolist() == [False, False]
    assert found(ORDERS, METRES, 2, 25).tolist() == [True, False]
    assert found(ORDERS, METRES, 2, 10).tolist() == [False, False]
    assert found(ORDERS, METRES, 4, 25).tolist() == [True, True]


def test_chance_is_drawing_without_putting_back():
    everything = np.ones((2, 4), dtype=bool)
    assert chance(everything, METRES, 1, 25) == pytest.approx([2 / 4, 1 / 4])
    assert chance(everything, METRES, 2, 25) == pytest.approx(
        [1 - 1 / 6, 1 / 2]
    )  # 1 - C(2,2)/C(4,2); 1 - C(3,2)/C(4,2)
    not_itself = everything.copy()
    not_itself[0, 0] = False
    assert chance(not_itself, METRES, 1, 25) == pytest.approx([1 / 3, 1 / 4])
    assert chance(not_itself, METRES, 5, 25) == pytest.approx([1.0, 1.0])
