import csv
import importlib.util
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import geopandas
import pytest
import shapely

from geosleuth.agent.answer_row import COLUMNS, answer_row, failure_row
from geosleuth.agent.export import (
    CAVEAT,
    rows_to_geodataframe,
    to_csv,
    to_geodataframe,
    to_geojson,
    to_geoparquet,
    to_kml,
)

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


def test_csv_has_a_row_per_answer_with_the_columns_in_order():
    rows = list(csv.DictReader(io.StringIO(to_csv([answers.answer(), answers.nowhere()]))))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["status"] for row in rows] == ["localized", "not_locatable"]
    assert (rows[0]["lat"], rows[0]["lon"], rows[0]["radius_km"]) == ("-17.8", "178.0", "42.0")
    assert (rows[0]["country_code"], rows[0]["country_probability"]) == ("FJ", "0.91")
    assert json.loads(rows[0]["top_countries"]) == {"FJ": 0.91, "TO": 0.05}
    assert rows[0]["evidence_count"] == "2"
    assert (rows[1]["lat"], rows[1]["country"], rows[1]["evidence_count"]) == ("", "", "0")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"])
def test_a_spreadsheet_computes_no_strangers_formula(name):
    photo = {"name": name, "sha256": "0" * 64, "size": [1, 1]}
    row = next(csv.DictReader(io.StringIO(to_csv(answers.answer(photo=photo)))))
    assert row["file"] == f"'{name}"
    assert row["lat"] == "-17.8"  # a number is no text


def test_csv_keeps_quotes_and_shows_control_characters():
    photo = {"name": 'a"b,\n\x1b.jpg', "sha256": "0" * 64, "size": [1, 1]}
    text = to_csv(answers.answer(photo=photo))
    assert text.count("\r\n") == 2
    assert next(csv.DictReader(io.StringIO(text)))["file"] == 'a"b,\\n\\x1b.jpg'


def test_a_tab_at_the_beginning_hides_no_formula():
    photo = {"name": "\t=1", "sha256": "0" * 64, "size": [1, 1]}
    assert next(csv.DictReader(io.StringIO(to_csv(answers.answer(photo=photo)))))["file"] == "'\\t=1"


def test_geoparquet_comes_back_with_point_and_regions(tmp_path):
    path = tmp_path / "answers.parquet"
    to_geoparquet([answers.answer(), answers.nowhere()], path)
    frame = geopandas.read_parquet(path)
    assert frame.crs == "EPSG:4326"
    assert (frame.geometry.iloc[0].x, frame.geometry.iloc[0].y) == (178.0, -17.8)
    assert frame.geometry.iloc[1] is None
    assert shapely.area(frame["region_50"].iloc[0]) == 25.0
    assert shapely.area(frame["region_90"].iloc[0]) == 50.0
    assert frame["region_90"].crs == "EPSG:4326"
    assert list(frame["country_code"][:1]) == ["FJ"]
    assert [file.name for file in tmp_path.iterdir()] == ["answers.parquet"]


def test_a_geoparquet_that_cannot_be_written_leaves_nothing(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(OSError, match="folder"):
        to_geoparquet(answers.answer(), path)
    assert list(tmp_path.iterdir()) == [path]


def test_no_answer_is_an_empty_table(tmp_path):
    to_geoparquet([], tmp_path / "none.parquet")
    assert len(geopandas.read_parquet(tmp_path / "none.parquet")) == 0
    assert to_csv([]).count("\r\n") == 1


def test_rows_have_all_columns_and_their_types():
    row = answer_row(answers.answer(), file="holiday/fiji.jpg")
    assert list(row) == list(COLUMNS)
    assert all(value is None or isinstance(value, COLUMNS[name]) for name, value in row.items())
    assert row["file"] == "holiday/fiji.jpg"
    failed = failure_row("b.jpg", "damaged", sha256="1" * 64)
    assert list(failed) == list(COLUMNS)
    assert (failed["status"], failed["error"], failed["lat"]) == ("failed", "damaged", None)


def test_what_is_left_out_is_not_counted_and_kml_says_so():
    left_out = answers.evidence("A price in dollars", 0.0) | {"left_out": True}
    answer = answers.answer(evidence=[answers.evidence("A sign in Fijian", 4.25), left_out])
    assert answer_row(answer)["evidence_count"] == 1
    assert "left out by the investigator: A price in dollars" in to_kml(answer)


def test_a_capped_answer_exports_what_it_holds(tmp_path):
    capped = answers.answer(point={"lat": -18.0, "lon": 178.0}, precision_cap_km=100.0, candidates=[])
    to_geoparquet(capped, tmp_path / "a.parquet")
    frame = geopandas.read_parquet(tmp_path / "a.parquet")
    assert frame["precision_cap_km"].iloc[0] == 100.0
    assert (frame.geometry.iloc[0].y, frame["lat"].iloc[0]) == (-18.0, -18.0)


def test_answers_and_rows_make_tables_of_the_same_types(tmp_path):
    nowhere = answers.nowhere()
    of_answers = to_geodataframe([nowhere])
    of_rows = rows_to_geodataframe([answer_row(nowhere)])
    assert of_answers[list(COLUMNS)].dtypes.to_dict() == of_rows[list(COLUMNS)].dtypes.to_dict()
    assert of_rows["country"].dtype == "string"
    assert of_rows.geometry.iloc[0] is None
    to_geoparquet(nowhere, tmp_path / "a.parquet")  # a column of nothing keeps its type
    assert geopandas.read_parquet(tmp_path / "a.parquet")["country"].dtype == of_rows["country"].dtype
