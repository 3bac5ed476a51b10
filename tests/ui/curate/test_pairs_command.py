import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.training.gleam_x import pairs as pairs_module
from geosleuth.training.gleam_x.record_file import read_records
from geosleuth.ui.curate.pairs_command import pairs

app = typer.Typer()
app.command()(pairs)


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def root(tmp_path):
    """University-1652 with three buildings."""
    for building in ("0001", "0002", "0003"):
        for folder, names in (("query_drone", ("1", "2")), ("gallery_satellite", ("0",))):
            where = tmp_path / "test" / folder / building
            where.mkdir(parents=True)
            for name in names:
                noise = np.random.default_rng(int(building + name)).integers(0, 255, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(noise).save(where / f"{name}.png")
    return tmp_path


def test_pairs_are_written_and_never_over_others(root, tmp_path):
    out = tmp_path / "pairs.jsonl"
    data = ["--data", "university1652", "--root", root, "--split", "drone-to-satellite", "--out", out]
    result = run(*data, "--encoder", "none", "--queries", 4, "--lang", "en", "--lang", "zh")
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 16 records, 8 of them matches" in result.stdout
    found = read_records(out)
    assert {(one.query_view, one.reference_view, one.lang) for one in found} == {
        ("drone", "satellite", "en"),
        ("drone", "satellite", "zh"),
    }
    for one in found:
        assert (one.query_path.split("/")[2] == one.satellite_path.split("/")[2]) == (one.label == "match")
    again = run(*data, "--encoder", "none")
    assert again.exit_code == 2
    assert "Wanted: a new file for the pairs" in again.stderr
    assert len(read_records(out)) == 16


def test_bad_input_is_said_in_three_parts(root, tmp_path):
    result = run("--data", "universe", "--root", root, "--split", "train", "--out", tmp_path / "p.jsonl")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0] == "Wanted: a data set"
    result = run("--data", "university1652", "--root", root, "--split", "drone-to-satellite",
                 "--out", tmp_path / "p.jsonl", "--ranks", 3, 1)  # fmt: skip
    assert "a first and a last rank, from 1" in result.stderr
    data = ["--data", "university1652", "--root", root, "--split", "drone-to-satellite"]
    result = run(*data, "--out", tmp_path / "p.jsonl", "--encoder", "openai:m@http://127.0.0.1:9")
    assert "Do:     Use one of: embedded, hf:ORG/NAME[@REV], timm:NAME, dir:PATH." in result.stderr
    result = run(*data, "--out", tmp_path / "p.jsonl", "--encoder", "none", "--seed", -1)
    assert (result.exit_code, "--seed" in result.stderr) == (2, True)
    assert "Traceback" not in result.output
    assert not (tmp_path / "p.jsonl").exists()


def test_a_file_that_cannot_be_written_is_said_before_the_work(root, tmp_path, monkeypatch):
    monkeypatch.setattr(pairs_module, "make_pairs", lambda *_, **__: pytest.fail("it was encoded first"))
    result = run("--data", "university1652", "--root", root, "--split", "drone-to-satellite",
                 "--out", tmp_path / "none" / "p.jsonl", "--encoder", "none")  # fmt: skip
    assert result.exit_code == 2
    assert "Wanted: a file that can be written" in result.stderr
