"""Rank correlation is scipy's, its interval covers, and recorded answers are paired with their photos."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.training.locatability.correlation import Correlation, correlate, main

stats = pytest.importorskip("scipy.stats")


def test_a_perfect_order_is_one_and_a_turned_one_minus_one():
    scores = [0.1, 0.2, 0.3, 0.4, 0.9]
    found = correlate(scores, [1, 2, 4, 8, 1000])
    assert (found.rho, found.low, found.high, found.n) == (
        pytest.approx(1.0),
        pytest.approx(1.0),
        pytest.approx(1.0),
        5,
    )
    assert correlate(scores, [9, 7, 5, 3, 1]).rho == pytest.approx(-1.0)


def test_ties_count_with_their_mean_rank():
    # Ranks 1, 2, 3, 4 against 1.5, 3.5, 1.5, 3.5: products of what they are off the mean 1.5 - 0.5 - 0.5 + 1.5 = 2,
    # over the root of the squares' sums, 5 and 4.
    assert correlate([1, 2, 3, 4], [0, 1, 0, 1]).rho == pytest.approx(2 / np.sqrt(20))


def test_it_is_scipys_and_the_interval_is_as_wide_as_theory_says():
    rng = np.random.default_rng(1)
    x = rng.random(400)
    y = (rng.random(400) < x).astype(float)
    found = correlate(x.tolist(), y.tolist())
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.low < found.rho < found.high
    none = correlate(x.tolist(), rng.random(400).tolist())
    assert none.low < 0 < none.high
    assert none.high - none.low == pytest.approx(2 * 1.96 / np.sqrt(399), rel=0.1)  # of no correlation


def test_rare_outcomes_do_not_undo_the_interval():
    """Of the resamples some hold no right answer at all: those have no rho."""
    outcomes = [0.0] * 49 + [1.0]
    found = correlate(np.linspace(0, 1, 50).tolist(), outcomes)
    assert found.rho == pytest.approx(stats.spearmanr(range(50), outcomes).statistic)
    assert np.isfinite([found.low, found.high]).all()


def test_where_nothing_varies_there_is_no_correlation():
    assert correlate([0.1, 0.2, 0.3], [1, 1, 1]) == Correlation(None, None, None, 3)
    assert correlate([], []) == Correlation(None, None, None, 0)
    assert str(correlate([0.1, 0.2], [0, 1])) == "undefined (n = 2)"
    with pytest.raises(ValueError, match="not of the same photos"):
        correlate([0.1], [1, 0])


@pytest.fixture
def answers(tmp_path: Path) -> list[str]:
    """Six photos of Portugal with ever more detail; model "up" is right about the last three, "down" about the rest."""
    rng = np.random.default_rng(0)
    labels, predictions = ["source_file,lat,lon,iso2"], ["model,source_file,predicted_country,predicted_city,lat,lon"]
    for i in range(6):
        pixels = np.full((128, 128, 3), 120, np.uint8)
        blocks = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        pixels[: 12 * (i + 1)] = blocks[: 12 * (i + 1)]
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        labels.append(f"{i}.png,38.7,-9.1,PT")
        predictions.append(f"up,{i}.png,{'Portugal' if i > 2 else 'Spain'},,38.7,{-9.1 + 5 - i}")
        predictions.append(f"down,{i}.png,{'Portugal' if i < 3 else ''},,,")
    labels.append("gone.png,38.7,-9.1,PT")
    predictions.append("up,gone.png,Portugal,,38.7,-9.1")
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    (tmp_path / "predictions.csv").write_text("\n".join(predictions))
    files = ["--labels", tmp_path / "labels.csv", "--predictions", tmp_path / "predictions.csv", "--images", tmp_path]
    return [str(one) for one in files]


def test_recorded_answers_are_correlated_photo_by_photo(answers, capsys):
    assert main([*answers, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    up, down = said["models"]
    assert said["scored_by"].startswith("6 of 7 photos scored by the embedded score")
    assert (up["model"], up["photos"], up["country_right"]) == ("up", 6, 0.5)
    # Scores rise with the detail. Ranks 1 to 6 against 2, 2, 2, 5, 5, 5: 13.5 / sqrt(17.5 * 13.5).
    assert up["with_right"]["rho"] == pytest.approx(np.sqrt(13.5 / 17.5))
    assert up["with_error_km"]["rho"] == pytest.approx(-1.0)
    assert down["with_right"]["rho"] == pytest.approx(-np.sqrt(13.5 / 17.5))
    assert down["with_error_km"] == {"rho": None, "low": None, "high": None, "n": 0}  # it gave no position


def test_the_table_names_the_score_and_each_model(answers, capsys):
    assert main([*answers, "--model", "down"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "not GeoReasoner's formula" in lines[0]
    assert lines[-1].startswith("down  50.0%  -0.878 [")
    assert lines[-1].endswith("undefined (n = 0)")


def test_what_is_missing_is_said(answers, capsys, tmp_path):
    assert main([*answers, "--model", "other"]) == 2
    assert "'other' among up, down" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([*answers[:-1], str(tmp_path / "empty")]) == 2
    assert "none of 7 in " in capsys.readouterr().err


def test_a_model_that_answered_about_none_of_the_photos_is_told(answers, tmp_path, capsys):
    (tmp_path / "predictions.csv").write_text(
        "model,source_file,predicted_country,predicted_city,lat,lon\nup,other.png,Portugal,,38.7,-9.1\n"
    )
    assert main([*answers, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Wanted photos that up answered about; found none: of 1 files with an answer none is among 6" in said.err
