import math

import pytest

from geosleuth.indexes.gallery.sources.web_mercator import EQUATOR_M, Tile, row_from_south


def test_the_world_is_one_tile_around_the_origin():
    tile = Tile(0, 0, 0)
    assert tile.middle == pytest.approx((0.0, 0.0), abs=1e-12)
    assert tile.side_m == pytest.approx(40_075_016.69, abs=0.01)  # the equator


def test_the_north_east_quarter():
    # Middle: a quarter of the way down, so latitude atan(sinh(pi / 2)) = 66.5133; three quarters across, so 90 east.
    tile = Tile(1, 1, 0)
    assert tile.middle == pytest.approx((66.51326044, 90.0), abs=1e-8)
    # cos(atan(sinh(pi / 2))) = 1 / cosh(pi / 2) = 0.398537, of half the equator.
    assert tile.side_m == pytest.approx(20_037_508.34 * 0.3985368, rel=1e-6)


def test_a_tile_of_berlin():
    # Brandenburg Gate, 52.5163 N 13.3777 E, by the formula that OpenStreetMap's wiki gives for slippy maps:
    # x = floor((13.3777 + 180) / 360 * 2^17); y = floor((1 - asinh(tan 52.5163) / pi) / 2 * 2^17)
    x, y = 70406, 42987
    lat, lon = Tile(17, x, y).middle
    assert abs(lat - 52.5163) < 0.00085  # half of a tile's height: 360 / 2^17 * cos(lat) / 2
    assert abs(lon - 13.3777) < 0.00138  # half of its width: 360 / 2^17 / 2
    assert Tile(17, x, y).side_m == pytest.approx(EQUATOR_M / 2**17 * math.cos(math.radians(52.5163)), rel=1e-4)


def test_rows_from_the_south():
    assert [row_from_south(2, row) for row in range(4)] == [3, 2, 1, 0]
    assert row_from_south(0, 0) == 0


@pytest.mark.parametrize(("zoom", "x", "y"), [(0, 1, 0), (2, 4, 0), (2, 0, 4), (2, -1, 0), (31, 0, 0), (-1, 0, 0)])
def test_tiles_that_no_zoom_has(zoom, x, y):
    assert not Tile(zoom, x, y).exists


def test_the_last_tile_of_a_zoom_exists():
    assert Tile(2, 3, 3).exists
