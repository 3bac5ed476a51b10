import csv
import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import locked
from geosleuth.training.datasets.open import open_set
from geosleuth.training.towns import draw_town as drawing
from geosleuth.training.towns.crew import _uninterrupted
from geosleuth.training.towns.layouts.by_name import LAYOUTS
from geosleuth.training.towns.world import World
from geosleuth.training.towns.write import write_towns

SMALL = {
    "places": 4,
    "side_m": 200.0,
    "satellite_px": 32,
    "panorama_px": (16, 64),
    "drone_px": 32,
    "street_px": (24, 32),
    "drone_views": 2,
    "street_views": 1,
    "queries": 2,
}


def write(out, layouts, towns, **options):
    return write_towns(out, layouts=layouts, towns=towns, **{**SMALL, "processes": 1, **options})


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Four towns in all layouts."""
    out = tmp_path_factory.mktemp("world") / "towns"
    write(out, list(LAYOUTS), 4)
    return out


def files_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        ("vigor", ("same-train", "same-test", "cross-train", "cross-test")),
        ("university1652", ("train", "drone-to-satellite", "satellite-to-drone", "street-to-satellite")),
        ("cvusa", ("train", "val")),
        ("cvact", ("train", "val")),
        ("setvl", ("train", "test")),
        ("map", ("train", "test")),
        ("night", ("train", "test")),
        ("infrared", ("train", "test")),
    ],
)
def test_our_readers_read_every_picture(world, name, splits):
    for split in splits:
        read = open_set(name, world / name, split)
        assert not read.skipped
        assert len(read.queries)
        assert len(read.references)
        answered = np.isin(read.queries.places, read.references.places)
        assert answered.all()


def test_whoever_opens_a_folder_reads_that_it_is_invented(world):
    assert "invented" in json.loads((world / "towns.json").read_text())["synthetic"]
    for name in LAYOUTS:
        assert (world / name / "README.txt").read_text().startswith("Synthetic: invented towns")


def test_each_picture_has_a_row_a_mask_and_a_list_of_objects(world):
    for name in LAYOUTS:
        root = world / name
        pictures = {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.suffix in (".jpg", ".jpeg", ".png") and path.relative_to(root).parts[0] != "labels"
        }
        rows = {row["file"]: row for row in rows_of(root / "places.csv")}
        assert set(rows) == pictures
        for file, row in rows.items():
            with Image.open(root / file) as picture, Image.open((root / "labels" / file).with_suffix(".png")) as mask:
                assert mask.size == picture.size
                assert mask.mode == "L"
                assert 1 <= np.asarray(mask).max() <= 150
                assert not picture.getexif()
            said = json.loads((root / "objects" / file).with_suffix(".json").read_text(encoding="utf-8"))
            assert (said["file"], said["invented"], said["country"]) == (file, True, row["country"])
            assert {"kind", "text", "language", "share", "box"} == set(said["seen"][0])
            assert row["readable_text"] == str(any(one["text"] for one in said["seen"]))


def test_the_views_of_every_other_place_on_the_ground_hold_no_readable_text(world):
    for name, place_of in (("vigor", lambda file: int(file.split("place")[1][:6])), ("cvusa", cvusa_number)):
        silent = [row for row in rows_of(world / name / "places.csv") if row["view"] == "panorama"]
        odd = [row["readable_text"] for row in silent if place_of(row["file"]) % 2 == 1]
        assert odd
        assert set(odd) == {"False"}


def cvusa_number(file: str) -> int:
    return (int(Path(file).stem) - 1) % SMALL["places"]


def test_a_gallery_can_be_indexed_as_it_is(world):
    from geosleuth.indexes.gallery.sources.source import Item
    from geosleuth.indexes.gallery.sources.table import TableSource

    for name in LAYOUTS:
        root = world / name
        if name == "street_views":  # has no tiles
            assert not (root / "gallery.csv").exists()
            continue
        items = list(TableSource(str(root / "gallery.csv"), str(root)).items())
        assert items
        for item in items:
            assert isinstance(item, Item)
            assert item.view == "satellite"
            assert 30.0 < item.extent_m < 150.0  # a cell of zoom 19 has 39 m in Stockholm
            assert (root / item.uri).is_file()


def test_university_s_test_pictures_are_of_other_towns_and_its_queries_lie_in_the_gallery(world):
    rows = rows_of(world / "university1652" / "places.csv")
    towns = {split: {row["town_seed"] for row in rows if row["split"] == split} for split in ("train", "test")}
    assert towns["train"] <= {"0", "2"}  # a town so small may have no building in its middle
    assert towns["test"] <= {"1", "3"}
    assert towns["train"]
    assert towns["test"]
    test = world / "university1652" / "test"
    for view in ("drone", "street", "satellite"):
        for query in (test / f"query_{view}").rglob("*.jp*g"):
            assert (test / f"gallery_{view}" / query.relative_to(test / f"query_{view}")).read_bytes() == (
                query.read_bytes()
            )


def test_cvact_s_table_is_as_matlab_writes_it(world):
    from scipy.io import loadmat

    table = loadmat(world / "cvact" / "ACT_data.mat")
    ids = [str(one) for one in table["panoIds"]]
    train, val = table["trainSet"]["trainInd"][0][0] - 1, table["valSet"]["valInd"][0][0] - 1
    assert sorted([*train[:, 0], *val[:, 0]]) == list(range(len(ids)))
    for split, indexes in (("train", train), ("val", val)):  # Sample4Geo takes the second field, and indexes with it
        theirs = table["panoIds"][table[f"{split}Set"][0][0][1] - 1]
        assert [str(one) for one in theirs.squeeze(1)] == [ids[i] for i in indexes[:, 0]]
    assert table["utm"].shape == (len(ids), 2)
    assert "Created on" not in table["__header__"].decode()  # scipy's own header has the time of day
    for one in ids:
        assert (world / "cvact" / "ANU_data_small" / "streetview" / f"{one}_grdView.jpg").is_file()
        assert (world / "cvact" / "ANU_data_small" / "satview_polish" / f"{one}_satView_polish.jpg").is_file()


def test_two_processes_write_the_same_bytes_as_one(tmp_path):
    for processes in (1, 2):
        small = {"places": 2, "satellite_px": 16, "panorama_px": (16, 32)}
        write(tmp_path / str(processes), ["cvusa", "cvact"], 2, processes=processes, **small)
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_what_is_done_is_not_drawn_again_and_the_rest_is(tmp_path, monkeypatch):
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    first = write(whole, ["cvusa"], 2)
    shutil.copytree(whole, halved)
    (halved / ".towns" / "000001.json").unlink()
    shutil.rmtree(halved / "cvusa" / "splits")
    drawn = []
    real = drawing.build_town

    def counted(seed, **options):
        drawn.append(seed)
        return real(seed, **options)

    monkeypatch.setattr(drawing, "build_town", counted)
    moments = []
    report = write(halved, ["cvusa"], 2, on_progress=lambda now: moments.append(now.done))
    assert drawn == [1]
    assert moments == [1, 2]
    assert (first.resumed, report.resumed) == (0, 1)
    assert report.pairs == first.pairs
    assert report.pictures == first.pictures == 2 * first.pairs["cvusa"] > 0
    assert files_of(halved) == files_of(whole)
    assert write(halved, ["cvusa"], 2).pairs_per_s is None


def test_an_interruption_leaves_no_half_file_and_no_marker(tmp_path, monkeypatch):
    def interrupted(self, file, rendered):
        if file.endswith("0000002.jpg"):
            raise KeyboardInterrupt
        real(self, file, rendered)

    real = drawing.PictureFiles.picture
    monkeypatch.setattr(drawing.PictureFiles, "picture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", ["cvusa"], 1)
    monkeypatch.undo()
    left = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix == ".part"]
    assert [path.name for path in left if path.parent.name == ".towns"] == []
    for path in left:
        if path.suffix == ".jpg":
            Image.open(path).load()
    assert write(tmp_path / "out", ["cvusa"], 1).resumed == 0


def test_workers_end_when_the_run_is_interrupted(tmp_path):
    """Ctrl-C ends two processes within the time of a picture, and nothing is left half."""
    program = """if True:
        import signal, sys
        from pathlib import Path
        from geosleuth.training.towns.write import write_towns

        def told(now):
            if now.done == 1:
                signal.raise_signal(signal.SIGINT)

        if __name__ == "__main__":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # started in the background, it is ignored
            write_towns(
                Path(sys.argv[1]), layouts=["cvusa"], towns=40, places=2, side_m=150.0, satellite_px=16,
                panorama_px=(16, 32), processes=2, on_progress=told,
            )
    """
    script, out = tmp_path / "program.py", tmp_path / "out"
    script.write_text(program)
    ended = subprocess.run([sys.executable, script, out], capture_output=True, text=True, timeout=60, check=False)
    assert "KeyboardInterrupt" in ended.stderr
    markers = list((out / ".towns").glob("*.json"))
    assert 1 <= len(markers) < 20
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"seed": 1}, "begun with seed = 0 and not 1"),
        ({"places": 5}, "begun with places = 4 and not 5"),
        ({"labels": False}, "begun with labels = True and not False"),
    ],
)
def test_other_settings_in_the_same_folder_are_refused(world, settings, found):
    with pytest.raises(InputError, match=found):
        write(world, list(LAYOUTS), 4, **settings)


@pytest.mark.parametrize(
    ("layouts", "towns", "options", "words"),
    [
        (["vigor"], 3, {}, "Wanted 4 towns or more for vigor; found 3"),
        (["university1652"], 1, {}, "Wanted 2 towns or more for university1652; found 1"),
        (["vygor"], 4, {}, 'Wanted a layout of towns; found "vygor"'),
        (["map", "map"], 4, {}, 'found "map" twice'),
        (["map"], 4, {"difficulty": 2.0}, "difficulty = 2.0"),
        (["map"], 0, {}, "towns = 0"),
        ([], 1, {}, "layouts"),
        (["map"], 1, {"side_m": 100.0}, "side_m = 100.0"),
        (["map"], 1, {"side_m": 2049.0}, "side_m = 2049.0"),
        (["map"], 1, {"panorama_px": (8, 64)}, "panorama_px.0 = 8"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, layouts, towns, options, words):
    with pytest.raises(InputError, match=words):
        write(tmp_path / "out", layouts, towns, **options)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="other files in"):
        write(tmp_path, ["map"], 1)
    (tmp_path / "towns.json").write_text("[]")
    with pytest.raises(InputError, match=r"a towns\.json of another kind"):
        write(tmp_path, ["map"], 1)


def test_a_damaged_marker_is_named(tmp_path):
    write(tmp_path, ["map"], 1)
    (tmp_path / ".towns" / "000000.json").write_text("{")
    with pytest.raises(InputError, match="the marker of a town that is done"):
        write(tmp_path, ["map"], 1)


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Name another folder"):
        write(tmp_path / "file" / "towns", ["map"], 1)


def test_cvact_without_scipy_is_told_before_drawing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(InputError, match="leave cvact out"):
        write(tmp_path / "out", ["cvact"], 1)
    assert not (tmp_path / "out").exists()


TINY = {"side_m": 150.0, "places": 2, "labels": False}


def test_text_is_counted_where_it_was_drawn(world):
    counts = json.loads((world / "towns.json").read_text())["texts"]
    for name in ("vigor", "university1652", "cvusa", "cvact", "setvl", "night"):
        ground = [row for row in rows_of(world / name / "places.csv") if row["view"] in ("ground", "panorama")]
        assert 0 < counts[name]["with_text"] < len(ground)
        assert counts[name]["readable"] <= counts[name]["with_text"]
    assert counts["infrared"] == {"with_text": 0, "readable": 0}


def test_a_split_without_queries_is_told(tmp_path):
    report = write(tmp_path / "out", ["map"], 1, **TINY)  # every fifth place is for tests, and there are two
    assert report.gaps == ("wanted 1 towns of 2 places for map, found no query for its split test",)


def test_a_data_set_without_queries_is_an_error(tmp_path):
    # A building in the middle 22 m of both towns would be a chance.
    with pytest.raises(InputError, match="found none: towns of 150 m had no room"):
        write(tmp_path / "out", ["university1652"], 2, **TINY)


def test_a_folder_that_another_process_writes_to_is_refused(tmp_path):
    write(tmp_path, ["map"], 1, **TINY)
    with locked(tmp_path, "", ""), pytest.raises(InputError, match="another that writes to it"):
        write(tmp_path, ["map"], 1, **TINY)
    assert write(tmp_path, ["map"], 1, **TINY).resumed == 1


def test_what_a_run_killed_at_its_start_leaves_is_no_obstacle(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".0123.part").touch()
    assert write(tmp_path, ["map"], 1, **TINY).pairs == {"map": 2}


@pytest.mark.parametrize("name", ["geosleuth", "numpy", "pillow", "opencv"])
def test_a_folder_begun_with_other_versions_is_refused(tmp_path, name):
    said = {"settings": World(layouts=("map",), towns=1, places=2).model_dump(mode="json"), "versions": {name: "0.1"}}
    (tmp_path / "towns.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=rf"begun with {name} 0\.1, which may draw otherwise than "):
        write_towns(tmp_path, layouts=["map"], towns=1, places=2, processes=1)


def test_ctrl_c_waits_until_the_processes_are_started():
    reached = []
    # What runs in the background of a shell has SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start():
        with _uninterrupted():
            signal.raise_signal(signal.SIGINT)
            reached.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached
