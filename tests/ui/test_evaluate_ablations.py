"""`geosleuth evaluate ablations` on a gallery of coloured pictures: that it runs, resumes, and says what it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.indexes.gallery.build import build_index
from geosleuth.ui.evaluate_ablations import ablations

app = typer.Typer()
app.command()(ablations)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> tuple[object, ...]:
    """Four references in two countries, photos of two of them, an index by the embedded encoder."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    places = [("FR", 48.85, 2.35), ("FR", 48.9, 2.4), ("DE", 52.5, 13.4), ("DE", 52.6, 13.5)]
    references, labels = ["file,lat,lon,view"], ["file,lat,lon,country"]
    for i, (country, lat, lon) in enumerate(places):
        blocks = Image.fromarray(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        picture = blocks.resize((64, 64), Image.Resampling.NEAREST)
        picture.save(folder / f"reference{i}.png")
        references.append(f"reference{i}.png,{lat},{lon},ground")
        if i % 2 == 0:
            picture.save(folder / f"photo{i}.png", compress_level=0)
            labels.append(f"photo{i}.png,{lat},{lon},{country}")
    (folder / "references.csv").write_text("\n".join(references) + "\n", encoding="utf-8")
    (folder / "labels.csv").write_text("\n".join(labels) + "\n", encoding="utf-8")
    build_index(folder / "references.csv", folder / "index")
    return ("--data", "csv", "--root", folder, "--labels", folder / "labels.csv", "--index", folder / "index")


def test_a_table_is_made_kept_and_made_again_from_what_was_kept(data, tmp_path: Path) -> None:
    first = run("reranking", *data, "--out", tmp_path, "--json")
    assert first.exit_code == 0, first.output
    (table,) = json.loads(first.stdout)["tables"]
    assert (table["table"], table["queries"]) == ("reranking", 2)
    retrieval = next(arm for arm in table["arms"] if arm["name"] == "retrieval")
    assert retrieval["figures"]["recall@1"]["value"] == 1  # the same picture
    assert {one.name for one in tmp_path.iterdir()} == {
        "ablations-reranking.html",
        "ablations-reranking.json",
        "rows.jsonl",
    }
    rows = (tmp_path / "rows.jsonl").read_bytes()
    again = run("reranking", *data, "--out", tmp_path)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "rows.jsonl").read_bytes() == rows
    assert "(d, f) Reranking" in again.stdout
    assert "features, pairwise" in again.stdout
    assert "Report:" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing",), "4 references left"),  # of the 4 there are
        (("reranking", "--within-m", "10001"), "10000"),
        (("nothing",), "submaps, geographic"),
        (("look_alikes",), "--twins"),
        (("submaps",), "--prior"),
        (("reranking", "--strategies", "best"), "direct, likert"),
        (("submaps", "--prior", "geoclip"), "file:PATH#MODEL"),
    ],
)
def test_what_is_missing_is_said(data, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, *data)
    assert result.exit_code == 2, result.output
    assert said in result.output


def test_of_all_what_cannot_be_made_is_left_out_and_said(data, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("of another evaluation", encoding="utf-8")
    twins = tmp_path / "twins.csv"
    twins.write_text("file,twin_lat,twin_lon\nphoto0.png,52.5,13.4\nnobody.png,1,1\n", encoding="utf-8")
    result = run("all", *data, "--out", tmp_path, "--twins", twins)
    assert result.exit_code == 0, result.output
    for name, why in (("submaps", "it needs --prior"), ("missing", "4 references left")):
        assert f"The table {name} is left out: " in result.stderr
        assert why in result.stderr
    report = json.loads((tmp_path / "ablations.json").read_text(encoding="utf-8"))
    assert [one["table"] for one in report["tables"]] == ["reranking", "verifier", "look_alikes"]
    assert [name for name, _ in report["left_out"]] == ["submaps", "geographic", "corrupted", "missing"]
    assert "Not made: geographic: it needs --prior" in result.stdout
    assert any("name no photo of the data set: 1." in note for note in report["tables"][2]["notes"])
    assert not any("look-alikes that name" in note for note in report["tables"][0]["notes"])
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "of another evaluation"
