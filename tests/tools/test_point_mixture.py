import math

import numpy as np
import pytest

from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, unit_vectors
from geosleuth.tools.point_mixture import clusters, gallery_share, mixture

LAND = 1.349e8


def spread_over_the_globe(n):
    """Points as even as a sunflower's seeds."""
    rank = np.arange(n) + 0.5
    lat = np.degrees(np.arcsin(1 - 2 * rank / n))
    return unit_vectors(lat, (rank * 137.508) % 360 - 180)


def value_at(likelihood, lat, lon):
    """The likelihood over its floor, straight from its definition."""
    total = likelihood.floor
    for place in likelihood.places:
        angle = math.acos(min(1.0, float(unit_vectors(place.lat, place.lon) @ unit_vectors(lat, lon))))
        total += place.weight * math.exp(-((EARTH_RADIUS_KM * angle / place.spread_km) ** 2) / 2)
    return total / likelihood.floor


def test_clusters_gather_what_is_near_the_likeliest():
    vectors = unit_vectors([0.0, 0.0, 0.0, 50.0], [0.0, 0.05, 1.0, 0.0])  # 0.05 degrees are 5.6 km, 1 degree 111 km
    centres, mass = clusters(vectors, np.array([0.5, 0.25, 0.2, 0.05]), 12.0)
    assert mass == pytest.approx([0.75, 0.2])  # the 0.05 are beyond the 95 %
    assert math.degrees(math.asin(centres[0][2])) == pytest.approx(0.0)
    assert math.degrees(math.atan2(centres[0][1], centres[0][0])) == pytest.approx(0.05 / 3, rel=1e-3)


def test_share_of_the_gallery_under_a_bump():
    # Two of four points at the centre, one at a spread's distance (e^-0.5), one at the other end of the world.
    vectors = unit_vectors([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, math.degrees(12.0 / EARTH_RADIUS_KM), 180.0])
    (share,) = gallery_share(vectors, unit_vectors([0.0], [0.0]), 12.0)
    even = 2 * math.pi * 144 / LAND
    assert share == pytest.approx(0.9 * (2 + math.exp(-0.5)) / 4 + 0.1 * even, rel=1e-5)


def test_a_sure_model_by_hand():
    # One point among 1,000 that are far from it and from each other has all the probability: it is one cluster of each
    # spread, and covers 1 / 1000 of the gallery at 12 km. Its weight is 0.1 over (0.9 / 1000 + 0.1 * even).
    vectors = spread_over_the_globe(1000)
    probabilities = np.zeros(1000)
    probabilities[500] = 1.0
    likelihood = mixture(vectors, probabilities)
    assert likelihood.floor == pytest.approx(0.5)
    sharp = next(place for place in likelihood.places if place.spread_km == 12.0)
    assert sharp.weight == pytest.approx(0.1 / (0.9 / 1000 + 0.1 * 2 * math.pi * 144 / LAND))


def test_a_model_that_follows_its_gallery_says_almost_nothing():
    # Three quarters of the gallery are crowded into one city: so is the probability, and the city gains nothing.
    crowd = unit_vectors(np.full(3000, 48.0), np.full(3000, 2.0))
    vectors = np.concatenate([crowd, spread_over_the_globe(1000)])
    likelihood = mixture(vectors, np.full(4000, 1 / 4000))
    # Of each spread's share (0.5 in all) three quarters stand in the city's bump, which covers 0.9 of the same.
    assert value_at(likelihood, 48.0, 2.0) / value_at(likelihood, -30.0, -100.0) < 2.3
    doubled = np.full(4000, 0.5 / 1000)
    doubled[:3000] = 0.5 / 3000
    assert value_at(mixture(vectors, doubled), 48.0, 2.0) < value_at(likelihood, 48.0, 2.0)


def test_the_same_probability_says_more_where_the_gallery_is_thin():
    crowd = unit_vectors(np.full(900, 48.0), np.full(900, 2.0))
    vectors = np.concatenate([crowd, unit_vectors(np.full(100, -25.0), np.full(100, 134.0))])
    probabilities = np.concatenate([np.full(900, 0.5 / 900), np.full(100, 0.5 / 100)])
    likelihood = mixture(vectors, probabilities)
    # Half of the probability over 0.9 of a tenth of the gallery, and of nine tenths: 1 + 0.5 / 0.09 and 1 + 0.5 / 0.81.
    assert value_at(likelihood, -25.0, 134.0) == pytest.approx(6.56, rel=0.01)
    assert value_at(likelihood, 48.0, 2.0) == pytest.approx(1.617, rel=0.01)
