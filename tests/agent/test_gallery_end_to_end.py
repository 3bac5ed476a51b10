"""From photos on disk to an answer: an index is built, a photo that is not in it is located, and nothing else is."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from geosleuth.indexes.geodesy import distance_km
from geosleuth.ui import cli

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
WALK, STREETS = DATA / "vpr-small", DATA / "streetscapes-cc"
needs_walk = pytest.mark.skipif(not (WALK / "labels.csv").is_file(), reason=f"no {WALK}")
needs_streets = pytest.mark.skipif(not (STREETS / "labels.csv").is_file(), reason=f"no {STREETS}")
HELD_OUT = ("lund_03", "lund_10", "lund_25")  # each has neighbours on the walk that stay
ELSEWHERE = "009700da"  # of streetscapes-cc, whose town is left out of the index for it


def run(*arguments: object):
    result = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    assert result.exit_code in (0, 3), result.stderr
    return result


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def stripped(source: Path, target: Path) -> Path:
    """Copy the picture without what the file says of it."""
    with Image.open(source) as image:
        image.convert("RGB").save(target, quality=95)
    return target


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """lund, berlin and streetscapes-cc, without the queries, built and added to on the command line."""
    folder = tmp_path_factory.mktemp("gallery")
    walk = [row for row in rows_of(WALK) if Path(row["file"]).stem not in HELD_OUT]
    streets = rows_of(STREETS)
    town = next(row["city"] for row in streets if Path(row["file"]).stem == ELSEWHERE)
    streets = [row for row in streets if row["city"] != town]
    run("index", "build", table(folder / "walk.csv", walk), "--root", WALK, "--out", folder / "index")
    run("index", "add", table(folder / "streets.csv", streets), folder / "index", "--root", STREETS)
    return folder / "index"


@needs_walk
@needs_streets
@pytest.mark.parametrize("name", HELD_OUT)
def test_a_photo_of_the_walk_is_found_within_50_m_with_its_match_drawn(index, tmp_path, name):
    photo = stripped(WALK / "images" / f"{name}.jpg", tmp_path / f"{name}.jpg")
    result = run("localize", photo, "--index", index, "--pictures", tmp_path / "matches", "--json")
    answer = json.loads(result.stdout)
    truth = next(row for row in rows_of(WALK) if Path(row["file"]).stem == name)
    point = answer["point"]
    assert 1000 * distance_km(point["lat"], point["lon"], float(truth["lat"]), float(truth["lon"])) < 50
    assert answer["status"] == "localized"
    assert answer["country"]["code"] == "SE"
    assert answer["radius_km"] < 0.1
    best = answer["candidates"][0]
    assert best["verification"]["verdict"] == "match"
    assert "lund" in best["uri"]
    pictures = sorted((tmp_path / "matches").glob("*.jpg"))
    assert pictures
    assert pictures[0].name.startswith(f"{name}-{answer['photo']['sha256'][:8]}-match-1-lund_")
    assert min(np.asarray(Image.open(pictures[0])).shape[:2]) > 200
    assert f"Match drawn into {pictures[0]}" in result.stderr


@needs_walk
@needs_streets
def test_a_photo_from_nowhere_in_the_gallery_is_not_pulled_to_it(index, tmp_path):
    photo = stripped(STREETS / "images" / f"{ELSEWHERE}.jpg", tmp_path / "elsewhere.jpg")
    without = json.loads(run("localize", photo, "--json").stdout)
    pictures = tmp_path / "matches"
    result = run("localize", photo, "--index", index, "--pictures", pictures, "--json")
    answer = json.loads(result.stdout)
    for key in ("status", "reason", "point", "radius_km", "country", "countries", "city", "regions", "entropy_bits"):
        assert answer[key] == without[key], key
    assert {one["verification"]["verdict"] for one in answer["candidates"]} == {"no_match"}
    assert [step["tool"] for step in answer["trace"]].count("retrieve") >= 2  # it was widened before it gave up
    assert list(pictures.iterdir()) == []
    assert "No match was drawn: verification accepted no reference." in result.stderr


@needs_walk
@needs_streets
def test_info_and_verify_tell_what_was_built(index):
    info = json.loads(run("index", "info", index, "--json").stdout)
    assert info["views"] == {"ground": info["references"]}
    assert info["countries"]["SE"] == 29 - len(HELD_OUT)
    assert info["encoder"] == "embedded"
    assert info["index_type"] == "flat"
    assert [source["there"] for source in info["sources"]] == [True, True]
    assert run("index", "verify", index).stdout.startswith(f"{index}: whole: {info['references']} references")
