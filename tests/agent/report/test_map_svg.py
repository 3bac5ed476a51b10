import importlib.util
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from geosleuth.agent.localization import Localization
from geosleuth.agent.report.coarse_land import coarse_land, make
from geosleuth.agent.report.map_drawing import draw_map
from geosleuth.agent.report.map_land import countries_of
from geosleuth.agent.report.map_svg import map_svg
from geosleuth.agent.report.map_window import Window, beyond_the_map, shown_region, window_around

spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[2] / "ui" / "answers.py")
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)

SVG = "{http://www.w3.org/2000/svg}"


def around(west: float, south: float, east: float, north: float, **changes: object) -> Localization:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    point = {"lat": (south + north) / 2, "lon": (west + east) / 2}
    return answers.answer(regions={"features": [answers.region(0.9, [ring], "Polygon")]}, point=point, **changes)


def test_fiji_is_one_region_on_both_sides_of_the_date_line():
    drawing = draw_map(answers.answer(), width=720, height=420)
    window = window_around(answers.answer(), 720, 420)
    assert (window.west + window.east) / 2 == -180.0  # the middle of 175 E to 175 W
    most = next(shape for shape in drawing.shapes if shape.stroke == drawing.palette.most)
    assert len(most.rings) == 1  # cut at the date line in the answer, put together here
    assert np.ptp(most.rings[0][:, 0]) == pytest.approx(10 * window.px_per_lon)
    assert np.ptp(most.rings[0][:, 1]) == pytest.approx(5 * window.px_per_lat)


@pytest.mark.parametrize(
    "answer",
    [
        answers.answer(),
        answers.nowhere(),
        around(-179, -50, 179, 70),
        around(100, 85, 140, 89),
        around(-80, -88, -70, -85),
    ],
)
def test_no_shape_is_wider_than_what_the_window_shows(answer):
    drawing = draw_map(answer, width=720, height=420)
    for shape in drawing.shapes:
        for ring in shape.rings:
            assert ring[:, 0].min() >= -7
            assert ring[:, 0].max() <= 727
            assert ring[:, 1].min() >= -7
            assert ring[:, 1].max() <= 427
    window = window_around(answer, 720, 420)
    assert -90 <= window.south < window.north <= 90
    assert window.east - window.west <= 360


def test_russia_beyond_the_date_line_is_beside_alaska():
    land = countries_of(Window(170.0, 55.0, 200.0, 72.0, 720, 420))  # 24 pixels per degree of longitude
    west, _, east, _ = land["RU"].bounds
    assert west < 0
    assert east == pytest.approx(504, abs=6)  # Ratmanov Island reaches 169.0 W, which is 191: (191 - 170) * 24
    assert land["US"].bounds[0] > 200  # the Aleutians south of 55 N are not in the window; St. Lawrence Island is


def test_a_position_has_its_pixel():
    window = Window(-190.0, -20.0, -170.0, -10.0, 200, 100)
    assert window.place(175.0, -15.0) == (50.0, 50.0)  # 175 E is 185 W: 5 of 20 degrees from the west edge
    assert window.place(-175.0, -12.5) == (150.0, 25.0)
    assert window.place(0.0, -15.0) is None


def test_a_map_is_true_to_shape_in_its_middle():
    window = window_around(around(9, 59, 11, 61), 720, 420)
    assert window.px_per_lat == pytest.approx(2 * window.px_per_lon)  # the cosine of 60 degrees is a half


def test_the_widest_gap_is_left_out():
    boxes = [
        [[[170, 0], [172, 0], [172, 2], [170, 2], [170, 0]]],
        [[[-172, 0], [-170, 0], [-170, 2], [-172, 2], [-172, 0]]],
    ]
    answer = answers.answer(regions={"features": [answers.region(0.9, boxes)]}, point={"lat": 1, "lon": 171})
    window = window_around(answer, 720, 420)
    assert window.east - window.west < 60  # 20 degrees over the Pacific, not 340 round the other way
    assert (window.west + window.east) / 2 == pytest.approx(-180.0)


def test_the_map_asks_for_nothing_and_holds_no_markup_of_strangers():
    hostile = answers.answer(country={"code": "FJ", "name": '<script>"&', "probability": 0.91})
    text = map_svg(hostile)
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    tags = {element.tag for element in ElementTree.fromstring(text).iter()}  # noqa: S314 - our own text
    assert tags == {f"{SVG}{name}" for name in ("svg", "title", "path", "text")}
    assert "&lt;script&gt;" in text


def test_references_have_their_forms_and_those_outside_are_counted():
    far = answers.compared(3, "match", lat=50.0, lon=10.0)
    answer = answers.answer(candidates=[answers.compared(1, "match"), answers.compared(2, None), far])
    words = [one.text for one in draw_map(answer, width=720, height=420).words]
    assert "reference that verification accepted" in words
    assert "other compared reference" in words
    assert "1 compared reference lies outside" in words


def test_the_regions_are_told_apart_without_colours():
    drawing = draw_map(answers.answer(), width=720, height=420)
    assert [shape.dashes for shape in drawing.shapes if shape.stroke == drawing.palette.half and shape.dashes]
    assert all(not shape.dashes for shape in drawing.shapes if shape.stroke == drawing.palette.most)


def test_a_cap_is_said_on_the_map():
    words = [one.text for one in draw_map(answers.answer(precision_cap_km=25.0), width=720, height=420).words]
    assert "the answer, coarsened to 25 km" in words


def test_words_do_not_overlap():
    taken = draw_map(around(-10, 36, 28, 60), width=720, height=420).taken
    boxes = shapely.box(*np.asarray(taken).T)
    assert len(boxes) > 10
    assert all(shapely.intersection(a, b).area == 0 for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_map_is_small_and_always_the_same():
    europe = around(-10, 36, 28, 60)
    for answer in (answers.answer(), europe, answers.nowhere(), around(2, 49, 8, 52)):
        countries_of.cache_clear()
        text = map_svg(answer)
        assert len(text.encode()) < 300_000
        assert map_svg(answer) == text
    assert map_svg(europe, dark=True) != text


@pytest.mark.parametrize(
    ("lat", "lon", "code"), [(64, -150, "US"), (-25, 135, "AU"), (46.6, 2.5, "FR"), (-29.5, 28, "LS")]
)
def test_the_coarse_land_has_the_countries_where_they_are(lat, lon, code):
    polygons, codes = coarse_land()
    held = [name for shape, name in zip(polygons, codes, strict=True) if shape.contains(shapely.Point(lon, lat))]
    assert code in held


def test_the_shipped_coarse_land_is_made_of_the_shipped_divisions(tmp_path):
    (tmp_path / "made.npz").write_bytes(make())
    made = np.load(tmp_path / "made.npz", allow_pickle=False)
    polygons, codes = coarse_land()
    assert sorted(set(made["codes"].tolist())) == sorted(set(codes.tolist()))
    rings = np.split(made["corners"] / 100, np.cumsum(made["counts"])[:-1])
    area = sum(shapely.Polygon(ring).area for ring in rings)
    assert area == pytest.approx(shapely.area(polygons).sum(), rel=1e-3)  # versions of GEOS may differ in a corner


def test_a_region_with_scraps_all_over_the_world_is_shown_by_its_heart():
    def square(lon, lat, half):
        return [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]

    def region(share, squares):
        coordinates = [[[*ring, ring[0]]] for ring in squares]
        properties = {"share": share, "area_km2": 1.0}
        return {"geometry": {"type": "MultiPolygon", "coordinates": coordinates}, "properties": properties}

    heart = square(10, 50, 2)
    scattered = answers.answer(
        point={"lat": 50, "lon": 10},
        regions={"features": [region(0.5, [heart]), region(0.9, [heart, square(110, -5, 1), square(-60, -20, 1)])]},
    )
    window = window_around(scattered, 720, 420)
    assert window.place(10, 50) is not None
    assert window.place(110, -5) is None
    assert beyond_the_map(scattered) == "The 90% region has parts far beyond this view."
    near = answers.answer(regions={"features": [region(0.5, [heart]), region(0.9, [heart, square(30, 40, 1)])]})
    assert beyond_the_map(near) is None
    assert shown_region(near).properties.share == 0.9


def scattered(share: float, *longitudes: float) -> dict:
    """A region of squares of two degrees on the 55th parallel."""
    squares = [[[[x, 54], [x + 2, 54], [x + 2, 56], [x, 56], [x, 54]]] for x in longitudes]
    return answers.region(share, squares)


def test_a_country_whose_half_lies_far_apart_is_shown_and_not_the_world():
    regions = {"features": [scattered(0.5, 36, 130), scattered(0.9, 36, 130, -110, -60)]}  # as Russia's towns
    russia = answers.answer(point={"lat": 55, "lon": 37}, regions=regions)
    window = window_around(russia, 720, 420)
    assert window.east - window.west == pytest.approx(1.7 * 96)  # 36 E to 132 E, with room around
    assert window.place(-60, 55) is None
    assert beyond_the_map(russia) == "The 90% region has parts far beyond this view."


def test_a_map_of_the_world_leaves_nothing_out():
    everywhere = range(-180, 180, 40)
    regions = {"features": [scattered(0.5, *everywhere), scattered(0.9, *everywhere, 10)]}
    world = answers.answer(point={"lat": 55, "lon": 21}, regions=regions)
    window = window_around(world, 720, 420)
    assert window.east - window.west == 360
    assert beyond_the_map(world) is None
