"""`geosleuth evaluate vlm` with a tiny model of random weights: it shows that the command runs, never quality."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.training.evaluate.vlm import prior as prior_module
from geosleuth.training.georeasoner.street_views import StreetView, write_street_views
from geosleuth.training.gleam_x.record import PairRecord, Reasons
from geosleuth.training.gleam_x.record_file import write_records
from geosleuth.ui.evaluate_vlm import vlm

app = typer.Typer()
app.command()(vlm)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Three pictures of coarse blocks, a table that places them, and pairs of them."""
    folder = tmp_path_factory.mktemp("views")
    rng = np.random.default_rng(0)
    for i in range(3):
        blocks = Image.fromarray(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        blocks.resize((56, 56), Image.Resampling.NEAREST).save(folder / f"{i}.png")
    views = [StreetView(folder / f"{i}.png", 48.8 + i, 2.3, "FR", "Paris", None, 0.2 * i) for i in range(3)]
    write_street_views(folder / "street_views.csv", views)
    records = [
        PairRecord(
            pair_id=f"{i}",
            query_path=f"{i}.png",
            query_view="ground",
            query_modality="ground",
            satellite_path=f"{other}.png",
            label="match" if i != 1 else "no_match",
            explanation=Reasons(conclusion="A place."),
            source_dataset="invented",
        )
        for i, other in ((0, 1), (1, 2), (2, 0))
    ]
    write_records(folder / "pairs.jsonl", records)
    return folder


@pytest.fixture(scope="module")
def model(tiny_models) -> str:
    return f"dir:{tiny_models.tiny_qwen_of_few_words()}"


def test_prior_is_measured_and_a_second_run_asks_nothing(root, model, tmp_path, monkeypatch):
    options = ["--task", "prior", "--model", model, "--root", root, "--data", root / "street_views.csv", "--limit", 2]
    out = tmp_path / "out"
    said = done(*options, "--out", out)
    assert "country: answer rate" in said
    assert said.splitlines()[-1] == f"Report: {out / 'report.html'}"
    assert len((out / "prior_answers.jsonl").read_text().splitlines()) == 2
    monkeypatch.delattr(prior_module, "prompt")  # nothing is asked any more
    found = json.loads(done(*options, "--out", out, "--compare", out, "--json"))
    assert found["sections"][0]["counts"] == {"all": 2}
    assert found["differences"]["columns"]["difference"]["country: answer rate"]["value"] == 0.0
    assert "prior_rows" not in found
    held_out = done(*options, "--out", out, "--seen", "JP, DE")
    assert "Countries that training never saw" in held_out
    assert "accuracy, all" not in held_out


def test_verifier_is_measured_with_its_reasons(root, model, tmp_path):
    options = ["--task", "verifier", "--model", model, "--root", root, "--data", root / "pairs.jsonl", "--limit", 2]
    said = done(*options, "--explanations", "--similarity", "off", "--out", tmp_path)
    assert "yes-rate less base rate" in said
    assert "JSON valid at the first try" in said
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 2
    assert len((tmp_path / "reasons.jsonl").read_text().splitlines()) == 2
    assert "<svg" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--task", "planner"], "a task"),
        (["--task", "verifier"], "a file of pairs"),
        (["--task", "prior", "--explanations"], "options of the prior"),
        (["--task", "verifier", "--data", "pairs.jsonl", "--seen", "FR"], "options of the verifier"),
        (["--task", "prior", "--seen", "FR,QQ"], "codes of countries"),
        (["--task", "prior", "--compare", "nowhere.json"], "the report of another run"),
        (["--task", "verifier", "--data", "nowhere.jsonl"], "a file of pairs"),
    ],
)
def test_wrong_calls_are_said_in_three_lines(root, options, wanted):
    result = run("--model", "dir:/nowhere", "--root", root, *options)
    assert result.exit_code == 2
    assert wanted in result.output
    assert "Do:" in result.output


def test_a_comparison_with_others_is_refused_before_anything_is_asked(root, model, tmp_path, monkeypatch):
    prior = ["--task", "prior", "--model", model, "--root", root, "--data", root / "street_views.csv"]
    done(*prior, "--limit", 1, "--out", tmp_path / "one")
    monkeypatch.delattr(prior_module, "prompt")  # asking would fail otherwise
    refused = run(*prior, "--limit", 2, "--compare", tmp_path / "one")
    assert refused.exit_code == 2
    assert "the same 2 photos to compare with" in refused.output
    pairs = ["--task", "verifier", "--model", model, "--root", root, "--data", root / "pairs.jsonl"]
    refused = run(*pairs, "--compare", tmp_path / "one")
    assert refused.exit_code == 2
    assert "one of the prior on" in refused.output


def test_pictures_that_are_all_missing_are_bad_input_and_one_is_told(root, model, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    options = ["--task", "verifier", "--model", model, "--data", root / "pairs.jsonl"]
    result = run(*options, "--root", gone)
    assert result.exit_code == 2
    assert "none of 3, the first because: 0: " in result.output
    for name in ("0.png", "1.png"):
        (gone / name).write_bytes((root / name).read_bytes())
    said = done(*options, "--root", gone)
    assert "Could not be asked: 2, the first 1: " in said
    assert "2.png" in said.split("Could not be asked")[1]


def test_an_interrupted_run_says_how_to_go_on(root, model, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(prior_module, "country_shares", interrupted)
    result = run("--task", "prior", "--model", model, "--root", root, "--out", tmp_path)
    assert result.exit_code == 130
    assert "the same command goes on" in result.output
