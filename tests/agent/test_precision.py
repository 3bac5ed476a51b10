import importlib.util
from pathlib import Path

import pytest
from shapely.geometry import shape

from geosleuth.agent.agent import Agent
from geosleuth.agent.precision import snap
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.indexes.geodesy import distance_km

_spec = importlib.util.spec_from_file_location("scenes", Path(__file__).with_name("scenes.py"))
scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scenes)

LAT, LON = 38.72509, -9.1498


def exact(scene):
    """State a position."""
    return Finding(f"{LAT}, {LON}", (scenes.stands(LAT, LON), scenes.says("PT", tool="metadata")))


def answer(cap):
    return Agent(Settings(precision_cap_km=cap), tools={"metadata": exact}).localize(scenes.PICTURE)


def test_without_a_cap_the_answer_is_fine():
    found = answer(None)
    assert distance_km(found.point.lat, found.point.lon, LAT, LON) < 5
    assert str(LAT) in found.evidence[0].claim
    assert found.city.name == "Lisbon"
    assert found.precision_cap_km is None


@pytest.mark.parametrize("cap", [5.0, 50.0, 500.0])
def test_with_a_cap_nothing_is_finer(cap):
    fine, coarse = answer(None), answer(cap)
    assert coarse.point == snap(fine.point.lat, fine.point.lon, cap)
    assert coarse.radius_km >= cap
    assert coarse.precision_cap_km == cap
    for feature in coarse.regions.features:
        assert feature.properties.area_km2 > 0.8 * cap**2
        _, south, _, north = shape(feature.geometry.model_dump()).bounds
        assert (north - south) * 111.2 > 0.99 * cap
        assert feature.geometry.type in {"Polygon", "MultiPolygon"}
    assert str(LAT) not in coarse.model_dump_json()
    assert coarse.evidence[0].claim.startswith("Withheld")
    assert coarse.evidence[1].claim == "The sign is of PT."  # a country is no finer than the cap
    assert any("coarsened" in note for note in coarse.notes)
    assert coarse.country == fine.country


def test_a_citys_name_goes_with_a_wide_cap():
    assert answer(5.0).city.name == "Lisbon"
    assert answer(5.0).city.lat != answer(None).city.lat
    assert answer(50.0).city is None


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 0.0), (38.7, -9.1), (-33.9, 151.2), (69.9, 29.7), (89.9, 10.0), (0, 180)]
)
@pytest.mark.parametrize("cap", [1.0, 50.0, 1000.0])
def test_a_snapped_point_is_within_its_square_and_the_same_for_neighbours(lat, lon, cap):
    snapped = snap(lat, lon, cap)
    assert distance_km(lat, lon, snapped.lat, snapped.lon) <= cap * 0.75 + 0.01  # half the diagonal is 0.71
    assert snap(snapped.lat, snapped.lon, cap) == snapped


def test_no_word_of_a_sign_is_left_anywhere_in_the_answer(tmp_path):
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.settings import Settings
    from geosleuth.ui.demo_scene import draw_scene

    path = tmp_path / "scene.jpg"
    draw_scene().save(path, quality=92)
    text = Agent(Settings(precision_cap_km=100.0)).localize(path).model_dump_json().casefold()
    assert "france" in text
    assert not [word for word in ("quimper", "concarneau", "boulangerie", "026191") if word in text]


SECRETS = ("walk/secret-street.jpg", "0123456789abcdef", "38.7251", "38.72509", "617.5", "/home/lisbon-gallery")


def looked_up(scene):
    """Compare with references."""
    from geosleuth.tools.candidate import Candidate, Verification

    verification = Verification(
        verdict="match", reason="50 matches with walk/secret-street.jpg", matcher="m", points=((617.5, 2, 3, 4),)
    )
    one = Candidate(
        rank=1, reference_id=SECRETS[1], uri=SECRETS[0], lat=LAT, lon=LON, view="ground",
        similarity=0.9, score=1.0, verification=verification,
    )  # fmt: skip
    from geosleuth.tools.evidence import Evidence, Nothing

    claim = f"{SECRETS[0]} at {LAT}, {LON} looks most like the photo"
    alike = Evidence(tool="retrieval", type="retrieval.candidates", claim=claim, likelihood=Nothing(reason=claim))
    matched = scenes.stands(LAT, LON, tool="verification", kind="match")
    return Finding(f"1 candidate: {SECRETS[0]}", (alike, matched), candidates=(one,))


def missing(scene):
    """Fail over a reference."""
    raise OSError(f"no such file: {SECRETS[0]}")


def searched(cap):
    tools = {"metadata": exact, "retrieve": looked_up, "verify": missing}
    return Agent(Settings(precision_cap_km=cap), tools=tools).localize(scenes.PICTURE)


def test_without_a_cap_the_references_are_told():
    text = searched(None).model_dump_json()
    assert [word for word in SECRETS[:5] if word not in text] == ["38.7251"]  # it is a rounding of the same


@pytest.mark.parametrize("cap", [0.5, 50.0])
def test_a_cap_withholds_references_wherever_they_are_told(cap):
    from geosleuth.agent.export import to_geojson, to_kml

    answer = searched(cap)
    assert answer.candidates == ()
    assert "1 compared references are withheld: their positions are exact." in answer.notes
    assert [(s.tool, s.ok) for s in answer.trace] == [("metadata", True), ("retrieve", True), ("verify", False)]
    for written in (answer.model_dump_json(), to_geojson(answer), to_kml(answer)):
        assert [word for word in SECRETS if word in written] == []


@pytest.mark.parametrize(
    ("index", "left"),
    [
        ("/home/lisbon-gallery", "a folder, withheld"),
        ("milvus:lisbon@/home/lisbon.db", "a Milvus file, withheld"),
        ("milvus:lisbon@https://lisbon.example:19530", "a Milvus server, withheld"),
    ],
)
def test_a_cap_withholds_the_path_of_the_index(index, left):
    from geosleuth.agent.precision import coarsen

    answer = searched(None).model_copy(update={"backends": {"index": f"{index}; 5 references"}})
    assert coarsen(answer, 50.0).backends == {"index": left}


def streamed(cap):
    """All that is told before the answer, and the log."""
    tools = {"metadata": exact, "retrieve": looked_up, "verify": missing}
    steps = Agent(Settings(precision_cap_km=cap), tools=tools).stream(scenes.PICTURE)
    return [step for step in steps if step.trace is not None]


@pytest.mark.parametrize("cap", [None, 50.0])
def test_a_cap_holds_for_the_steps_and_the_log_as_well(cap, caplog):
    steps = streamed(cap)
    assert [step.trace.tool for step in steps] == ["metadata", "retrieve", "verify"]
    told = repr(steps) + caplog.text
    assert [word for word in SECRETS if word in told] == ([] if cap else [SECRETS[0], SECRETS[3]])
    kinds = [[item.type for item in step.evidence] for step in steps]
    country = "metadata.language"  # no finer than the cap
    assert kinds[0] == ([country] if cap else ["metadata.gps", country])
    assert kinds[1] == ([] if cap else ["retrieval.candidates", "verification.match"])
    assert "The tool verify failed: OSError" in caplog.text


def guessing(scene):
    """Ask a model that names a quarter which no gazetteer knows, so that nothing follows from it."""
    from geosleuth.tools.evidence import Evidence, Nothing

    claim = 'A model says the city is "Beco do Carneiro, Alfama".'
    likelihood = Nothing(reason="no place of this name: Beco do Carneiro")
    unknown = Evidence(tool="prior", type="prior.place", claim=claim, likelihood=likelihood)
    return Finding("no place of this name: Beco do Carneiro", (unknown, scenes.says("PT", tool="prior")))


@pytest.mark.parametrize("cap", [None, 50.0])
def test_a_cap_withholds_what_a_model_calls_the_place_even_where_nothing_follows_from_it(cap):
    guessed = Agent(Settings(precision_cap_km=cap), tools={"metadata": exact, "read_text": guessing})
    steps = repr([step for step in guessed.stream(scenes.PICTURE) if step.trace is not None])
    assert ("Carneiro" in steps) is (cap is None)
    assert ("Carneiro" in guessed.localize(scenes.PICTURE).model_dump_json()) is (cap is None)


def test_a_cap_withholds_the_folders_of_models():
    from geosleuth.agent.precision import coarsen

    ran = {"prior": "dir:/home/lisbon case/qwen+dir:/home/lisbon/lora; qwen@0123", "planner": "VlmPlanner(dir:qwen)"}
    told = coarsen(answer(None).model_copy(update={"backends": ran}), 50.0).backends
    assert told == {"prior": "dir:qwen+dir:lora; qwen@0123", "planner": "VlmPlanner(dir:qwen)"}
