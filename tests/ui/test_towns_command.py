import pytest
from typer.testing import CliRunner

from geosleuth.training.towns import write
from geosleuth.training.towns.layouts.by_name import LAYOUTS
from geosleuth.ui.cli import app
from geosleuth.ui.towns_command import LayoutName, TileFormat

SMALL = [
    "--towns", "1", "--places", "2", "--side-m", "150", "--satellite-px", "16", "--panorama-px", "16x32",
    "--processes", "1", "--no-labels",
]  # fmt: skip


def run(*arguments: object):
    return CliRunner().invoke(app, ["towns", *map(str, arguments)])


def test_the_command_knows_the_layouts_that_there_are():
    assert [one.value for one in LayoutName] == list(LAYOUTS)
    assert [one.value for one in TileFormat] == ["png", "jpg"]


def test_towns_are_written_and_counted_and_not_drawn_twice(tmp_path):
    out = tmp_path / "towns"
    result = run(out, "--layout", "map", *SMALL)
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 1 invented towns, 4 pictures in " in result.stdout
    assert "  map: 2 queries with their references; a text can be read in " in result.stdout
    assert "  warning: wanted 1 towns of 2 places for map, found no query for its split test" in result.stdout
    assert "towns 1 of 1 (100%)" in result.stderr
    assert len(list((out / "map").glob("map/*.png"))) == 2
    again = run(out, "--layout", "map", *SMALL)
    assert "1 towns had been drawn by an earlier run" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--layout", "vigor", *SMALL], "4 towns or more for vigor"),
        (SMALL, "4 towns or more for vigor"),  # if no form is named
        (["--layout", "map", *SMALL, "--panorama-px", "64"], "--panorama-px 64x256"),
        (["--layout", "map", *SMALL, "--difficulty", "3"], "difficulty = 3.0"),
    ],
)
def test_what_cannot_be_is_explained(tmp_path, arguments, found):
    result = run(tmp_path / "towns", *arguments)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["Wanted", "Found", "Do"]
    assert found in result.stderr
    assert not (tmp_path / "towns").exists()


def test_an_interruption_says_how_to_go_on(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "draw_all", interrupted)
    result = run(tmp_path / "towns", "--layout", "map", *SMALL)
    assert result.exit_code == 130
    assert "the same command goes on from here" in result.stderr
