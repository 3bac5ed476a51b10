"""`geosleuth curate clues` on invented clues."""

import json

import pytest
import typer
from typer.testing import CliRunner

from geosleuth.tools.ade20k import CLASSES, class_name
from geosleuth.tools.class_weights import read_weights
from geosleuth.training.locatability.__main__ import main
from geosleuth.training.locatability.clues import read_clues
from geosleuth.ui.curate.clues_command import clues

TEXTS = "In Kenya the roads are red\nRoads in Peru\nPoles in Finland\nLook at the sun\x1b[2J first\nRoads in Peru\n"


def run(*arguments):
    app = typer.Typer()
    app.command()(clues)
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def source(tmp_path):
    (tmp_path / "clues.txt").write_text(TEXTS, encoding="utf-8")
    return tmp_path / "clues.txt"


def test_clues_are_kept_and_dropped_with_counts_and_examples(source, tmp_path):
    out = tmp_path / "out"
    done = run(source, "--out", out)
    assert done.exit_code == 0
    said = done.stdout.splitlines()
    assert said[0] == "4 clues: 3 kept, 1 dropped (geosleuth's tables (en, zh))"
    assert said[1] == "  1 rows skipped: there before"
    assert said[2] == "  kept: In Kenya the roads are red [Kenya]"
    assert said[5] == "  dropped, names no place: Look at the sun\\x1b[2J first"  # what a clue holds steers no terminal
    assert said[6] == f"In {out}: kept.jsonl, dropped.jsonl, clues.json"
    assert read_clues(out / "kept.jsonl").texts == ("In Kenya the roads are red", "Roads in Peru", "Poles in Finland")
    (dropped,) = map(json.loads, (out / "dropped.jsonl").read_text("utf-8").splitlines())
    assert dropped == {"clue": "Look at the sun\x1b[2J first", "reason": "names no place"}
    assert not (out / "weights.tsv").exists()


def test_weights_are_those_of_the_module(source, tmp_path):
    out = tmp_path / "out"
    done = run(source, "--out", out, "--encoder", "words", "--json")
    assert done.exit_code == 0
    summary = json.loads(done.stdout)
    assert (summary["weights"], summary["heaviest_classes"]["road"], summary["heaviest_classes"]["pole"]) == (
        "weights.tsv",
        1.0,
        0.5,
    )
    weights = read_weights(out / "weights.tsv")
    assert {class_name(i): weights[i] for i in range(CLASSES) if weights[i]} == {"road": 1.0, "pole": 0.5}
    assert main([str(source), "--encoder", "words", "--out", str(tmp_path / "w.tsv")]) == 0
    assert (tmp_path / "w.tsv").read_bytes() == (out / "weights.tsv").read_bytes()
    assert json.loads((out / "clues.json").read_text("utf-8")) == summary


def test_all_are_kept_on_request(source, tmp_path):
    done = run(source, "--out", tmp_path / "out", "--keep-all", "--json")
    assert json.loads(done.stdout)["kept"] == 4


def test_a_recogniser_of_spacy(source, tmp_path):
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Peru"}])
    pipeline.to_disk(tmp_path / "pipeline")
    done = run(source, "--out", tmp_path / "out", "--recogniser", f"spacy:{tmp_path / 'pipeline'}")
    assert done.stdout.startswith("4 clues: 1 kept, 3 dropped (spaCy en_pipeline 0.0.0)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recogniser", "magic"], "what recognises names of places"),
        (["--languages", "klingon"], "ISO 639"),
        (["--encoder", "embedded"], "a text encoder"),
        (["--encoder", "bogus"], "Name one: hf:ORG/NAME[@REV] or dir:PATH, without adapters; `words` needs no model."),
    ],
)
def test_what_is_wrong_is_said(arguments, said, source, tmp_path):
    done = run(source, "--out", tmp_path / "out", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Do:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_without_places(tmp_path):
    (tmp_path / "clues.txt").write_text("Look at the sun\n")
    done = run(tmp_path / "clues.txt", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "none among 1" in done.stderr


def test_what_an_earlier_run_wrote_stays(source, tmp_path):
    out = tmp_path / "out"
    assert run(source, "--out", out, "--encoder", "words").exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for given in (source, out / "kept.jsonl"):
        again = run(given, "--out", out)
        assert again.exit_code == 2
        assert f"{out} with kept.jsonl" in again.stderr
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert run(out / "kept.jsonl", "--out", tmp_path / "next").exit_code == 0
