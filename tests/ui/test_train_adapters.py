"""`train georeasoner` and `train gleam-x` as commands, their training replaced by its report."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from geosleuth.training.lora.progress import AdapterProgress, AdapterReport, StageReport
from geosleuth.ui.train_adapters import georeasoner, gleam_x

CONFIG = 'name = "t"\nbase = "dir:BASE"\n[[stages]]\nname = "reasoning"\n[[stages]]\nname = "location"\n'


@pytest.fixture
def app():
    found = typer.Typer(rich_markup_mode=None)
    found.command("georeasoner")(georeasoner)
    found.command("gleam-x")(gleam_x)
    return found


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def stage(name, below="", **changes):
    figures = {
        "steps": 40,
        "lessons": 300,
        "left_out": {"too long": 2},
        "first_loss": 2.5,
        "last_loss": 0.5,
        "seconds": 75.0,
        "tokens_per_s": 1234.5,
        "images_per_s": 6.7,
        "padding": 0.1,
        "resumed_at": 0,
        "was_done": False,
        "notes": (),
    }
    return StageReport(name, Path("RUN") / name, f"dir:BASE{below}+dir:RUN/{name}", **figures | changes)


@pytest.fixture
def trained(monkeypatch):
    stages = (
        stage("reasoning", was_done=True),
        stage("location", below="+dir:RUN/reasoning", resumed_at=5, notes=("v.csv: all",)),
    )

    def train(settings, out, *, on_progress):
        on_progress(AdapterProgress("reading", "location", 3, 300))
        on_progress(AdapterProgress("training", "location", 40, 40, 0.5, 1234.5, 6.7, 0.0))
        return AdapterReport(out, settings.base, stages, is_first=True)

    monkeypatch.setattr("geosleuth.training.lora.train.train_adapters", train)


def test_it_says_what_came_of_it_and_what_to_do_next(app, config, trained):
    done = CliRunner().invoke(app, ["georeasoner", str(config), "--out", "RUN"])
    assert done.exit_code == 0, done.output
    assert "reasoning: was done before" in done.stdout
    assert "location: 40 steps, 300 lessons in 1 min 15 s, loss 2.500 at first, 0.500 at last" in done.stdout
    assert "taken up at step 5" in done.stdout
    assert "left out: 2 too long" in done.stdout
    assert done.stdout.splitlines()[-2] == "Mind: v.csv: all"
    last = done.stdout.splitlines()[-1]
    assert last == "Next: geosleuth localize PHOTO --prior 'dir:BASE+dir:RUN/reasoning+dir:RUN/location'"


def test_a_verifier_goes_into_the_settings_file(app, config, trained):
    done = CliRunner().invoke(app, ["gleam-x", str(config), "--out", "RUN"])
    assert done.stdout.splitlines()[-2:] == [
        "[backends]",
        "gleam_x = 'dir:BASE+dir:RUN/reasoning+dir:RUN/location'",
    ]


def test_as_json(app, config, trained):
    done = CliRunner().invoke(app, ["gleam-x", str(config), "--out", "RUN", "--json"])
    content = json.loads(done.stdout)
    assert content["spec"].endswith("+dir:RUN/location")
    assert [one["name"] for one in content["stages"]] == ["reasoning", "location"]


def test_without_a_folder(app, config):
    done = CliRunner().invoke(app, ["georeasoner", str(config)])
    assert done.exit_code == 2
    assert "Add --out RUN" in done.stderr


def test_what_it_needs(app, config, monkeypatch):
    from geosleuth.training.lora.estimate import Estimate

    found = Estimate(3_750_000_000, 120_000_000, "bf16", *(2**30 * n for n in (7, 2, 3, 1, 1, 1)))
    monkeypatch.setattr("geosleuth.training.lora.estimate.estimate", lambda _: found)
    done = CliRunner().invoke(app, ["georeasoner", str(config), "--estimate"])
    assert "3.75 G parameters, 120.0 M of the adapter" in done.stdout
    assert "15.0 GiB  in all, per process" in done.stdout
    told = json.loads(CliRunner().invoke(app, ["georeasoner", str(config), "--estimate", "--json"]).stdout)
    assert told["total_bytes"] == 15 * 2**30


def test_of_several_processes_the_first_alone_says_what_is_wrong(app, config, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    done = CliRunner().invoke(app, ["georeasoner", str(config)])
    assert (done.exit_code, done.stderr) == (2, "")
