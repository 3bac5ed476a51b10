"""A recorded model against the agent that asks it: six photos whose answers are written by hand."""

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, OverRegions
from geosleuth.tools.prior import RecordedPredictions, recorded_models
from geosleuth.training.evaluate.against.__main__ import main
from geosleuth.training.evaluate.against.contest import contest, less_evidence, pooled_contests, two_models
from geosleuth.training.evaluate.against.page import change_table, contest_table, near_table, region_table
from geosleuth.training.evaluate.agent.measures import COUNTRY
from geosleuth.training.evaluate.agent.scored import Observed, Truth

PLACES = {
    "a.jpg": (48.85, 2.35, "FR"),
    "b.jpg": (45.76, 4.84, "FR"),
    "c.jpg": (52.52, 13.40, "DE"),
    "d.jpg": (48.14, 11.58, "DE"),
    "e.jpg": (40.42, -3.70, "ES"),
    "f.jpg": (41.39, 2.17, "ES"),
}
SIGN = Evidence(
    tool="reading",
    type="reading.phone",
    claim="A phone number of Spain.",
    likelihood=OverRegions(log_ratios={"ES": 40.0}, wrong=0.0),
    support=(),
)


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model is right but for e, which it takes for Berlin; the other says Paris always and leaves f out."""
    path = tmp_path_factory.mktemp("recorded") / "predictions.csv"
    lines = ["model,source_file,predicted_country,predicted_city,lat,lon"]
    for file, (lat, lon, _) in PLACES.items():
        at = (52.52, 13.40, "Germany") if file == "e.jpg" else (lat, lon, _named(file))
        lines.append(f"sharp,{file},{at[2]},,{at[0]},{at[1]}")
        if file != "f.jpg":
            lines.append(f"dull,{file},France,Paris,48.85,2.35")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _named(file: str) -> str:
    return {"FR": "France", "DE": "Germany", "ES": "Spain"}[PLACES[file][2]]


@pytest.fixture(scope="module")
def observed() -> list[Observed]:
    """Only e shows a sign."""
    return [
        Observed(
            truth=Truth(file=file, sha256=file, lat=lat, lon=lon, country=code),
            evidence=(SIGN,) if file == "e.jpg" else (),
            seconds=1.0,
            calls={"read_text": 1},
        )
        for file, (lat, lon, code) in PLACES.items()
    ]


@pytest.fixture(scope="module")
def contests(observed, predictions):
    return [contest(observed, RecordedPredictions.read(predictions, name)) for name in ("sharp", "dull")]


def test_the_models_of_a_file_are_listed(predictions):
    assert recorded_models(predictions) == ["sharp", "dull"]


def test_a_sign_corrects_the_model_and_nothing_else_changes(contests):
    sharp = contests[0]
    assert [row.point_country for row in sharp.alone] == ["FR", "FR", "DE", "DE", "DE", "ES"]
    assert [row.point_country for row in sharp.agent] == ["FR", "FR", "DE", "DE", "ES", "ES"]
    both = sharp.paired()
    assert (both.gained, both.lost) == (1, 0)
    assert both.differences[COUNTRY].value == pytest.approx(1 / 6)


def test_what_a_model_left_out_is_wrong_for_it_and_still_answered_by_the_agent(contests):
    alone, agent = contests[1].alone[-1], contests[1].agent[-1]
    assert (alone.point, alone.error_km, alone.point_country) == (None, None, None)
    assert agent.point is not None


def test_pooled_counts_all_rows(contests):
    both = pooled_contests(contests)
    assert both.photos == 12
    assert both.gained == sum(one.paired().gained for one in contests)


def test_a_tool_that_is_left_out_is_missed_where_it_spoke(contests):
    less = less_evidence(contests[:1])
    assert set(less) == {"reading (1 photos)", "reading.phone (1 photos)"}
    assert (less["reading (1 photos)"].gained, less["reading (1 photos)"].lost) == (1, 0)


def test_two_models_are_set_against_the_better_one(observed, contests, predictions):
    recorded = [RecordedPredictions.read(predictions, name) for name in ("sharp", "dull")]
    [both] = two_models(observed, contests, recorded)
    assert both.name == "sharp and dull"
    assert both.alone == contests[0].agent
    assert both.agent[4].point_country == "ES"


def test_photos_that_were_looked_at_can_be_left_out(contests):
    fewer = contests[0].without(frozenset({"e.jpg"}))
    assert len(fewer.agent) == len(fewer.alone) == 5
    assert fewer.paired().gained == 0


def test_the_tables_hold_the_figures(contests):
    table = contest_table(contests, {"both": ["sharp", "dull"]})
    row = next(line for line in table.splitlines() if line.startswith("| sharp"))
    assert "83.3 %" in row
    assert "100.0 %" in row
    assert "+16.7 points" in row
    assert "| both | 12 |" in table
    assert "accuracy@25km" in near_table(contests)
    assert "| all | 6 |" in region_table({"all": contests[0].agent})
    assert "| reading (1 photos) | 1 | 0 |" in change_table("left out", less_evidence(contests[:1]))


def test_bad_words_are_refused_in_three_parts(tmp_path, predictions, caplog):
    given = ["--data", "csv", "--root", str(tmp_path), "--labels", str(tmp_path / "none.csv")]
    assert main([*given, "--predictions", str(predictions), "--notes", str(tmp_path / "notes")]) == 2
    assert all(word in caplog.text for word in ("Wanted:", "Found:", "Do:"))


def test_a_pool_needs_a_name():
    from geosleuth.training.evaluate.against.__main__ import _pool

    assert _pool("open=a,b") == ("open", ["a", "b"])
    with pytest.raises(InputError, match="NAME=MODEL"):
        _pool("a,b")
