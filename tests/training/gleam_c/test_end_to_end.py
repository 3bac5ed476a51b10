"""The whole way on four towns of four places; the agent is the real one with three of its tools."""

import csv
import hashlib
import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")

from geosleuth.agent.agent import Agent
from geosleuth.agent.embedded_tools import TOOLS
from geosleuth.agent.gallery_tools import GALLERY_TOOLS
from geosleuth.agent.localization import Localization
from geosleuth.agent.settings import Settings
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.xmp import parse_xmp, shows_all_around
from geosleuth.training.gleam_c.config import InputConfig, MachineConfig, ModelConfig, read_config
from geosleuth.training.gleam_c.end_to_end import CONFIG, IMAGENET, KINDS, TRAINED, UNTRAINED, Scale, end_to_end, main
from geosleuth.training.gleam_c.held_out import held_out_photos

# Small towns: drawing them is most of the time.
SCALE = Scale(towns=4, held_out=4, places=4, held_out_places=2, queries=1, photos=4, asked=2, side_m=220.0)


def quick_agent(index):
    tools = {"metadata": TOOLS["metadata"], "locatability": TOOLS["locatability"], **GALLERY_TOOLS}
    return Agent(Settings(index=index), tools=tools)


def nobody(index):
    raise AssertionError(f"asked again with {index}")


def small_config():
    square = (32, 32)
    return read_config(CONFIG).model_copy(
        update={
            "max_steps": 3,
            "batch_size": 4,
            "model": ModelConfig(backbone="timm:test_convnext", weights="none"),
            "input": InputConfig(ground=square, panorama=(32, 64), drone=square, satellite=square, map=square),
            "machine": MachineConfig(amp="off", workers=0, threads=1),
        }
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    work = tmp_path_factory.mktemp("end_to_end")
    return work, end_to_end(work, small_config(), SCALE, agent=quick_agent)


def rows_of(page, encoder, kind):
    """Return the two rows of an encoder, as lists of cells."""
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in page.splitlines()]
    return [row for row in rows if row[:2] == [kind, encoder]]


@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize("encoder", [TRAINED, UNTRAINED, IMAGENET])
def test_the_page_says_what_the_vectors_say(done, layout, encoder):
    """Ranks by a product of matrices, from the files of the world."""
    work, page = done
    root = work / "held_out" / layout
    specs = {TRAINED: f"dir:{work / 'run'}", UNTRAINED: f"dir:{work / 'untrained'}", IMAGENET: "embedded"}
    model = load_encoder(specs[encoder])

    def embedded(paths, view):
        return model.encode([model.prepare(open_photo(p).pixels_at(model.input_side_px), view) for p in paths])

    photos = held_out_photos(root, work / "photos" / layout, SCALE.photos)
    with (root / "gallery.csv").open() as file:
        tiles = [row["file"] for row in csv.DictReader(file)]
    view = "panorama" if layout == "vigor" else "ground"
    similar = embedded([one.path for one in photos], view) @ embedded([root / tile for tile in tiles], "satellite").T
    own = similar[np.arange(len(photos)), [tiles.index(one.tile) for one in photos]]
    ranks = 1 + (similar > own[:, None] + 1e-6).sum(1)
    searched = rows_of(page, encoder, KINDS[layout])[0]
    assert searched[2:] == [
        f"{len(photos)} × {len(tiles)}",
        *(f"{100 * (ranks <= k).mean():.1f} %" for k in (1, 5, 10)),
        f"{100 / len(tiles):.2f} %",
    ]


@pytest.mark.parametrize("layout", KINDS)
def test_the_page_says_what_the_agent_answered(done, layout):
    work, page = done
    asked = rows_of(page, TRAINED, KINDS[layout])[1]
    weights = load_encoder(f"dir:{work / 'run'}").weights_sha256[:12]
    answers = {
        path.stem: Localization.model_validate_json(path.read_bytes())
        for path in (work / "found" / layout / f"answers-{weights}").glob("*.json")
    }
    truth = {
        one.path.stem: one
        for one in held_out_photos(work / "held_out" / layout, work / "photos" / layout, SCALE.photos)
    }
    assert len(answers) == 2
    assert all(answer.candidates for answer in answers.values())
    first = sum(answer.candidates[0].uri == truth[name].tile for name, answer in answers.items())
    assert asked[2:4] == ["2", str(first)]
    assert sum(map(int, asked[-1].split(" / "))) == 2
    assert rows_of(page, UNTRAINED, KINDS[layout])[1:] == []  # the agent is not asked with random weights


def test_held_out_towns_are_not_trained_on(done):
    work, _ = done
    trained = json.loads((work / "run" / "settings.json").read_text())["data"]
    assert {one["root"] for one in trained} == {str(work / "towns" / "vigor"), str(work / "towns" / "setvl")}

    def towns(world):
        with (work / world / "setvl" / "places.csv").open() as file:
            return {row["town_seed"] for row in csv.DictReader(file)}

    def pictures(world):
        return {hashlib.sha256(path.read_bytes()).digest() for path in (work / world).rglob("*.jpg")}

    assert len(towns("towns")) == len(towns("held_out")) == 4
    assert not towns("towns") & towns("held_out")
    assert not pictures("towns") & pictures("held_out")


def test_the_agent_sees_no_position_and_a_panorama_says_that_it_is_one(done):
    work, _ = done
    for layout in KINDS:
        root = work / "held_out" / layout
        for one in held_out_photos(root, work / "photos" / layout, SCALE.photos):
            photo = open_photo(one.path)
            assert one.path.stem.isdecimal()
            assert parse_exif(photo.exif, photo.xmp).position is None
            assert shows_all_around(parse_xmp(photo.xmp), photo.size) is (layout == "vigor")


def test_a_panorama_keeps_its_pixels(done):
    work, _ = done
    root = work / "held_out" / "vigor"
    copies = held_out_photos(root, work / "photos" / "vigor", 10_000)
    with (root / "places.csv").open() as file:
        originals = [row["file"] for row in csv.DictReader(file) if row["view"] == "panorama"]
    assert len(copies) == len(originals)
    for copy, original in zip(copies, originals, strict=True):
        assert np.array_equal(open_photo(copy.path).pixels, open_photo(root / original).pixels)


def test_what_is_done_is_not_done_again(done):
    work, page = done
    before = {path: path.stat().st_mtime_ns for path in (work / "run" / "encoder").iterdir()}
    again = end_to_end(work, small_config(), SCALE, agent=nobody)
    assert again == page
    assert {path: path.stat().st_mtime_ns for path in (work / "run" / "encoder").iterdir()} == before


def test_other_towns_in_the_same_folder_are_refused(done, capsys, caplog):
    work, _ = done
    assert main(["--work", str(work), "--towns", "5"]) == 2
    assert "towns" in caplog.text
    assert capsys.readouterr().out == ""
