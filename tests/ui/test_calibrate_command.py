"""`geosleuth calibrate` over a few drawn pictures and an invented model: that it measures, never quality."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.agent.calibration import load_calibration
from geosleuth.ui.calibrate_command import calibrate

app = typer.Typer()
app.command()(calibrate)
# Reading looks for writing at some seconds a picture; these hold none.
QUICK = ("--without", "read_text", "--without", "locatability")
# True place and country, and what the invented models say.
PHOTOS = {
    "lyon.png": ((45.76, 4.84), "FR", "France,Paris,48.86,2.35", "Japan,,,"),
    "nantes.png": ((47.22, -1.55), "FR", "France,Nantes,47.22,-1.55", "Japan,,,"),
    "porto.png": ((41.15, -8.61), "PT", "Spain,Vigo,42.24,-8.72", "Japan,,,"),
    "tokyo.png": ((35.68, 139.77), "JP", "Japan,Tokyo,35.68,139.69", "France,,,"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    labels, said = ["file,lat,lon,iso2"], ["model,source_file,predicted_country,predicted_city,lat,lon"]
    for name, ((lat, lon), country, good, bad) in PHOTOS.items():
        Image.fromarray(rng.integers(0, 255, (3, 4, 3), dtype=np.uint8)).resize((64, 48)).save(folder / name)
        labels.append(f"{name},{lat},{lon},{country}")
        said += [f"invented,{name},{good}", f"other,{name},{bad}"]
    (folder / "labels.csv").write_text("\n".join(labels))
    (folder / "said.csv").write_text("\n".join(said))
    return folder


def run(root: Path, *arguments: object, model: str = "invented"):
    prior = f"file:{root / 'said.csv'}#{model}"
    given = ["--data", "csv", "--root", root, "--prior", prior, *QUICK, *arguments]
    return CliRunner().invoke(app, [str(one) for one in given])


@pytest.fixture(scope="module")
def fitted(root) -> Path:
    out = root / "fitted.json"
    result = run(root, "--out", out, "--folds", 3, "--notes", root / "notes")
    assert result.exit_code == 0, result.output
    for words in (
        ", 4 photos, ",
        "invented: points err by Gaussians, ",
        "Held out, 3 folds by country",
        "90 % region",
    ):
        assert words in result.stdout
    return out


def test_a_calibration_is_written_with_its_record(fitted: Path) -> None:
    found = load_calibration(fitted)
    assert list(found.models) == ["invented"]
    assert found.record is not None
    assert (found.record.photos, found.record.countries, found.record.folds) == (4, 3, 3)
    assert found.record.types == {"prior.country": 4, "prior.place": 4}


def test_a_check_tells_that_another_model_speaks(root: Path, fitted: Path) -> None:
    result = run(root, "--check", fitted, "--notes", root / "notes", model="other")
    assert result.exit_code == 0, result.output
    assert "The calibration has not seen the answers of other." in result.stdout
    assert "It does not hold here: fit anew." in result.stdout
    assert "They are the photos of the fit" in result.stdout
    same = run(root, "--check", fitted, "--notes", root / "notes", "--json")
    report = json.loads(same.stdout)
    assert same.stdout.count("\n") == 1
    assert (report["photos"], report["strangers"], report["same_photos"]) == (4, [], True)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--check", "none.json"), "none.json: No such file"),
        (("--check", "a.json", "--out", "b.json"), "both"),
        (("--out", "no/such/folder.json"), "no folder no/such"),
    ],
)
def test_what_cannot_be_is_said_before_a_photo_is_read(root: Path, arguments, found: str) -> None:
    result = run(root, *arguments)
    assert result.exit_code == 2
    assert found in result.output


def test_photos_of_one_country_cannot_be_held_out_by_country(root: Path, tmp_path: Path, monkeypatch) -> None:
    labels = tmp_path / "one.csv"
    labels.write_text("file,lat,lon,iso2\nlyon.png,45.76,4.84,FR\nnantes.png,47.22,-1.55,FR\n")
    with monkeypatch.context() as patch:
        looked = "geosleuth.training.evaluate.agent.observe.observe"
        patch.setattr(looked, lambda *_, **__: pytest.fail("photos were looked at first"))
        result = run(root, "--labels", labels, "--notes", root / "notes")
    assert result.exit_code == 2
    assert "differ by country" in result.output
    assert run(root, "--labels", labels, "--notes", root / "notes", "--by", "photo", "--json").exit_code == 0
