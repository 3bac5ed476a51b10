"""Building and adding in peace, and every way in which it is refused."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.build import add_to_index, build_index
from geosleuth.indexes.gallery.duplicates import reference_id
from geosleuth.indexes.gallery.journal import FOLDER
from geosleuth.indexes.gallery.journal_files import only_builder
from geosleuth.indexes.gallery.progress import Progress
from geosleuth.indexes.gallery.sources.folder import FolderSource
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.gallery.store import open_index, verify_index

tiny = runpy.run_path(str(Path(__file__).with_name("tiny_build.py")))
TinyEncoder, draw_photo, draw_photos = tiny["TinyEncoder"], tiny["draw_photo"], tiny["draw_photos"]


def build(source: Any, out: Path, **options: Any) -> Any:
    return build_index(source, out, **({"encoder": TinyEncoder(), "chunk_size": 8} | options))


def add(source: Any, out: Path, **options: Any) -> Any:
    return add_to_index(source, out, **({"encoder": TinyEncoder(), "chunk_size": 8} | options))


def data_files(index: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in index.iterdir() if path.name != "manifest.json"}


def test_each_reference_has_its_own_vector_place_and_country(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 20)
    draw_photo(photos / "east.jpg", 77, (35.6762, 139.6503), heading=90.0, taken="2024:05:01 12:30:00")
    report = build(photos, tmp_path / "index")
    assert (report.listed, report.added, report.references, report.skipped) == (21, 21, 21, 0)
    index = open_index(tmp_path / "index")
    encoder = TinyEncoder()
    source = open_source(photos)
    for uri in ("day/010.jpg", "013.jpg", "east.jpg"):
        query = encoder.encode([encoder.prepare(source.read(uri).pixels_at(encoder.input_side_px))])
        hit = index.search(query, 1)[0].hits[0]
        assert hit.reference.uri == uri
        assert hit.similarity == pytest.approx(1.0, abs=1e-5)
    found = hit.reference
    assert (found.country, found.heading_deg, found.captured_at) == ("JP", 90.0, "2024-05-01T12:30:00")
    assert found.id == reference_id(found.sha256, 35.6762, 139.6503, "ground")
    assert not (tmp_path / "index" / FOLDER).exists()


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 20)
    draw_photo(photos / "nowhere.jpg", 1, None)
    told: list[Progress] = []
    build(photos, tmp_path / "index", on_progress=told.append)
    assert [p.phase for p in told] == sorted((p.phase for p in told), key=["listing", "encoding", "writing"].index)
    last = [p for p in told if p.phase == "encoding"][-1]
    assert (last.done, last.total, last.skipped) == (21, 21, 1)
    assert last.rate is not None
    assert last.eta_s == 0.0


def test_unreadable_images_are_told_with_reasons_and_left_out(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    (photos / "001.jpg").write_bytes((photos / "001.jpg").read_bytes()[:-200])
    draw_photo(photos / "nowhere.jpg", 1, None)
    (photos / "text.jpg").write_text("no photo")
    (photos / "notes.txt").write_text("not even by its name")
    report = build(photos, tmp_path / "index")
    assert (report.listed, report.added, report.skipped) == (5, 2, 3)
    reasons = {problem.uri: problem.reason for problem in open_index(tmp_path / "index").problems()}
    assert set(reasons) == {"001.jpg", "nowhere.jpg", "text.jpg"}
    assert "cannot be decoded" in reasons["001.jpg"]
    assert "no position" in reasons["nowhere.jpg"]
    assert reasons["text.jpg"] == "text instead of a photo (JPEG, PNG, WebP, HEIC, TIFF or GIF)"


class Meddling(FolderSource):
    """A folder in which somebody is at work between the listing and the reading."""

    def read(self, uri: str) -> Any:
        if uri == "001.jpg":
            draw_photo(Path(self.root, "002.jpg"), 500, (0.5, 0.5))
            Path(self.root, "003.jpg").unlink(missing_ok=True)
        return super().read(uri)


def test_a_photo_that_changed_or_vanished_since_the_listing_is_left_out(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 5)
    report = build(Meddling(str(photos)), tmp_path / "index", workers=1)
    assert (report.added, report.skipped) == (3, 2)
    reasons = {problem.uri: problem.reason for problem in open_index(tmp_path / "index").problems()}
    assert "changed after it was listed" in reasons["002.jpg"]
    assert "gone" in reasons["003.jpg"]


def test_twins_are_one_reference_and_repetitions_elsewhere_are_kept(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    table = photos / "table.csv"
    # 1e-6 degrees are 0.1 m: a twin. 0.01 degrees of latitude are 1,112 m: the same picture at another place.
    table.write_text("file,lat,lon\n001.jpg,55.7,13.2\n002.jpg,55.8,13.2\n001.jpg,55.700001,13.2\n001.jpg,55.71,13.2\n")
    report = build(table, tmp_path / "index")
    assert (report.added, report.duplicates, report.repeated) == (3, 1, 1)
    told = [(p.kind, p.reason) for p in open_index(tmp_path / "index").problems()]
    assert told == [
        ("duplicate", "the same image and place as 001.jpg"),
        ("repeated", "the same image as 001.jpg, 1.1 km away"),
    ]


def test_adding_the_same_source_twice_adds_nothing(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 10)
    build(photos, tmp_path / "index")
    before = data_files(tmp_path / "index")
    told: list[Progress] = []
    report = add(photos, tmp_path / "index", on_progress=told.append)
    assert (report.added, report.already_there, report.duplicates, report.references) == (0, 10, 0, 10)
    assert data_files(tmp_path / "index") == before
    assert (told[-2].done, told[-2].skipped, report.skipped) == (10, 0, 0)


def test_an_add_of_problems_alone_writes_them_and_nothing_else(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 10)
    build(photos, tmp_path / "index")
    draw_photo(photos / "nowhere.jpg", 1, None)
    twins = draw_photos(tmp_path / "twins", 2)
    before = data_files(tmp_path / "index")
    assert add(photos, tmp_path / "index").skipped == 1
    assert add(twins, tmp_path / "index").duplicates == 2
    assert verify_index(tmp_path / "index").problems == ()
    index = open_index(tmp_path / "index")
    assert [(one.kind, one.uri, one.source) for one in index.problems()] == [
        ("skipped", "nowhere.jpg", 0),
        ("duplicate", "001.jpg", 1),
        ("duplicate", "day/000.jpg", 1),
    ]
    assert index.manifest.problems == {"duplicate": 2, "skipped": 1}
    assert [Path(source.root).name for source in index.manifest.sources] == ["photos", "twins"]
    after = data_files(tmp_path / "index")
    assert set(after) == {"references-1.parquet", "vectors-1.npy", "problems-3.jsonl"}
    assert {name: after[name] for name in after if name in before} == {
        name: content for name, content in before.items() if not name.startswith("problems")
    }
    add(twins, tmp_path / "index")  # it is all told already
    assert data_files(tmp_path / "index") == after
    draw_photo(photos / "new.jpg", 99, (1.5, 2.0))
    assert add(photos, tmp_path / "index").added == 1
    assert sorted(data_files(tmp_path / "index")) == ["problems-4.jsonl", "references-4.parquet", "vectors-4.npy"]


def test_an_add_brings_what_is_new_under_its_own_source(tmp_path: Path) -> None:
    build(draw_photos(tmp_path / "one", 10), tmp_path / "index")
    two = draw_photos(tmp_path / "two", 10, first=5)
    report = add(two, tmp_path / "index")
    assert (report.added, report.duplicates, report.references) == (5, 5, 15)
    index = open_index(tmp_path / "index")
    assert [Path(source.root).name for source in index.manifest.sources] == ["one", "two"]
    assert sorted(index.columns("source")["source"].to_pylist()) == [0] * 10 + [1] * 5
    draw_photos(two, 2, first=80)
    assert add(two, tmp_path / "index").added == 2
    assert len(open_index(tmp_path / "index").manifest.sources) == 2


def test_workers_do_not_change_the_bytes(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 20)
    for workers in (1, 4):
        build(photos, tmp_path / str(workers), workers=workers)
    assert data_files(tmp_path / "1") == data_files(tmp_path / "4")


def test_the_view_can_be_said(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    build(open_source(photos), tmp_path / "index", view="drone")
    assert open_index(tmp_path / "index").views() == {"drone": 3}


class Failing(TinyEncoder):  # type: ignore[misc, valid-type]
    """A model that fails at its third batch."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.calls, self.error = 0, error

    def encode(self, prepared: Any) -> Any:
        self.calls += 1
        if self.calls == 3:
            raise self.error
        return super().encode(prepared)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_stopped_by_the_user_or_a_full_disk_it_goes_on(error: BaseException, tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 30)
    build(photos, tmp_path / "whole")
    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt) as raised:
        build(photos, tmp_path / "index", encoder=Failing(error))
    if isinstance(error, OSError):
        assert "No space left" in str(raised.value)
        assert "run the same command again" in str(raised.value)
    assert (tmp_path / "index" / FOLDER).is_dir()
    assert build(photos, tmp_path / "index").resumed == 16  # two chunks of eight
    assert data_files(tmp_path / "index") == data_files(tmp_path / "whole")


def test_another_encoder_or_source_cannot_go_on(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 30)
    with pytest.raises(KeyboardInterrupt):
        build(photos, tmp_path / "index", encoder=Failing(KeyboardInterrupt()))
    with pytest.raises(InputError, match=r"same encoder.*start over by deleting"):
        build(photos, tmp_path / "index", encoder=TinyEncoder("1" * 64))
    with pytest.raises(InputError, match="same source"):
        build(draw_photos(tmp_path / "others", 3), tmp_path / "index")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        add(photos, tmp_path / "index")


def test_what_may_not_be_written_to(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    build(photos, tmp_path / "index")
    with pytest.raises(InputError, match="index add"):
        build(photos, tmp_path / "index")
    with pytest.raises(InputError, match="empty or missing folder"):
        build(photos, photos)
    with pytest.raises(InputError, match="found a file"):
        build(photos, photos / "001.jpg")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        add(photos, tmp_path / "no-such")
    with pytest.raises(InputError, match="index's encoder tiny"):
        add(photos, tmp_path / "index", encoder=TinyEncoder("1" * 64))
    with pytest.raises(InputError, match="at least one worker"):
        build(photos, tmp_path / "other", workers=0)


def interrupted(photos: Path, out: Path) -> Path:
    """A build with two chunks done."""
    with pytest.raises(KeyboardInterrupt):
        build(photos, out, encoder=Failing(KeyboardInterrupt()))
    return out / FOLDER


@pytest.mark.parametrize(
    "name", ["plan.json", "listing.parquet", "listing-skipped.jsonl", "chunk-000000.parquet", "chunk-000000.npy"]
)
@pytest.mark.parametrize("content", [b"garbage", b'{"plan": {"task": "build", "version": 9}}', b"\xff" * 99])
def test_a_damaged_unfinished_build_says_what_to_delete(name: str, content: bytes, tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 30)
    journal = interrupted(photos, tmp_path / "index")
    assert (journal / name).exists()
    (journal / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        build(photos, tmp_path / "index")
    assert raised.value.wanted == "an unfinished build that can be read"
    assert str(journal / name) in raised.value.found
    assert raised.value.remedy == f"Delete {journal} and run the same command again."
    shutil.rmtree(journal)
    assert build(photos, tmp_path / "index").added == 30


def test_a_build_that_lacks_but_the_removal_of_its_folder_is_complete(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    build(photos, tmp_path / "index")
    before = data_files(tmp_path / "index")
    (tmp_path / "index" / FOLDER).mkdir()
    with pytest.raises(InputError, match=r"a complete index.*index add"):
        build(photos, tmp_path / "index")
    assert data_files(tmp_path / "index") == before
    (tmp_path / "index" / FOLDER).mkdir()
    assert add(photos, tmp_path / "index").already_there == 3
    assert not (tmp_path / "index" / FOLDER).exists()


def test_paths_that_no_folder_can_have(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    for path, words in (
        (tmp_path / ("n" * 300), "name too long"),
        ("~nosuchuser/x", "home directory"),
        (tmp_path / "loop" / "x", "symbolic links"),
        (tmp_path / "null\0", "null"),
        (tmp_path / "file" / "x", "Not a directory"),
    ):
        with pytest.raises(InputError, match=f"(?i){words}.*Name another"):
            build(photos, path)
        with pytest.raises(InputError):
            add(photos, path)
        with pytest.raises(InputError):
            open_index(Path(path))
        assert not verify_index(Path(path)).ok


def test_a_second_builder_is_kept_out(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    (tmp_path / "index" / FOLDER).mkdir(parents=True)
    with only_builder(tmp_path / "index" / FOLDER), pytest.raises(InputError, match="another build at work"):
        build(photos, tmp_path / "index")
    assert build(photos, tmp_path / "index").added == 3


def test_a_source_without_positions_leaves_nothing_behind(tmp_path: Path) -> None:
    photos = draw_photo(tmp_path / "photos" / "a.jpg", 1, None).parent
    with pytest.raises(InputError, match=r"1 skipped, the first \(a\.jpg\).*table of positions"):
        build(photos, tmp_path / "index")
    assert not (tmp_path / "index").exists()


def test_a_source_that_is_unplugged_stops_the_build(tmp_path: Path) -> None:
    class Unplugged(FolderSource):
        def read(self, uri: str) -> Any:
            shutil.move(self.root, f"{self.root}-away")
            return super().read(uri)

    photos = draw_photos(tmp_path / "photos", 12)
    with pytest.raises(InputError, match=r"any more\. Bring it back"):
        build(Unplugged(str(photos)), tmp_path / "index", workers=1)
    assert (tmp_path / "index" / FOLDER).is_dir()


def test_an_image_in_which_the_encoder_finds_nothing_is_left_out(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 3)
    from PIL import Image

    exif = Image.open(photos / "001.jpg").getexif()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(photos / "001.jpg", exif=exif)
    report = build(photos, tmp_path / "index")
    assert (report.added, report.skipped) == (2, 1)


def test_the_embedded_encoder_builds(tmp_path: Path) -> None:
    photos = draw_photos(tmp_path / "photos", 4)
    report = build_index(photos, tmp_path / "index")
    index = open_index(tmp_path / "index")
    assert (report.added, index.encoder_spec) == (4, "embedded")
    assert np.linalg.norm(index.vectors[:], axis=1) == pytest.approx([1.0] * 4, abs=1e-5)


@pytest.mark.slow
def test_ray_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    photos = draw_photos(tmp_path / "photos", 20)
    report = build_index(photos, tmp_path / "ray", ray="local", chunk_size=8)
    build_index(photos, tmp_path / "here", chunk_size=8)
    assert report.added == 20
    assert data_files(tmp_path / "ray") == data_files(tmp_path / "here")


def test_ray_without_a_cluster_says_so(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    photos = draw_photos(tmp_path / "photos", 3)
    with pytest.raises(InputError, match="Ray cluster at"):
        build(photos, tmp_path / "index", ray="127.0.0.1:1")


def test_an_image_that_cannot_be_prepared_is_in_the_report_and_its_name_in_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepare, failed = TinyEncoder.prepare, []

    def sometimes(self: Any, *given: Any) -> Any:
        if not failed:
            failed.append(True)
            raise ValueError("a sign says FARMACIA")
        return prepare(self, *given)

    monkeypatch.setattr(TinyEncoder, "prepare", sometimes)
    build(open_source(draw_photos(tmp_path / "photos", 3)), tmp_path / "index")
    (problem,) = open_index(tmp_path / "index").problems()
    assert problem.reason == "it cannot be prepared (ValueError: a sign says FARMACIA)"
    assert "An image is left out (ValueError)" in caplog.text
    assert [word for word in (".jpg", ".png", "photos", "FARMACIA") if word in caplog.text] == []
