import numpy as np
import pytest
import shapely
from pyproj import Geod

from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, from_unit_vectors, unit_vectors
from geosleuth.tools.sphere_cells import assign
from geosleuth.tools.voronoi import voronoi_cell

SPHERE_KM2 = 4 * np.pi * EARTH_RADIUS_KM**2


def area_km2(cell):
    return abs(Geod(a=EARTH_RADIUS_KM, b=EARTH_RADIUS_KM).geometry_area_perimeter(shapely.segmentize(cell, 0.5))[0])


def test_one_centre_has_the_whole_earth():
    assert voronoi_cell(unit_vectors([10.0], [20.0]), 0).equals(shapely.box(-180, -90, 180, 90))


def test_two_poles_share_the_earth_at_the_equator():
    poles = unit_vectors([90.0, -90.0], [0.0, 0.0])
    assert voronoi_cell(poles, 0).symmetric_difference(shapely.box(-180, 0, 180, 90)).area < 1e-6
    assert voronoi_cell(poles, 1).symmetric_difference(shapely.box(-180, -90, 180, 0)).area < 1e-6


def test_six_ends_of_three_axes_have_a_sixth_each():
    axes = unit_vectors([0, 0, 0, 0, 90, -90], [0, 90, 180, -90, 0, 0])
    for index in range(4):
        assert area_km2(voronoi_cell(axes, index)) == pytest.approx(SPHERE_KM2 / 6, rel=1e-3)
    # The face of a cube: from its middle to a corner it is 54.74 degrees, to the middle of an edge 45.
    assert voronoi_cell(axes, 0).bounds == pytest.approx((-45.0, -45.0, 45.0, 45.0), abs=0.01)
    assert voronoi_cell(axes, 4).bounds == pytest.approx((-180.0, 90 - 54.7356, 180.0, 90.0), abs=0.01)


def test_a_cell_over_the_date_line_is_cut_there():
    cell = voronoi_cell(unit_vectors([0.0, 0.0, 0.0], [180.0, 60.0, -60.0]), 0)
    assert isinstance(cell, shapely.MultiPolygon)
    assert shapely.intersects_xy(cell, [179.0, -179.0, 121.0, 119.0], [0.0, 0.0, 0.0, 0.0]).tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_cells_cover_the_earth_once_and_hold_what_is_nearest(seed):
    rng = np.random.default_rng(seed)
    towns = rng.normal(size=(40, 3))
    towns[:10] = towns[0] + rng.normal(0, 1e-4, (10, 3))  # ten of them within one kilometre
    centres = towns / np.linalg.norm(towns, axis=1, keepdims=True)
    cells = [voronoi_cell(centres, index) for index in range(40)]
    assert all(cell.is_valid for cell in cells)
    assert sum(cell.area for cell in cells) == pytest.approx(360 * 180, abs=1e-3)
    points = rng.normal(size=(5000, 3))
    points[:1000] = centres[0] + rng.normal(0, 1e-4, (1000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    lats, lons = from_unit_vectors(points)
    own = assign(points, centres)
    second = np.sort(points @ centres.T, axis=1)[:, -2:]
    clear = second[:, 1] - second[:, 0] > 1e-12
    for index, cell in enumerate(cells):
        drawn = shapely.intersects_xy(cell, lons, lats)
        # Chords of 0.2 degrees stand for great circles: they may be wrong only beside a border.
        wrong = np.flatnonzero((drawn != (own == index)) & clear)
        for row in wrong:
            planes = np.delete(centres[index] - centres, index, axis=0)
            beside = np.abs(points[row] @ planes.T) / np.linalg.norm(planes, axis=1)
            assert beside.min() * EARTH_RADIUS_KM < 0.2
