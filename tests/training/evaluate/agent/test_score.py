"""Scores of what was observed: the agent's own answer over again, and a model's bare one. All photos are invented."""

import math
from pathlib import Path

import numpy as np
import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.calibration import Calibration
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding, Scene
from geosleuth.tools.evidence import Evidence, NearPlace, NearPoints, Nothing, OverRegions
from geosleuth.tools.prior import RecordedPredictions
from geosleuth.training.evaluate.agent.observe import UNREADABLE
from geosleuth.training.evaluate.agent.score import bare_prediction, score, unreadable
from geosleuth.training.evaluate.agent.scored import Observed, Scored, Truth

LISBON = (38.7223, -9.1393)
LONDON, PARIS = (51.5074, -0.1278), (48.8566, 2.3522)
PICTURE = np.full((40, 60, 3), 127, dtype=np.uint8)
QUIET = Evidence(tool="metadata", type="metadata.gps", claim="No position.", likelihood=Nothing(reason="no EXIF"))


def says(code: str, ratio: float) -> Evidence:
    likelihood = OverRegions(log_ratios={code: math.log(ratio)})
    return Evidence(tool="reading", type="reading.language", claim=f"A sign of {code}.", likelihood=likelihood)


def stands(lat: float, lon: float, kind: str = "reading.place", weight: float = 1e10) -> Evidence:
    near = NearPoints(places=(NearPlace(lat=lat, lon=lon, spread_km=5.0, weight=weight),), floor=1.0)
    return Evidence(tool=kind.split(".")[0], type=kind, claim=f"At {lat}, {lon}.", likelihood=near)


def truth(lat: float, lon: float, country: str | None = "PT", file: str = "a/photo.jpg") -> Truth:
    return Truth(file=file, sha256="0" * 64, lat=lat, lon=lon, country=country)


def seen(*evidence: Evidence, at: Truth | None = None) -> Observed:
    return Observed(
        truth=at or truth(*LISBON), evidence=evidence, seconds=2.5, calls={"metadata": 1, "read_text": 2}, failures=()
    )


def one(*evidence: Evidence, at: Truth | None = None, **options) -> Scored:
    (row,) = score([seen(*evidence, at=at)], **options)
    return row


CASES = {
    "a position": (QUIET, stands(*LISBON)),
    "a country": (says("PT", 300.0),),
    "a weak clue": (says("PT", 1.5),),
    "nothing": (QUIET,),
    "a contradiction": (says("PT", 3e5), stands(*PARIS, "metadata.gps")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_score_is_the_agents_own_answer(name: str) -> None:
    def metadata(scene: Scene) -> Finding:
        """Find what the case says."""
        return Finding("the case", CASES[name])

    answer = Agent(Settings(), tools={"metadata": metadata}).localize(PICTURE)
    row = one(*CASES[name])
    first = answer.countries[0]
    assert (row.status, row.named_country, row.probability) == (answer.status, first.code, first.probability)
    assert row.entropy_bits == answer.entropy_bits
    areas = [feature.properties.area_km2 for feature in answer.regions.features]
    assert [row.area_50_km2, row.area_90_km2] == pytest.approx(areas)
    if answer.point is not None:
        assert row.point == (answer.point.lat, answer.point.lon)
        assert row.named_city == (answer.city.name if answer.city else None)


def test_the_cases_are_of_all_kinds() -> None:
    found = {name: one(*evidence).status for name, evidence in CASES.items()}
    assert found["a position"] == "localized"
    assert found["nothing"] == "not_locatable"
    assert found["a contradiction"] == "coarse"


def test_distances_countries_and_regions_are_against_the_truth() -> None:
    row = one(stands(*LONDON), at=truth(*PARIS, "FR"))
    assert row.error_km == pytest.approx(344, abs=3)  # Paris to London, on the ellipsoid
    assert (row.point_country, row.named_country) == ("GB", "GB")
    assert row.truth_probability < 0.01 < 0.9 < row.probability
    assert (row.in_50, row.in_90) == (False, False)
    assert (row.seconds, row.calls) == (2.5, 3)
    here = one(stands(*LONDON), at=truth(*LONDON, "GB"))
    assert (here.in_50, here.in_90, here.error_km < 5) == (True, True, True)
    assert here.truth_probability == here.probability
    assert here.area_50_km2 <= here.area_90_km2


def test_a_truth_at_sea_or_in_no_listed_country_is_scored_too() -> None:
    assert one(says("PT", 9.0), at=truth(-50.0, -130.0, None)).truth_probability is None
    lost = one(stands(*LISBON), at=truth(-60.0, -150.0, "ZZ"))
    assert (lost.truth_probability, lost.in_90) == (0.0, False)


def test_a_calibration_is_taken() -> None:
    deaf = Calibration(temperatures={"reading.language": 0.0}, correlation=0.8, source="test")
    blank = one(QUIET)
    row = one(says("PT", 1e6), calibration=deaf)
    assert row.truth_probability == pytest.approx(blank.truth_probability)
    assert one(says("PT", 1e6)).truth_probability > 0.99
    assert row.status == "not_locatable"


def test_a_photo_that_nobody_could_read_has_no_answer() -> None:
    """Beside one that was looked at in vain, whose belief is where photos are taken, and one whose tool failed."""
    blank = seen(QUIET)
    failed = blank.model_copy(update={"failures": ("photograph: a tool of that name broke",)})
    lost = blank.model_copy(update={"evidence": (), "calls": {}, "failures": (f"{UNREADABLE}: no JPEG",)})
    assert [unreadable(each) for each in (blank, failed, lost)] == [False, False, True]
    one_blank, one_failed, row = score([blank, failed, lost])
    assert one_failed == one_blank
    assert one_blank.point is not None
    assert (row.truth, row.status, row.calls) == (lost.truth, "not_locatable", 0)
    said = row.model_dump(exclude={"truth", "status", "calls", "seconds"})
    assert set(said.values()) == {None}


def test_threads_change_nothing() -> None:
    several = [seen(*CASES[name]) for name in ("a position", "nothing", "a country")]
    assert score(several, processes=3) == score(several)
    assert score([]) == []


@pytest.fixture
def recorded(tmp_path: Path) -> RecordedPredictions:
    path = tmp_path / "answers.csv"
    path.write_text(
        "model,source_file,predicted_country,predicted_city,lat,lon\n"
        "m,london.jpg,United Kingdom,London,51.5074,-0.1278\n"
        "m,named.jpg,Portugal,,,\n"
        "m,border.jpg,Germany,Paris,48.8566,2.3522\n"
        "m,silent.jpg,I cannot tell,,,\n"
    )
    return RecordedPredictions.read(path, "m")


def bare(recorded: RecordedPredictions, file: str) -> Scored:
    (row,) = bare_prediction([truth(*PARIS, "FR", file)], recorded)
    return row


def test_a_bare_prediction_is_what_the_model_said_and_no_more(recorded: RecordedPredictions) -> None:
    row = bare(recorded, "folder/london.jpg")
    assert row.error_km == pytest.approx(343.9, abs=0.5)
    expected = ("localized", LONDON, "GB", "GB", "London")
    assert (row.status, row.point, row.point_country, row.named_country, row.named_city) == expected
    assert {row.probability, row.truth_probability, row.in_50, row.in_90, row.area_90_km2, row.entropy_bits} == {None}


def test_what_a_model_names_and_where_its_point_lies_are_two_things(recorded: RecordedPredictions) -> None:
    row = bare(recorded, "border.jpg")
    assert (row.named_country, row.point_country, row.error_km) == ("DE", "FR", 0.0)
    named = bare(recorded, "named.jpg")
    assert (named.status, named.named_country, named.point, named.error_km) == ("localized", "PT", None, None)
    assert named.point_country is None


@pytest.mark.parametrize("file", ["silent.jpg", "absent.jpg"])
def test_a_model_that_says_nothing_locates_nothing(recorded: RecordedPredictions, file: str) -> None:
    row = bare(recorded, file)
    assert (row.status, row.point, row.named_country, row.named_city) == ("not_locatable", None, None, None)
