"""The form of time and shadow: what it says as a statement."""

from datetime import UTC, date, datetime, time

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.sun_form import sun_stated

DAY, NOON = date(2024, 6, 1), time(12, 30)


def test_a_shadow_as_long_as_what_casts_it_is_a_sun_at_45_degrees():
    move = sun_stated(DAY, NOON, utc=True, shadow_towards_deg=None, height=2.0, shadow=2.0).move
    assert move.elevation_deg == pytest.approx(45.0)
    assert move.azimuth_deg is None
    assert move.taken == datetime(2024, 6, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(("shadow", "sun"), [(0.0, 180.0), (350.0, 170.0), (90.0, 270.0)])
def test_a_shadow_points_away_from_the_sun(shadow: float, sun: float):
    move = sun_stated(DAY, NOON, utc=False, shadow_towards_deg=shadow, height=None, shadow=None).move
    assert move.azimuth_deg == pytest.approx(sun)
    assert move.taken.tzinfo is None  # the clock at the place, whose zone is not known


def test_a_time_alone_limits_nothing():
    with pytest.raises(InputError, match="a shadow beside the time"):
        sun_stated(DAY, NOON, utc=True, shadow_towards_deg=None, height=2.0, shadow=None)
