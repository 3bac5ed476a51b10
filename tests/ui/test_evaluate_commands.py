"""`geosleuth evaluate retrieval` on five invented places in CVUSA's layout, with the embedded encoder."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.training.evaluate.cross_view import embed as embed_module
from geosleuth.ui import cli

PLACES = 5


def run(*arguments: object):
    return CliRunner().invoke(cli.app, ["evaluate", "retrieval", *[str(a) for a in arguments]])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Five places: a tile of coarse coloured blocks, and a "panorama" that is the same tile, a little darker."""
    folder = tmp_path_factory.mktemp("cvusa")
    for name in ("splits", "bingmap", "streetview"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    for i in range(PLACES):
        tile = Image.fromarray(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8)).resize(
            (96, 96), Image.Resampling.NEAREST
        )
        tile.save(folder / f"bingmap/{i}.png")
        tile.point(lambda value: value * 0.9).save(folder / f"streetview/{i}.png")
    (folder / "streetview/4.png").write_bytes(b"no picture")
    rows = [f"bingmap/{i}.png,streetview/{i}.png,none" for i in range(PLACES)]
    (folder / "splits/val-19zl.csv").write_text("\n".join(rows) + "\n")
    return folder


def options(root: Path) -> list[object]:
    return ["--data", "cvusa", "--root", root, "--split", "val", "--encoder", "embedded"]


def test_figures_are_printed_as_a_table_and_the_report_is_written(root, tmp_path):
    said = done(*options(root), "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    lines = said.splitlines()
    assert lines[0] == "CVUSA val: 5 queries, 5 references; none skipped"
    assert lines[1] == "searched: 5 references"
    assert lines[2].startswith("encoder embedded, weights ")
    head, row = lines[4].split(), lines[5].split()
    assert head[:3] == ["queries", "number", "R@1"]
    assert row[:2] == ["panorama", "5"]
    assert row[2] == "80.0"  # the fifth cannot be read
    assert row[-2:] == ["16.0", "%"]  # chance: a fifth, for four of five queries
    assert "Queries that cannot be read, and count as not found: 1." in said
    assert (tmp_path / "out/report.html").exists()
    assert lines[-1] == f"Report: {tmp_path / 'out/report.html'}"


def test_json_is_one_line_and_a_second_run_encodes_nothing(root, tmp_path, monkeypatch):
    first = done(*options(root), "--json", "--cache", tmp_path / "cache", "--out", tmp_path / "out")
    assert first.count("\n") == 1
    found = json.loads(first)
    assert found["encoder"] == "embedded"
    assert found["measures"]["overall"]["recall"]["1"] == 0.8
    assert found["measures"]["overall"]["unreadable"] == 1
    assert found["differences"] == []
    monkeypatch.delattr(embed_module, "open_photo")  # no picture is opened any more
    again = json.loads(done(*options(root), "--json", "--cache", tmp_path / "cache", "--compare", tmp_path / "out"))
    assert again["measures"] == found["measures"]
    change = again["differences"][0]
    assert (change["modality"], change["difference"], change["interval"]) == ("all", 0.0, [0.0, 0.0])


def test_limit_draws_queries_and_keeps_the_gallery(root, tmp_path):
    found = json.loads(done(*options(root), "--json", "--limit", 2, "--cache", tmp_path / "cache"))["measures"]
    assert (found["overall"]["queries"], found["references"]) == (2, 5)


def test_what_is_wrong_is_told_with_exit_code_2(root, tmp_path):
    cases = [
        (["--data", "cvusaa"], "Use one of: vigor"),
        (["--split", "test"], "Use one of: train, val."),
        (["--root", tmp_path / "nowhere"], "no such folder"),
        (["--encoder", "nonsense"], "nonsense"),
        (["--compare", tmp_path / "none.json"], "evaluate retrieval --out FOLDER"),
        (["--limit", 0], "--limit"),
    ]
    for changed, words in cases:
        result = run(*options(root), "--out", tmp_path / "out", *changed)
        assert result.exit_code == 2, changed
        assert words in result.stderr, changed
        assert result.stdout == ""
    (tmp_path / "file").write_text("")
    result = run(*options(root), "--out", tmp_path / "file")
    assert result.exit_code == 2
    assert "a folder to write the report to" in result.stderr


def test_the_group_lists_its_command():
    result = CliRunner().invoke(cli.app, ["evaluate"])
    assert "retrieval" in result.output
