import math

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.submap import MOST_COUNTRIES, select_submap, whole_world, with_enough

BELIEF = {"PL": 0.06, "DE": 0.60, "US": 0.04, "FR": 0.30}


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


def test_date_line_is_cut_and_crossed():
    submap = select_submap({"FJ": 1.0})
    west, south, east, north = submap.frame.geometry.iloc[0].bounds
    assert (west, east) == (-180.0, 180.0)
    assert -25.0 < south < north < -10.0  # no bar around the Earth beyond Fiji's latitudes
    assert submap.contains([-17.8, -16.85, -16.85, -16.85, -17.8], [178.0, 180.0, -180.0, -179.98, 0.0]).tolist() == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_south_pole_is_in_antarctica():
    assert select_submap({"AQ": 1.0}).contains([-90.0, -89.9, -50.0], [0.0, 135.0, 0.0]).tolist() == [True, True, False]


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


def test_a_submap_that_leaves_too_few_gives_way():
    submap = select_submap({"CH": 1.0})
    assert with_enough(submap, references=20, of=1000) is submap
    wide = with_enough(submap, references=19, of=1000)
    assert wide.is_whole_world
    assert wide.reason == "the whole world, because the submap leaves 19 of 1000 references, fewer than 20"
    assert with_enough(submap, references=12, of=12) is submap  # all of a small gallery is inside
    assert with_enough(submap, references=11, of=12).is_whole_world
    world = whole_world("of a test")
    assert with_enough(world, references=0, of=1000) is world


def test_the_outline_is_the_union_of_the_countries():
    submap = select_submap({"NZ": 0.6, "AU": 0.4}, share=1.0)
    east = submap.geometry.bounds
    assert (east[0], east[2]) == (-180.0, 180.0)  # New Zealand has the Chathams beyond the date line
    wellington, perth, jakarta = (-41.29, 174.78), (-31.95, 115.86), (-6.2, 106.8)
    assert submap.contains(*zip(wellington, perth, jakarta, strict=True)).tolist() == [True, True, False]
    assert submap.contains(-43.95, 183.45).tolist() == [True]  # Chatham, by a longitude beyond 180
