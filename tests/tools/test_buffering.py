import math

import numpy as np
import pytest
from pyproj import Geod

from geosleuth.tools.buffering import buffered_country, buffered_line


def area_km2(geometry):
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(geometry)[0]) / 1e6


def test_buffer_is_in_km_at_any_latitude():
    # A point widened by 50 km is a disc of pi * 50^2 = 7854 km2 (7 854 * (1 - 50^2 / (12 * 6371^2)) on the sphere)
    for lat in (0.0, 47.0, -75.0, 85.0):
        disc = buffered_line(np.array([[10.0, lat], [10.0, lat + 1e-9]]), 50.0)
        assert area_km2(disc) == pytest.approx(math.pi * 50.0**2, rel=0.02)  # GEOS draws circles as 32-gons; ellipsoid


def test_vatican_widened_is_a_disc():
    # 0.44 km2, so about 0.4 km across the half: a disc of radius 50 to 51 km
    assert math.pi * 50.0**2 * 0.98 < area_km2(buffered_country("VA", 50.0)) < math.pi * 51.0**2


def test_a_line_along_the_date_line_widens_to_both_sides():
    strip = buffered_line(np.array([[180.0, 60.0], [180.0, 62.0]]), 100.0)
    assert strip.geom_type == "MultiPolygon"
    assert strip.bounds[0] == -180.0
    assert strip.bounds[2] == 180.0
    # 2 degrees (222 km) long, 200 km wide, and a disc of 100 km radius at the ends
    assert area_km2(strip) == pytest.approx(222.4 * 200.0 + math.pi * 100.0**2, rel=0.02)


@pytest.mark.parametrize("code", ["RU", "US", "NZ", "CA", "AQ", "KI", "NO"])
def test_buffers_are_valid_and_hold_their_country(code):
    inner, outer = buffered_country(code, 0.0), buffered_country(code, 50.0)
    assert outer.is_valid
    assert outer.area > inner.area
    assert inner.difference(outer).area == pytest.approx(0.0, abs=1e-9)
    assert outer.bounds[0] >= -180.0
    assert outer.bounds[2] <= 180.0
