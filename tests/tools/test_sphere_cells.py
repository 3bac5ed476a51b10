import numpy as np
import pytest

from geosleuth.indexes.geodesy import distance_km, from_unit_vectors, unit_vectors
from geosleuth.tools.sphere_cells import assign, fit_centres


def test_a_group_across_the_date_line_is_one():
    lats, lons = [0.0, 0.0, 0.0, 0.0], [179.0, -179.0, 10.0, 12.0]
    centres = fit_centres(unit_vectors(lats, lons), k=2)
    lat, lon = from_unit_vectors(centres)
    assert lat == pytest.approx([0.0, 0.0])
    assert sorted(abs(lon)) == pytest.approx([11.0, 180.0])  # means of longitudes would be 0 and 11
    labels = assign(unit_vectors(lats, lons), centres)
    assert labels[0] == labels[1] != labels[2] == labels[3]


def test_a_group_around_a_pole_has_the_pole_for_a_centre():
    positions = unit_vectors([80.0, 80.0, 80.0, 80.0, -80.0], [0.0, 90.0, 180.0, -90.0, 0.0])
    lat, _ = from_unit_vectors(fit_centres(positions, k=2))
    assert sorted(lat) == pytest.approx([-80.0, 90.0])


def test_the_same_cells_every_time_and_others_by_another_seed():
    rng = np.random.default_rng(1)
    positions = unit_vectors(rng.uniform(-60, 60, 30_000), rng.uniform(-180, 180, 30_000))  # more than the sample
    first = fit_centres(positions)
    assert first.shape == (100, 3)
    assert np.array_equal(first, fit_centres(positions))
    assert not np.array_equal(first, fit_centres(positions, seed=1))
    assert np.linalg.norm(first, axis=1) == pytest.approx(1.0)


def test_no_more_cells_than_distinct_positions():
    positions = unit_vectors([10.0] * 50 + [20.0] * 50 + [30.0], [5.0] * 101)
    centres = fit_centres(positions, k=100)
    assert sorted(from_unit_vectors(centres)[0]) == pytest.approx([10.0, 20.0, 30.0])
    assert np.bincount(assign(positions, centres)).tolist() in ([50, 50, 1], [50, 1, 50], [1, 50, 50])


def test_both_poles_cancel_out_and_leave_a_centre_all_the_same():
    centres = fit_centres(unit_vectors([90.0, -90.0], [0.0, 0.0]), k=1)
    assert np.linalg.norm(centres, axis=1) == pytest.approx(1.0)


def test_the_nearest_centre_in_a_town_by_metres():
    # Cosines of positions 10 m apart differ in the 13th digit: single precision would mix all of the town.
    rng = np.random.default_rng(0)
    lats, lons = 55.70 + rng.normal(0, 1e-3, 400), 13.19 + rng.normal(0, 2e-3, 400)
    centres = fit_centres(unit_vectors(lats, lons), k=20)
    lat, lon = from_unit_vectors(centres)
    metres = 1000 * distance_km(lats[:, None], lons[:, None], lat, lon)
    own = assign(unit_vectors(lats, lons), centres)
    assert (metres[np.arange(400), own] - metres.min(axis=1) < 0.01).all()
    assert len(np.unique(own)) == 20
