"""`geosleuth curate locatability` on invented views: table, files, and what goes on after an interruption."""

import csv
import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.ui.curate.locatability_command import locatability


def run(*arguments: object):
    app = typer.Typer()
    app.command()(locatability)
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def root(tmp_path):
    """Four views with masks: road fills a tenth, a half, all; and one whose mask is missing."""
    rows = ["file,lat,lon,country,city"]
    for i, road in enumerate((0.1, 0.5, 1.0, None)):
        name = f"{i}.png"
        folder = tmp_path / "set"
        (folder / "labels").mkdir(parents=True, exist_ok=True)
        blocks = np.random.default_rng(i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(blocks).resize((64, 64), Image.Resampling.NEAREST).save(folder / name)
        if road is not None:
            mask = np.zeros((10, 10), np.uint8)
            mask[: round(10 * road)] = 7
            Image.fromarray(mask).save(folder / "labels" / name)
        rows.append(f"{name},{38.7 + i / 100},-9.1,{'PT' if i else 'ES'},Lisboa")
    (folder / "street_views.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_views_are_scored_kept_and_reported(root, tmp_path):
    out = tmp_path / "out"
    result = run(root, "--out", out, "--masks")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("set: 3 pictures scored in ")
    assert lines[2] == "  2 (66.7%) above 0.4 are kept, of 1 countries"
    assert lines[3] == "  lost: Spain"
    assert "  1 could not be scored, and are not kept." in lines
    assert "  0.4     2  66.7%          1     1    0.000  PT 100%       1" in lines
    assert lines[-1].startswith(f"Next: {out / 'kept.csv'} is the manifest")
    with (out / "kept.csv").open() as file:
        assert [(row["file"], row["locatability"]) for row in csv.DictReader(file)] == [
            ("1.png", "0.5"),
            ("2.png", "1.0"),
        ]
    assert (out / "report.html").exists()
    again = run(root, "--out", out, "--masks", "--threshold", "0.6", "--json")
    said = json.loads(again.stdout)
    assert (said["at"]["kept"], said["kept_csv"]) == (1, str(out / "kept.csv"))
    assert "  3 had been scored by an earlier run" in run(root, "--out", out, "--masks").stdout


def test_an_interruption_says_how_to_go_on(root, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("geosleuth.training.locatability.score_set.score_each", interrupted)
    result = run(root, "--out", tmp_path / "out", "--masks")
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr


def test_another_way_to_score_is_refused_in_three_parts(root, tmp_path):
    assert run(root, "--out", tmp_path / "out", "--masks").exit_code == 0
    result = run(root, "--out", tmp_path / "out", "--threshold", "0.3")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines() if line[:1] in "WFD"] == ["Wanted", "Found", "Do"]
    assert run(root, "--out", tmp_path / "x", "--threshold", "1.5").exit_code == 2
    assert run(tmp_path / "none", "--out", tmp_path / "x").exit_code == 2


def test_views_that_are_held_out_are_told_and_can_be_left_out(root, tmp_path):
    table = root / "street_views.csv"
    head, *rows = table.read_text().splitlines()
    splits = ("train", "train", "held_out_country", "train")
    table.write_text("\n".join([f"{head},split", *map(",".join, zip(rows, splits, strict=True))]) + "\n")
    mixed = run(root, "--out", tmp_path / "out", "--masks")
    assert "Caution: Several splits are mixed (train 3, held_out_country 1): --split takes one" in mixed.stdout
    assert "Next:" not in mixed.stdout
    assert "Several splits are mixed" in (tmp_path / "out" / "report.html").read_text()
    with (tmp_path / "out" / "kept.csv").open() as file:
        assert [(row["file"], row["split"]) for row in csv.DictReader(file)] == [
            ("1.png", "train"),
            ("2.png", "held_out_country"),
        ]
    train = run(root, "--out", tmp_path / "out", "--masks", "--split", "train")
    assert "Caution" not in train.stdout
    assert "Next:" in train.stdout
    with (tmp_path / "out" / "kept.csv").open() as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["1.png"]
    none = run(root, "--out", tmp_path / "out", "--masks", "--split", "test")
    assert (none.exit_code, "held_out_country" in none.stderr) == (2, True)


def test_every_reason_for_a_row_left_out_has_its_count(root, tmp_path):
    with (root / "street_views.csv").open("a") as file:
        file.write("0.png,1,1,,\n0.png,1,1,,\ngone.png,1,1,,\n../x.png,1,1,,\n")
    text = (root / "street_views.csv").read_text()
    (root / "street_views.csv").write_text(text.replace(",ES,", ",Narnia,"))
    said = run(root, "--out", tmp_path / "out", "--masks").stdout.splitlines()
    page = (tmp_path / "out" / "report.html").read_text()
    for line in (
        "2 rows left out when the set was read: there before.",
        "1 rows left out when the set was read: no such file.",
        "1 rows left out when the set was read: its path leads out of the root.",
        "1 rows: country cell that names no country: taken from the coordinates.",
    ):
        assert f"  {line}" in said
        assert line in page
    told = json.loads(run(root, "--out", tmp_path / "out", "--masks", "--json").stdout)
    assert told["skipped"] == {"there before": 2, "no such file": 1, "its path leads out of the root": 1}
    assert told["notes"]["country from the coordinates"] == 1


def test_the_embedded_score_has_no_threshold_of_its_own(root, tmp_path):
    refused = run(root, "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "Name one with --threshold, or a segmenter with --segmenter." in refused.stderr
    assert not (tmp_path / "out").exists()
    done = run(root, "--out", tmp_path / "out", "--threshold", "0.1")
    assert done.exit_code == 0
    assert "The paper's threshold of 0.4 means nothing for them" in done.stdout
