"""The grid covers land and coast, and its prior is where photos are taken."""

import numpy as np
import pytest

from geosleuth.indexes.cells import resolutions
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.grid import COARSEST, Grid, load_grid


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid()


def test_cells_cover_the_land_once(grid: Grid) -> None:
    assert len(np.unique(grid.cells)) == len(grid.cells)
    # Land is 149 million km2; coastal water that belongs to a country comes on top, the open ocean does not.
    assert 1.49e8 < grid.area_km2.sum() < 4.0e8
    assert (np.diff(grid.lat) >= 0).all()  # the belief finds cells by bisection


def test_prior_sums_to_one_over_cells_and_countries(grid: Grid) -> None:
    assert grid.prior.sum() == pytest.approx(1.0, abs=1e-4)
    assert grid.country_prior.sum() == pytest.approx(1.0)
    shares = np.bincount(grid.country, weights=grid.share, minlength=len(grid.codes))
    assert shares[grid.codes.index("FR")] == pytest.approx(1.0)


@pytest.mark.parametrize("code", ["VA", "MC", "SM", "LI", "AD", "MT", "SG", "NR", "GI"])
def test_microstates_have_cells(grid: Grid, code: str) -> None:
    assert (grid.country == grid.codes.index(code)).any()
    assert grid.country_prior[grid.codes.index(code)] > 0


def test_cities_are_finer_than_tundra(grid: Grid) -> None:
    def resolution_at(lat: float, lon: float) -> int:
        row = np.argmin((grid.lat - lat) ** 2 + (grid.lon - lon) ** 2)
        return int(resolutions(grid.cells[row : row + 1])[0])

    assert resolution_at(48.86, 2.35) >= 6
    assert resolution_at(70.0, 100.0) == COARSEST


def test_density_follows_people_and_is_nowhere_zero(grid: Grid) -> None:
    paris, sahara, ocean = (grid.density_per_km2(LatLon(*p)) for p in ((48.86, 2.35), (24.0, 10.0), (-45.0, -120.0)))
    assert paris > 100 * sahara > 0
    assert 0 < ocean < sahara
