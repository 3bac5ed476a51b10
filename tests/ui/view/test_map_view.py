import math
from types import ModuleType

import pytest

from geosleuth.ui.view.map_view import WORLD, bounds_of, outer_rings, view_of


def box(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def test_bounds_of_two_boxes_on_one_side() -> None:
    assert bounds_of([box(5, 40, 10, 50), box(12, 45, 14, 55)]) == (5, 40, 14, 55)


def test_bounds_across_the_date_line_go_on_beyond_180() -> None:
    """Fiji: 175 to 180 and -180 to -175 are one box of 10 degrees, not of 360."""
    assert bounds_of([box(175, -20, 180, -15), box(-180, -20, -175, -15)]) == (175, -20, 185, -15)


def test_bounds_leave_out_the_widest_gap() -> None:
    """Lisbon, Tokyo, Los Angeles: of 109, 148 and 103 degrees between them, Eurasia's 148 are the widest."""
    west, _, east, _ = bounds_of([[(-9, 38)], [(139, 35)], [(-118, 34)]])
    assert (west, east) == (139, 351)


def test_bounds_of_rings_all_around_the_world() -> None:
    assert bounds_of([box(-180, 0, 10, 5), box(0, 0, 180, 5)]) == (-180.0, 0, 180.0, 5)


def test_fiji_is_seen_whole(answers: ModuleType) -> None:
    view = view_of(answers.answer(), 460)
    assert (abs(view.lon), view.bounds) == (180.0, (175.0, -20.0, 185.0, -15.0))
    assert -18 < view.lat < -17  # the middle as drawn, somewhat poleward of -17.5 by Mercator: see below
    # 10 degrees on 85 % of 340 px: 512 * 2^zoom / 36 px wide.
    assert view.zoom == pytest.approx(math.log2(0.85 * 340 * 36 / 512))


def test_a_place_that_cannot_be_told_is_the_world(answers: ModuleType) -> None:
    assert view_of(answers.nowhere(), 460).bounds == WORLD
    assert view_of(answers.nowhere(), 460).zoom == 0.0


def test_a_point_alone_is_not_shown_closer_than_there_is_anything_to_see(answers: ModuleType) -> None:
    view = view_of(answers.answer(regions={"features": []}), 460)
    assert (view.lat, view.lon) == (pytest.approx(-17.8), pytest.approx(178.0))
    assert math.log2(0.85 * 340 * 360 / 0.02 / 512) > 13  # what 2 km would take
    assert view.zoom == 13.0


def test_rings_of_both_kinds_of_geometry() -> None:
    ring = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    hole = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.1]]
    tuples = [tuple(corner) for corner in ring]
    assert list(outer_rings([ring, hole])) == [tuples]
    assert list(outer_rings([[ring, hole], [ring]])) == [tuples, tuples]
