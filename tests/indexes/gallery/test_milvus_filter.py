import re

import numpy as np
import pytest
import shapely

from geosleuth.indexes.cells import cells_at, parents
from geosleuth.indexes.gallery import milvus_filter
from geosleuth.indexes.gallery.milvus_filter import all_of, any_of, area_filter, views_filter
from geosleuth.tools.submap import select_submap


class Outline:
    def __init__(self, geometry, countries=()):
        self.geometry, self.countries = geometry, countries

    def contains(self, lats, lons):
        return shapely.intersects_xy(self.geometry, lons, lats)


def places(count=60_000, around=None):
    """Places spread evenly over the Earth, or around the outline of an area."""
    random = np.random.default_rng(5)
    if around is None:
        return np.degrees(np.arcsin(random.uniform(-1, 1, count))), random.uniform(-180, 180, count)
    points = shapely.get_coordinates(shapely.segmentize(around.boundary, 0.5))
    points = points[random.integers(len(points), size=count)] + random.normal(0, 0.4, (count, 2))
    return np.clip(points[:, 1], -90, 90), np.clip(points[:, 0], -180, 180)


def fulfils(expression, lats, lons):
    """Which places an expression of cells lets through."""
    fine = cells_at(lats, lons, 4)
    through = np.zeros(len(lats), dtype=bool)
    for field, listed in re.findall(r"(h3_\d) in \[([\d,]*)\]", expression):
        cells = np.array(listed.split(","), dtype=np.uint64)
        through |= np.isin(fine if field == "h3_4" else parents(fine, 2), cells)
    return through


AREAS = {
    "a town": shapely.box(13.3, 52.4, 13.5, 52.6),
    "a country": select_submap({"DE": 1.0}, buffer_km=50.0).geometry,
    "a country across the date line": select_submap({"NZ": 0.5, "FJ": 0.5}, share=1.0, buffer_km=30.0).geometry,
    "both sides of the date line": shapely.union_all(
        [shapely.box(170, -30, 180, 10), shapely.box(-180, -30, -175, 10)]
    ),
    "around the north pole": shapely.box(-180, 75, 180, 90),
    "half of the Earth with a hole": shapely.box(-180, -90, 0, 90).difference(shapely.Point(-90, 0).buffer(20)),
    "islands": shapely.union_all([shapely.Point(x, 0).buffer(0.3) for x in range(-150, 150, 30)]),
}


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("most_values", [5_000, 0])
def test_no_place_of_the_area_is_filtered_out_and_none_outside_counts_as_inside(name, most_values, monkeypatch):
    monkeypatch.setattr(milvus_filter, "MOST_VALUES", most_values)
    area = Outline(AREAS[name])
    found = area_filter(area)
    for lats, lons in (places(), places(around=AREAS[name])):
        inside = area.contains(lats, lons)
        assert not (inside & ~fulfils(found.either, lats, lons)).any()
        assert not (fulfils(found.inside, lats, lons) & ~inside).any()
        assert not (fulfils(found.inside, lats, lons) & fulfils(found.edge, lats, lons)).any()  # or they count twice
    assert inside.any()


def test_a_countrys_filter_is_sharp_and_short():
    area = Outline(AREAS["a country"])
    found = area_filter(area)
    lats, lons = places(400_000)
    near = (np.abs(lats - 51) < 8) & (np.abs(lons - 10) < 12)
    lats, lons = lats[near], lons[near]
    inside = area.contains(lats, lons)
    assert fulfils(found.either, lats, lons).sum() < 1.35 * inside.sum()  # the edge is two cells, 90 km, wide
    assert len(found.either) < 30_000


def test_the_whole_earth_needs_no_filter():
    assert area_filter(Outline(shapely.box(-180, -90, 180, 90))).everything


def test_an_empty_area_lets_nothing_through():
    assert area_filter(Outline(shapely.Polygon())).either == 'id == ""'


def test_countries_are_named_and_their_rows_are_not_asked_again():
    found = area_filter(Outline(AREAS["a town"], countries=("DE", "PL")))
    assert found.inside == '(country in ["DE","PL"])'
    assert found.edge.endswith('and (not (country in ["DE","PL"]))')


def test_views():
    assert views_filter(None) == views_filter(["ground", "panorama", "map", "satellite", "drone"]) == ""
    assert views_filter(["satellite", "ground"]) == 'view in ["ground","satellite"]'
    assert views_filter([]) == 'id == ""'


def test_joining():
    assert all_of(["", "a == 1", "b == 2"]) == "(a == 1) and (b == 2)"
    assert any_of(["a == 1", ""]) == "(a == 1)"
    assert all_of(["", ""]) == ""
