import json
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest

from geosleuth.tools.evidence import NearPlace
from geosleuth.ui.view.colours import DARK, LIGHT
from geosleuth.ui.view.land import land, waters, world
from geosleuth.ui.view.map import deck, style
from geosleuth.ui.view.map_words import candidate_rows, described, marks

pytest.importorskip("pydeck")


def written(answer: Any, **more: Any) -> dict[str, Any]:
    return dict(json.loads(deck(answer, LIGHT, **more).to_json()))


def layers(answer: Any, **more: Any) -> dict[str, Any]:
    return {layer["id"]: layer for layer in written(answer, **more)["layers"]}


def test_the_map_names_no_host(answers: ModuleType) -> None:
    """Only a style that is inline keeps Streamlit from asking Carto for one."""
    chart = written(answers.answer())
    assert chart["mapProvider"] == "carto"
    assert chart["mapStyle"].startswith("data:application/json,")
    assert "http" not in json.dumps(chart)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_style_has_no_sources(colours: Any) -> None:
    found = json.loads(unquote(style(colours).split(",", 1)[1]))
    assert found["sources"] == {}
    assert [layer["paint"] for layer in found["layers"]] == [{"background-color": colours.sea}]


def test_layers_from_the_widest_to_the_point(answers: ModuleType) -> None:
    one = answers.answer(candidates=[answers.compared(1, "match"), answers.compared(2, "no_match")])
    found = layers(one)
    assert list(found)[-5:] == ["region-0.9", "region-0.5", "candidates", "ranks", "point"]
    assert [ring["label"] for ring in found["candidates"]["data"]] == ["2", "1"]  # the best on top
    assert found["candidates"]["data"][1]["name"] == "Candidate 1: match"
    assert found["point"]["data"][0]["at"] == [178.0, -17.8]


def test_no_region_and_no_point_where_no_place_can_be_told(answers: ModuleType) -> None:
    assert set(layers(answers.nowhere())) == {"countries", "sea", "divisions", "waters"}


def test_places_that_clues_name_are_drawn(answers: ModuleType) -> None:
    suva = NearPlace(lat=-18.14, lon=178.44, spread_km=5.0, weight=1.0, name="Suva")
    assert layers(answers.answer(), near=[suva])["near"]["data"][0]["name"] == "Named by a clue: Suva"


def test_tooltips_are_text(answers: ModuleType) -> None:
    assert deck(answers.answer(), LIGHT)._tooltip == {"text": "{name}"}


def test_the_world_is_cut_at_the_date_line_and_small_enough_to_send() -> None:
    names = {feature["properties"]["name"] for feature in world()}
    assert {"Germany", "Fiji", "Puerto Rico", "Kosovo", "Russia"} <= names
    assert "Antarctica" not in names
    assert len(json.dumps(world())) < 1_000_000
    lons = [x for feature in world() + waters() for x, _ in positions(feature["geometry"]["coordinates"])]
    assert min(lons) >= -180
    assert max(lons) <= 180
    # A polygon that jumps from 180 to -180 would draw a bar across the map.
    russia = next(feature for feature in world() if feature["properties"]["name"] == "Russia")
    for polygon in russia["geometry"]["coordinates"]:
        xs = [x for x, _ in positions(polygon)]
        assert max(xs) - min(xs) < 170  # the mainland: 27 to 180 E


def positions(node: Any) -> list[Any]:
    return [node] if isinstance(node[0], float | int) else [one for part in node for one in positions(part)]


def test_a_small_view_has_the_true_coast() -> None:
    """The Statue of Liberty's harbour: 0.1 degrees would draw Manhattan into New Jersey."""
    found = land((-74.1, 40.6, -73.9, 40.8))
    assert {"New York, United States", "New Jersey, United States"} <= {f["properties"]["name"] for f in found.detail}
    assert len(found.sea) == 1
    assert land((-80.0, 30.0, -60.0, 45.0)).detail == []


def test_a_small_view_across_the_date_line_has_land_on_both_sides() -> None:
    found = land((178.0, -19.0, 182.0, -16.0))
    lons = [x for feature in found.detail for x, _ in positions(feature["geometry"]["coordinates"])]
    assert len(found.sea) == 2
    assert min(lons) < -179  # Taveuni's east and the Lau group
    assert max(lons) > 178


def test_the_map_in_words(answers: ModuleType) -> None:
    one = answers.answer(candidates=[answers.compared(1, "match"), answers.compared(2, None)])
    assert described(one) == "Map: Fiji at -17.80, 178.00; 50% region 1,235 km², 90% region 1,235 km²"
    assert [row["Verdict"] for row in candidate_rows(one)] == ["match", "not verified"]
    told = marks(one, LIGHT, near=True)
    assert told[0] == "● point"
    assert told[1] == f':color[■]{{foreground="{LIGHT.region_50}"}} 50% region (thick line)'
    assert [part.split("} ")[1] for part in told[3:]] == [
        "candidate by number: match",
        "candidate by number: not verified",
        "place that a clue names",
    ]
    assert marks(answers.nowhere(), LIGHT, near=False) == []


def test_the_page_of_a_map(answers: ModuleType, page: Any) -> None:
    def script(answer, near):
        from geosleuth.ui.view.map import answer_map

        answer_map(answer, key="map", near=near)

    suva = NearPlace(lat=-18.14, lon=178.44, spread_km=5.0, weight=1.0, name="Suva")
    shown = page(script, answers.answer(), [suva])
    assert shown.expander[0].label == "The map in words"
    assert shown.text[0].value == "Places that clues name: Suva"
    chart = json.loads(shown.get("deck_gl_json_chart")[0].proto.json)
    assert chart["layers"][4]["id"] == "region-0.9"
    capped = page(script, answers.answer(precision_cap_km=50.0), [suva])
    assert not capped.text  # a cap holds for what clues name as well
    assert "Suva" not in capped.get("deck_gl_json_chart")[0].proto.json
