"""A recorded model against the agent that asks it: six photos whose answers are written by hand."""

from pathlib import Path

import pytest

from geosleuth.agent.calibration import load_calibration
from geosleuth.indexes.errors import InputError
from geosleuth.tools.evidence import Evidence, OverRegions
from geosleuth.tools.prior import RecordedPredictions, recorded_models
from geosleuth.training.evaluate.against.__main__ import _seen, main
from geosleuth.training.evaluate.against.contest import contest, less_evidence, pooled_contests, two_models
from geosleuth.training.evaluate.against.page import change_table, contest_table, near_table, region_table
from geosleuth.training.evaluate.against.unmeasured import as_unmeasured, pooled_errors
from geosleuth.training.evaluate.agent.measures import COUNTRY
from geosleuth.training.evaluate.agent.score import score
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


def test_a_model_is_judged_on_the_photos_that_it_was_asked_about(contests):
    dull = contests[1]
    assert [row.truth.file for row in dull.agent] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    assert [row.truth.file for row in dull.alone] == [row.truth.file for row in dull.agent]


def test_a_row_that_names_no_place_is_wrong_for_the_model(observed, tmp_path):
    path = tmp_path / "silent.csv"
    path.write_text(
        "model,source_file,predicted_country,predicted_city,lat,lon\n"
        + "".join(f"m,{file},{'France' if file < 'c' else ''},,,\n" for file in PLACES)
    )
    found = contest(observed, RecordedPredictions.read(path, "m"))
    assert len(found.alone) == 6
    assert found.alone[-1].point is None
    assert found.agent[-1].point is not None


def test_pooled_counts_all_rows(contests):
    both = pooled_contests(contests)
    assert both.photos == 11
    assert both.gained == sum(one.paired().gained for one in contests)


def test_a_tool_that_is_left_out_is_missed_where_it_spoke(contests):
    less = less_evidence(contests[:1])
    assert set(less) == {"reading (1 photos)", "reading.phone (1 photos)"}
    assert (less["reading (1 photos)"].gained, less["reading (1 photos)"].lost) == (1, 0)


def test_two_models_are_set_against_the_better_one(observed, contests, predictions):
    recorded = [RecordedPredictions.read(predictions, name) for name in ("sharp", "dull")]
    [both] = two_models(observed, contests, recorded)
    assert both.name == "sharp and dull"
    assert both.alone == contests[0].agent[:5]  # f was asked of one of them only
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
    assert "| both | 11 |" in table
    assert "accuracy@25km" in near_table(contests)
    assert "| all | 6 |" in region_table({"all": contests[0].agent})
    assert "| reading (1 photos) | 1 | 0 |" in change_table("left out", less_evidence(contests[:1]))


def test_bad_words_are_refused_in_three_parts(tmp_path, predictions, caplog):
    given = ["--data", "csv", "--root", str(tmp_path), "--labels", str(tmp_path / "none.csv")]
    assert main([*given, "--predictions", str(predictions), "--notes", str(tmp_path / "notes")]) == 2
    assert all(word in caplog.text for word in ("Wanted:", "Found:", "Do:"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pool", "sharp,dull"], "NAME=MODEL"),
        (["--pool", "both=sharp,nobody"], "NAME=MODEL"),
        (["--models", "nobody"], "nobody"),
        (["--processes", "0"], "one process or more"),
    ],
)
def test_arguments_are_checked_before_any_photo(words, said, tmp_path, predictions, caplog):
    given = ["--data", "csv", "--root", str(tmp_path), "--labels", str(tmp_path / "none.csv")]
    assert main([*given, "--predictions", str(predictions), "--notes", str(tmp_path / "notes"), *words]) == 2
    assert said in caplog.text


def test_photos_that_were_looked_at_must_be_of_the_set(tmp_path):
    listed = tmp_path / "seen.txt"
    listed.write_text("a photo.jpg\n\nb.jpg\n")
    assert _seen(listed, ["a photo.jpg", "b.jpg", "c.jpg"]) == {"a photo.jpg", "b.jpg"}
    with pytest.raises(InputError, match=r"a photo\.jpg"):
        _seen(listed, ["b.jpg"])
    with pytest.raises(InputError, match="name a line"):
        _seen(tmp_path / "nowhere.txt", [])


def test_a_page_that_cannot_be_written_is_heard_of_first(tmp_path, predictions, caplog):
    given = ["--data", "csv", "--root", str(tmp_path), "--predictions", str(predictions)]
    assert main([*given, "--out", str(tmp_path / "no" / "such" / "page.md"), "--notes", str(tmp_path / "n")]) == 2
    assert "Do:" in caplog.text


def test_a_model_that_was_not_measured_counts_by_the_errors_of_the_others(
    observed: list[Observed], predictions: Path
) -> None:
    """Sharp errs once in six, dull nearly always: each is answered with the other's errors, and not its own."""
    contests = [contest(observed, RecordedPredictions.read(predictions, name)) for name in ("sharp", "dull")]
    sharp, dull = (pooled_errors([one]) for one in contests)
    assert dull[0].share < sharp[0].share  # within a city
    answers = as_unmeasured(contests)
    assert {name: len(rows) for name, rows in answers.items()} == {"sharp": 6, "dull": 5}
    own = load_calibration().model_copy(update={"errors_of_others": sharp})
    measured = score(contests[0].fitted.observed, own)
    first = next(row for row in range(6) if measured[row].truth.file == "a.jpg")
    assert answers["sharp"][first].entropy_bits > measured[first].entropy_bits  # the other's points tell less
