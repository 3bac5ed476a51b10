import importlib.util
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import pytest
import shapely

from geosleuth.agent.export import CAVEAT, to_geojson, to_kml

spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[1] / "ui" / "answers.py")
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)

KML = "{http://www.opengis.net/kml/2.2}"


def test_geojson_opens_in_geopandas_with_the_right_areas():
    frame = geopandas.read_file(io.BytesIO(to_geojson(answers.answer()).encode()))
    assert list(frame.geom_type) == ["MultiPolygon", "Polygon", "Point"]  # the widest region below, the point on top
    assert list(shapely.area(frame.geometry.array)) == [
        50.0,
        25.0,
        0.0,
    ]  # square degrees: two boxes of 5 by 5, one, none
    assert (frame.geometry.iloc[2].x, frame.geometry.iloc[2].y) == (178.0, -17.8)
    assert list(frame["share"][:2]) == [0.9, 0.5]


def test_geojson_says_what_it_is():
    facts = json.loads(to_geojson(answers.answer()))["geosleuth"]
    assert facts["status"] == "localized"
    assert facts["country"] == {"code": "FJ", "name": "Fiji", "probability": 0.91}
    assert facts["caveat"] == CAVEAT
    assert "GeoNames" in facts["attribution"]


def test_kml_has_every_polygon_and_none_crosses_the_date_line():
    root = ElementTree.fromstring(to_kml(answers.answer()))  # noqa: S314 - our own text
    rings = [
        [tuple(map(float, corner.split(","))) for corner in element.text.split()]
        for element in root.iter(f"{KML}coordinates")
    ]
    polygons = [ring for ring in rings if len(ring) > 1]
    assert len(polygons) == 3
    assert all(max(c[0] for c in ring) - min(c[0] for c in ring) == 5.0 for ring in polygons)
    assert [(178.0, -17.8, 0.0)] in rings
    assert CAVEAT in "".join(root.itertext())


def test_kml_keeps_holes_and_escapes_text(tmp_path):
    hole = [[177.0, -19.0], [178.0, -19.0], [178.0, -18.0], [177.0, -19.0]]
    with_hole = answers.answer(
        regions={"features": [answers.region(0.5, [answers.BOX[0], hole], "Polygon")]},
        evidence=[answers.evidence("<script>&", 1.0)],
    )
    path = tmp_path / "answer.kml"
    path.write_text(to_kml(with_hole), encoding="utf-8")
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own text
    assert len(list(root.iter(f"{KML}innerBoundaryIs"))) == 1
    assert "&lt;script&gt;&amp;" in "".join(root.itertext())  # viewers show descriptions as HTML


def test_compared_references_are_points_below_the_answers():
    answer = answers.answer(candidates=[answers.compared(1, "match"), answers.compared(2, None)])
    features = json.loads(to_geojson(answer))["features"]
    assert [f["properties"]["kind"] for f in features] == ["region", "region", "reference", "reference", "point"]
    best = features[3]
    assert best["geometry"] == {"type": "Point", "coordinates": [178.0, -17.799]}
    assert best["properties"]["verdict"] == "match"
    assert best["properties"]["why"] == "10 of 40 feature matches agree"
    assert best["properties"]["uri"] == "walk/001.jpg"
    assert best["properties"]["distance_km"] == 0.1112
    assert features[2]["properties"]["verdict"] == "not_verified"
    frame = geopandas.read_file(io.BytesIO(to_geojson(answer).encode()))
    assert len(frame) == 5


def test_a_reference_in_kml_is_text_and_no_markup():
    hostile = answers.compared(1, "match", uri="<b>&\x1b.jpg")
    root = ElementTree.fromstring(to_kml(answers.answer(candidates=[hostile])))  # noqa: S314 - our own text
    text = "".join(root.itertext())
    assert "&lt;b&gt;&amp;\\x1b.jpg" in text
    assert "match: reference 1" in text
    rings = [element.text for element in root.iter(f"{KML}coordinates")]
    assert any(ring.strip().startswith("178.0,-17.799") for ring in rings)


@pytest.mark.parametrize("write", [to_geojson, to_kml])
def test_no_place_is_an_export_without_shapes(write):
    text = write(answers.nowhere())
    assert "not_locatable" in text
    assert "oordinates" not in text
