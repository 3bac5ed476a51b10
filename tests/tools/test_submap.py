import math

import numpy as np
import pytest
from pyproj import Geod

from geosleuth.indexes.errors import InputError
from geosleuth.tools.submap import MOST_COUNTRIES, buffered_country, buffered_line, select_submap

BELIEF = {"PL": 0.06, "DE": 0.60, "US": 0.04, "FR": 0.30}


def area_km2(geometry):
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(geometry)[0]) / 1e6


def test_fewest_countries_in_the_order_of_the_belief():
    submap = select_submap(BELIEF, share=0.95)
    assert submap.countries == ("DE", "FR", "PL")  # 0.60 + 0.30 = 0.90 is short of 0.95; with Poland 0.96
    assert submap.share_held == pytest.approx(0.96)
    assert submap.reason is None
    assert submap.frame["code"].tolist() == ["DE", "FR", "PL"]
    assert submap.frame["name"].tolist() == ["Germany", "France", "Poland"]
    assert submap.frame["probability"].tolist() == pytest.approx([0.60, 0.30, 0.06])
    assert submap.frame.crs == "EPSG:4326"


def test_share_that_is_met_exactly_needs_no_further_country():
    assert select_submap(BELIEF, share=0.90).countries == ("DE", "FR")


def test_weights_are_normalised_and_ties_go_by_code():
    submap = select_submap({"PL": 2.0, "DE": 2.0}, share=0.5)
    assert submap.countries == ("DE",)
    assert submap.share_held == 0.5


def test_contains_includes_the_buffer_and_nothing_beyond():
    submap = select_submap({"CH": 1.0}, buffer_km=50.0)
    # Bern; Dijon (110 km west of Switzerland); Mulhouse (30 km); Lyon (110 km from Geneva); Milan (45 km)
    lats, lons = [46.948, 47.322, 47.750, 45.764, 45.464], [7.447, 5.041, 7.336, 4.836, 9.190]
    assert submap.contains(lats, lons).tolist() == [True, False, True, False, True]
    assert not select_submap({"CH": 1.0}, buffer_km=0.0).contains(47.750, 7.336)[0]


def test_buffer_is_in_km_at_any_latitude():
    # A point widened by 50 km is a disc of pi * 50^2 = 7854 km2 (7 854 * (1 - 50^2 / (12 * 6371^2)) on the sphere)
    for lat in (0.0, 47.0, -75.0, 85.0):
        disc = buffered_line(np.array([[10.0, lat], [10.0, lat + 1e-9]]), 50.0)
        assert area_km2(disc) == pytest.approx(math.pi * 50.0**2, rel=0.02)  # GEOS draws circles as 32-gons; ellipsoid


def test_vatican_widened_is_a_disc():
    # 0.44 km2, so about 0.4 km across the half: a disc of radius 50 to 51 km
    assert math.pi * 50.0**2 * 0.98 < area_km2(buffered_country("VA", 50.0)) < math.pi * 51.0**2


def test_date_line_is_cut_and_crossed():
    submap = select_submap({"FJ": 1.0})
    west, south, east, north = submap.frame.geometry.iloc[0].bounds
    assert (west, east) == (-180.0, 180.0)
    assert -25.0 < south < north < -10.0  # no bar around the Earth beyond Fiji's latitudes
    assert submap.contains([-17.8, -16.85, -16.85, -16.85, -17.8], [178.0, 180.0, -180.0, -179.98, 0.0]).tolist() == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_a_line_along_the_date_line_widens_to_both_sides():
    strip = buffered_line(np.array([[180.0, 60.0], [180.0, 62.0]]), 100.0)
    assert strip.geom_type == "MultiPolygon"
    assert strip.bounds[0] == -180.0
    assert strip.bounds[2] == 180.0
    # 2 degrees (222 km) long, 200 km wide, and a disc of 100 km radius at the ends
    assert area_km2(strip) == pytest.approx(222.4 * 200.0 + math.pi * 100.0**2, rel=0.02)


def test_south_pole_is_in_antarctica():
    assert select_submap({"AQ": 1.0}).contains([-90.0, -89.9, -50.0], [0.0, 135.0, 0.0]).tolist() == [True, True, False]


@pytest.mark.parametrize("code", ["RU", "US", "NZ", "CA", "AQ", "KI", "NO"])
def test_buffers_are_valid_and_hold_their_country(code):
    inner, outer = buffered_country(code, 0.0), buffered_country(code, 50.0)
    assert outer.is_valid
    assert outer.area > inner.area
    assert inner.difference(outer).area == pytest.approx(0.0, abs=1e-9)
    assert outer.bounds[0] >= -180.0
    assert outer.bounds[2] <= 180.0


@pytest.mark.parametrize("belief", [{}, {"DE": 0.0}])
def test_no_belief_is_the_whole_world(belief):
    submap = select_submap(belief)
    assert submap.countries == ()
    assert submap.reason == "the whole world, because there is no belief about countries yet"
    assert submap.contains([90.0, -90.0, 10.0], [0.0, 0.0, 180.0]).all()


def test_flat_belief_is_the_whole_world():
    from geosleuth.indexes.countries import country_codes

    flat = dict.fromkeys(country_codes(), 1.0)
    submap = select_submap(flat, share=0.95)
    assert submap.countries == ()
    assert "238 countries to hold 95%" in submap.reason  # 0.95 * 250 = 237.5
    few = dict.fromkeys(country_codes()[:MOST_COUNTRIES], 1.0)
    assert len(select_submap(few, share=1.0, buffer_km=0.0).countries) == MOST_COUNTRIES


@pytest.mark.parametrize(
    ("belief", "share", "buffer_km", "message"),
    [
        ({"XX": 1.0}, 0.95, 50.0, "ISO 3166-1"),
        ({"DE": -0.1}, 0.95, 50.0, "probability for DE"),
        ({"DE": math.nan}, 0.95, 50.0, "probability for DE"),
        ({"DE": 1.0}, 0.0, 50.0, "share of the belief"),
        ({"DE": 1.0}, 1.5, 50.0, "share of the belief"),
        ({"DE": 1.0}, 0.95, -1.0, "buffer from 0"),
    ],
)
def test_errors_say_what_was_wanted(belief, share, buffer_km, message):
    with pytest.raises(InputError, match=message):
        select_submap(belief, share, buffer_km)
