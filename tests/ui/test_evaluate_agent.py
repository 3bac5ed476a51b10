"""`geosleuth evaluate agent` over a few drawn pictures: it shows that the command measures, never quality."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from geosleuth.ui.evaluate_agent import agent

app = typer.Typer()
app.command()(agent)
# Reading looks for writing at some seconds a picture; these hold none.
QUICK = ("--without", "read_text", "--without", "locatability")
# Where the files say that they were taken, where the labels do, and what the invented model says.
PHOTOS = {
    "arezzo.jpg": ((43.46, 11.88), (43.46, 11.88), "IT", "Italy,Florence,43.77,11.26"),
    "lyon.jpg": ((45.76, 4.84), (45.76, 4.84), "FR", "Germany,,,"),
    "forged.jpg": ((45.76, 4.84), (35.68, 139.77), "JP", "Japan,Tokyo,35.68,139.69"),
}


def run(*arguments: object):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Three pictures of coarse blocks with a GPS block, their labels, and invented predictions."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    labels, predictions = ["file,lat,lon,iso2"], ["model,source_file,predicted_country,predicted_city,lat,lon"]
    for name, ((lat, lon), truth, country, said) in PHOTOS.items():
        picture = Image.fromarray(rng.integers(0, 255, (3, 4, 3), dtype=np.uint8)).resize((64, 48))
        exif = picture.getexif()
        exif[0x8825] = {1: "N", 2: (lat, 0.0, 0.0), 3: "E", 4: (lon, 0.0, 0.0)}
        picture.save(folder / name, exif=exif)
        labels.append(f"{name},{truth[0]},{truth[1]},{country}")
        predictions.append(f"invented,{name},{said}")
    labels.append("gone.jpg,1,2,FR")
    (folder / "labels.csv").write_text("\n".join(labels))
    (folder / "said.csv").write_text("\n".join(predictions))
    return folder


@pytest.fixture(scope="module")
def data(root) -> list[object]:
    return ["--data", "csv", "--root", root]


@pytest.fixture(scope="module")
def alone(root, data, tmp_path_factory) -> Path:
    """The folder of a report of the invented model alone."""
    out = tmp_path_factory.mktemp("alone")
    said = done(*data, "--prior", f"file:{root / 'said.csv'}", "--vlm-alone", "--out", out)
    assert said.splitlines()[-1] == f"Report: {out / 'report.html'}"
    assert "prior file:" in said
    assert "What the recorded model said itself: no tool looked at a photo" in said
    return out


def test_the_recorded_model_alone(alone):
    found = json.loads((alone / "report.json").read_text(encoding="utf-8"))
    value = {name: figure["value"] for name, figure in found["measures"].items()}
    assert found["task"] == "prior alone"
    assert found["skipped"] == [["gone.jpg", found["skipped"][0][1]]]
    assert value["country accuracy"] == pytest.approx(2 / 3)
    assert value["accuracy@25km"] == pytest.approx(1 / 3)  # Tokyo; Florence is 61 km from Arezzo
    assert value["accuracy@200km"] == pytest.approx(2 / 3)
    assert value["median km"] == pytest.approx(61, abs=1)  # the one without a point is the farthest
    assert found["notes"][0] == "Photos that were left out when the data set was opened: 1."
    assert "hold a position" in found["notes"][1]


def test_photos_without_a_prediction_are_counted(data, root, tmp_path):
    rows = (root / "said.csv").read_text().splitlines()
    (tmp_path / "fewer.csv").write_text("\n".join(rows[:-1]))
    found = json.loads(done(*data, "--prior", f"file:{tmp_path / 'fewer.csv'}", "--vlm-alone", "--json"))
    assert "Photos of which invented has no recorded prediction: 1." in found["notes"]
    assert found["measures"]["answer rate"]["value"] == pytest.approx(2 / 3)
    assert found["differences"] is None


def test_the_agent_beside_the_model_and_again_without_looking(data, root, alone, tmp_path, monkeypatch):
    options = [*data, *QUICK, "--prior", f"file:{root / 'said.csv'}", "--compare", alone, "--out", tmp_path]
    said = done(*options)
    assert "This run less the other: prior alone" in said
    assert "What the recorded model said itself" not in said
    assert (tmp_path / "notes").is_dir()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Beside another run" in page
    assert page.count("data:image/jpeg;base64,") >= 3
    monkeypatch.delattr("geosleuth.tools.metadata.read_metadata")  # nothing is looked at any more
    found = json.loads(done(*options, "--json"))
    assert "rows" not in found
    assert found["settings"]["without"] == ["locatability", "read_text"]
    value = {name: figure["value"] for name, figure in found["measures"].items()}
    assert value["accuracy@1km"] == pytest.approx(2 / 3)  # where the file says so; one says another place
    assert value["country accuracy"] == pytest.approx(2 / 3)
    assert value["calls per photo"] >= 1
    assert found["settings"]["calibration_source"]
    assert found["differences"]["photos"] == 3
    assert found["differences"]["differences"]["accuracy@1km"]["value"] == pytest.approx(2 / 3)


def test_a_photo_that_cannot_be_read_is_counted_and_not_answered(tmp_path):
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")  # a JPEG by its first bytes
    (tmp_path / "labels.csv").write_text("file,lat,lon,iso2\ntorn.jpg,45.76,4.84,FR\n")
    found = json.loads(done("--data", "csv", "--root", tmp_path, *QUICK, "--json"))
    assert "Photos that cannot be read, and count as not answered: 1." in found["notes"]
    assert found["measures"]["accuracy@2500km"]["value"] == 0.0
    assert found["measures"]["answer rate"]["value"] == 0.0
    assert "in the 90 % region" not in found["measures"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--vlm-alone"], "recorded predictions to judge alone"),
        (["--vlm-alone", "--without", "read_text"], "--without beside --vlm-alone"),
        (["--without", "guess"], "no tool 'guess'"),
        (["--compare", "nowhere.json"], "the report of another run to compare with"),
        (["--limit", "2", "--compare", "ALONE"], "the same 2 photos to compare with"),
        (["--labels", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_is_said_in_three_parts(data, alone, options, words):
    result = run(*data, *(alone if one == "ALONE" else one for one in options))
    assert result.exit_code == 2
    assert words in result.stderr
    assert [line.split(":")[0] for line in result.stderr.splitlines()][-3:] == ["Wanted", "Found", "Do"]


def test_no_such_data_set(root):
    result = run("--data", "im2gps4", "--root", root)
    assert result.exit_code == 2
    assert "im2gps3k" in result.stderr
