"""The prior's three laws, by hand."""

import numpy as np
import pytest

from geosleuth.indexes.geodesy import distance_km
from geosleuth.indexes.photo_prior import PhotoPrior, scatter

PRIOR = PhotoPrior(0.5, 0.5, 1.0, 1000.0, 0.05, 1000.0, "test")


def test_countries_go_by_population_and_places() -> None:
    country = np.array([0, 0, 1])
    population = np.array([8.0e6, 1.0e6, 1.0e6])
    shares = PRIOR.country_shares(country, population, 3)
    # sqrt(9e6 * 2) = 4242.6 and sqrt(1e6 * 1) = 1000: 0.8093 and 0.1907; the third has no place, and yet not zero.
    assert shares[:2] == pytest.approx([0.8093, 0.1907], abs=1e-3)
    assert 0 < shares[2] < 1e-5


def test_a_million_people_fill_a_disc() -> None:
    # 1e6 people at 1,000 per km2: a disc of radius sqrt(1000 / pi) = 17.84 km, whose spread is half of that.
    assert PRIOR.place_spreads_km(np.array([1.0e6])) == pytest.approx([8.92], abs=0.01)


@pytest.mark.parametrize(("lat", "lon"), [(10.0, 20.0), (-16.8, 179.99), (89.9, 0.0)])
def test_scattered_points_have_the_spread(lat: float, lon: float) -> None:
    lats, lons, owner, part = scatter(np.array([lat]), np.array([lon]), np.array([10.0]))
    assert part.sum() == pytest.approx(1.0)
    assert (owner == 0).all()
    assert (np.abs(lons) <= 180).all()
    if lat < 80:  # at the pole only the sum and the range are promised
        per_axis = np.sqrt((distance_km(lat, lon, lats, lons) ** 2).mean() / 2)
        assert per_axis == pytest.approx(10.0, rel=0.05)
