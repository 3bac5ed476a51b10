"""What is dropped into the page, as photos; and the names that strangers gave them."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_edit import Edit
from geosleuth.ui.page.downloads import _stem
from geosleuth.ui.page.photos import (
    Upload,
    check_count,
    edit_of,
    file_name,
    turned_words,
    uploads_of,
    without_suffix,
)
from geosleuth.ui.page.runs import Runs

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a.jpg", "a.jpg"), ("../../etc/passwd", "passwd"), (r"C:\photos\a.jpg", "a.jpg"), ("", "photo"), ("/", "photo")],
)
def test_a_name_has_no_folders(name: str, kept: str):
    assert file_name(name) == kept


def test_a_long_name_is_cut_and_keeps_its_ending():
    assert file_name("a" * 300 + ".jpg") == "a" * 116 + ".jpg"


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a.jpg", "a"), ("a.b.heic", "a.b"), ("clip.mp4 at 0.1 s", "clip.mp4 at 0.1 s"), (".jpg", ".jpg")],
)
def test_only_an_ending_is_taken_off(name: str, kept: str):
    assert without_suffix(name) == kept


def test_a_photo_is_itself():
    file = io.BytesIO()
    Image.new("RGB", (8, 6)).save(file, "PNG")
    assert uploads_of("x/street.png", file.getvalue()) == [Upload("street.png", file.getvalue())]


def test_a_video_is_six_frames_of_one_scene_and_tells_its_hash(tmp_path: Path):
    path = tmp_path / "clip.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for shade in range(0, 240, 20):
        video.write(np.full((48, 64, 3), shade, np.uint8))
    video.release()
    uploads = uploads_of("clip.mp4", path.read_bytes())
    assert len({upload.content for upload in uploads}) == len(uploads) == 6
    assert {upload.scene for upload in uploads} == {"clip"}
    assert all(upload.content.startswith(b"\x89PNG") for upload in uploads)
    import hashlib

    assert hashlib.sha256(path.read_bytes()).hexdigest() in uploads[0].origin


def test_a_photo_that_lies_is_to_be_turned_if_that_is_asked_for():
    lying, file = np.rot90(np.asarray(Image.open(ROOT / "docs" / "match.jpg"))), io.BytesIO()
    Image.fromarray(lying).save(file, "JPEG")
    (seen,) = uploads_of("street.jpg", file.getvalue(), turn=True)
    assert seen.edit == Edit(rotate_deg=90, detected=True)
    assert turned_words([(seen, seen.edit)]) == [
        "street.jpg is rotated by 90 degrees, for it seemed to lie on its side."
    ]
    assert seen.turned(Edit()) == Edit()  # a person has turned it back
    assert turned_words([(seen, Edit())]) == []
    (left,) = uploads_of("street.jpg", file.getvalue())
    assert left.edit == Edit()


def test_a_damaged_photo_is_not_looked_at_for_its_turn():
    file = io.BytesIO()
    Image.fromarray(np.zeros((600, 400, 3), np.uint8)).save(file, "JPEG")
    (seen,) = uploads_of("torn.jpg", file.getvalue()[:-400], turn=True)
    assert seen.turn_deg == 0


def test_what_is_neither_is_told_in_words():
    with pytest.raises(InputError, match="a photo"):
        uploads_of("song.mp3", b"ID3" + b"x" * 500)
    with pytest.raises(InputError):
        uploads_of("clip.mp4", b"no video at all")


def test_a_case_has_a_limit():
    check_count(12)
    with pytest.raises(InputError, match="at most 12 photos of one scene; found 13"):
        check_count(13)


def test_the_sliders_are_an_edit():
    assert edit_of(0, (0, 100), (0, 100)).crop is None
    edit = edit_of(270, (10, 60), (0, 50))
    assert (edit.rotate_deg, edit.crop) == (270, (0.1, 0.0, 0.6, 0.5))
    with pytest.raises(InputError, match="two edges that meet"):
        edit_of(0, (40, 40), (0, 100))


def test_files_are_named_after_the_photo_in_letters_that_every_system_takes():
    class Answer:
        class photo:  # noqa: N801  the one attribute that is read
            name = "Straße <1>.jpg"

    assert _stem(Answer) == "geosleuth-Stra-e-1"


def test_a_server_that_ends_stops_its_runs():
    runs = Runs(1)
    run = runs.start(("local", "1"), "", lambda: iter(()))
    runs.shut_down()
    assert run.over
    with pytest.raises(RuntimeError):
        runs.start(("local", "2"), "", lambda: iter(()))
