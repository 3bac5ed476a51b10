import json

import pytest
from typer.testing import CliRunner

from geosleuth.training.gleam_c.progress import RunReport
from geosleuth.ui.cli import app

SETTINGS = """\
name = "small"
epochs = 1
batch_size = 2
[model]
backbone = "timm:test_convnext"
weights = "none"
[input]
ground = [32, 32]
panorama = [32, 64]
drone = [32, 32]
satellite = [32, 32]
map = [32, 32]
[[data]]
set = "vigor"
root = "nowhere"
split = "same-train"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SETTINGS)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["train", "gleam-c", *map(str, arguments)])


def test_settings_that_are_not_there(tmp_path):
    found = run(tmp_path / "none.toml", "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert "Wanted: a TOML file of settings" in found.stderr


def test_a_data_set_that_is_not_there(config, tmp_path):
    found = run(config, "--out", tmp_path / "run")
    assert found.exit_code == 2
    assert "VIGOR" in found.stderr
    assert "nowhere" in found.stderr


def test_the_folder_must_be_named(config):
    found = run(config)
    assert found.exit_code == 2
    assert "Add --out RUN." in found.stderr


def test_an_estimate_needs_no_data(config):
    pytest.importorskip("timm")
    found = run(config, "--estimate")
    assert found.exit_code == 0
    assert found.stdout.startswith("timm:test_convnext: 0.2 M parameters\n")
    assert "GiB with 128 pairs" in found.stdout


@pytest.fixture
def reported(monkeypatch, tmp_path):
    """Have a run come to this, without running it."""
    report = RunReport(tmp_path / "run", 1200, 153_600, 3725.0, 51.25, 0.625, 2, 3, 600, True)
    monkeypatch.setattr("geosleuth.training.gleam_c.loop.train", lambda *_, **__: report)
    return report


def test_what_a_run_came_to_is_said(config, tmp_path, reported):
    found = run(config, "--out", tmp_path / "run")
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        f"{tmp_path}/run: 1,200 steps, 153,600 pairs in 1 h 02 min",
        "  taken up at step 600",
        "  51.2 pairs/s while training",
        "  recall@1 62.5% on the validation sets, of the best step",
        f"  3 rows of the data sets were skipped: {tmp_path}/run/about.json",
        f"  2 pictures could not be decoded and were left out: {tmp_path}/run/broken.json",
        f"Next: geosleuth index build TILES --out INDEX --encoder dir:{tmp_path}/run",
    ]


def test_what_a_run_came_to_as_json(config, tmp_path, reported):
    found = json.loads(run(config, "--out", tmp_path / "run", "--json").stdout)
    assert found["steps"] == 1200
    assert found["recall_at_1"] == 0.625
    assert found["folder"] == str(tmp_path / "run")
