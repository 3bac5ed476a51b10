"""From a list to photos: what is kept, what is skipped and why. All names and positions are invented."""

import os
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import NO_FILE, Listing
from geosleuth.training.evaluate.data_sets import listed as module
from geosleuth.training.evaluate.data_sets.label_table import Label
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.data_sets.listed import Listed, assembled
from geosleuth.training.georeasoner.placing import AT_SEA, COUNTRY_BY_POSITION, DISAGREE
from geosleuth.training.georeasoner.view_table import (
    NO_NAME,
    NULL_ISLAND,
    OUT_OF_RANGE,
    OUTSIDE,
    TWICE,
)
from geosleuth.training.georeasoner.view_table import (
    NO_POSITION as NO_NUMBERS,
)

JPEG = b"\xff\xd8\xff\xe0 the beginning of one"
PORTO = ("41.1496", "-8.6110")


def lay(root: Path, *names: str, content: bytes = JPEG) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def read(root: Path, *labels: Label, limit: int | None = None, **facts: object) -> LabelledSet:
    return assembled(Listed("Set", Listing(root), labels, **facts), limit)  # type: ignore[arg-type]


def test_a_country_in_words_or_by_code_or_at_the_position(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "b/c.png", "d.jpg", "e.jpg", "f.jpg")
    found = read(
        tmp_path,
        Label("a.jpg", *PORTO, "Portugal", "Porto"),
        Label("b/c.png", "35.68", "139.76", "日本"),
        Label("d.jpg", "51.5034", "-0.1276"),
        Label("e.jpg", "30.0", "-45.0"),  # in the middle of the Atlantic
        Label("f.jpg", *PORTO, "es"),
    )
    assert [(one.path, one.position, one.country, one.city, one.file) for one in found] == [
        (tmp_path / "a.jpg", LatLon(41.1496, -8.611), "PT", "Porto", "a.jpg"),
        (tmp_path / "b/c.png", LatLon(35.68, 139.76), "JP", None, "b/c.png"),
        (tmp_path / "d.jpg", LatLon(51.5034, -0.1276), "GB", None, "d.jpg"),
        (tmp_path / "e.jpg", LatLon(30.0, -45.0), "", None, "e.jpg"),
        (tmp_path / "f.jpg", LatLon(41.1496, -8.611), "ES", None, "f.jpg"),
    ]
    assert found.notes == {COUNTRY_BY_POSITION: 1, AT_SEA: 1, DISAGREE: 1}
    assert found.countries == 4


def test_rows_that_cannot_be_used_are_skipped_with_their_reasons(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "control.jpg", "far.jpg", "zero.jpg", "words.jpg", "../secret.jpg")
    lay(tmp_path, "empty.jpg", content=b"")
    lay(tmp_path, "text.jpg", content=b"<html>Too many requests</html>")
    outside = [f"{tmp_path.parent / 'secret.jpg'}", "../secret.jpg", "x/../../secret.jpg", "C:\\a.jpg", "a\0/b.jpg"]
    found = read(
        tmp_path,
        Label("a.jpg", *PORTO),
        Label("./a.jpg", *PORTO),
        Label("none.jpg", *PORTO),
        Label("", *PORTO),
        Label("control.jpg", "", ""),
        Label("far.jpg", "91", "0.5"),
        Label("zero.jpg", "0", "0"),
        Label("words.jpg", "north", "2"),
        Label("empty.jpg", *PORTO),
        Label("text.jpg", *PORTO),
        Label("n" * 300 + "/a.jpg", *PORTO),
        *(Label(path, *PORTO) for path in outside),
        skipped=[Skipped("list:3", "2 cells, not 3")],
    )
    assert [photo.file for photo in found] == ["a.jpg"]
    assert {one.path: one.reason for one in found.skipped} == {
        "list:3": "2 cells, not 3",
        "./a.jpg": TWICE,
        "none.jpg": NO_FILE,
        "": NO_NAME,
        "control.jpg": module.NO_POSITION,
        "far.jpg": OUT_OF_RANGE,
        "zero.jpg": NULL_ISLAND,
        "words.jpg": NO_NUMBERS,
        "empty.jpg": module.EMPTY,
        "text.jpg": module.NO_PICTURE,
        "n" * 300 + "/a.jpg": module.NO_FOLDER,
        **dict.fromkeys(outside, OUTSIDE),
    }
    assert found.skip_reasons[OUTSIDE] == 5
    assert repr(found) == "LabelledSet(Set: 1 in 1 countries, 16 skipped)"
    assert found.said().startswith(f"Set: 1 photos in 1 countries; 16 skipped (5 x {OUTSIDE}, ")
    assert found.said().endswith(f", 9 for other reasons); 1 x {COUNTRY_BY_POSITION}")
    assert found.about()["first_skipped"][OUTSIDE] == outside[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_skipped(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg", "locked.jpg")
    (tmp_path / "locked.jpg").chmod(0)
    found = read(tmp_path, Label("a.jpg", *PORTO), Label("locked.jpg", *PORTO))
    assert [one.reason for one in found.skipped] == ["it cannot be read (Permission denied)"]


def test_whole_paths_inside_the_root_are_taken(tmp_path: Path) -> None:
    lay(tmp_path, "x/a.jpg")
    assert read(tmp_path, Label(f"{tmp_path}/y/../x/a.jpg", *PORTO)).photos[0].file == "x/a.jpg"


def test_the_first_folder_that_has_a_picture_counts_and_its_ending_may_be_left_out(tmp_path: Path) -> None:
    lay(tmp_path, "images/1.jpg", "more/1.jpg", "more/2.5.png", "more/3")
    labels = [Label(name, *PORTO) for name in ("1.jpg", "2.5", "3")]
    found = read(tmp_path, *labels, folders=("", "images", "more"))
    assert [photo.file for photo in found] == ["images/1.jpg", "more/2.5.png", "more/3"]


def test_for_a_broken_file_another_is_drawn(tmp_path: Path) -> None:
    names = [f"{n}.jpg" for n in range(6)]
    lay(tmp_path, *names)
    labels = [Label(name, *PORTO) for name in names]
    two = [photo.file for photo in read(tmp_path, *labels, limit=2)]
    assert two == sorted(two)  # in the order of the list, whatever that of the draw
    lay(tmp_path, two[0], content=b"")
    found = read(tmp_path, *labels, limit=2)
    assert len(found) == 2
    assert two[1] in {photo.file for photo in found}
    assert found.skipped == (Skipped(two[0], module.EMPTY),)
    assert len(read(tmp_path, *labels, limit=100)) == 5


def test_a_limit_of_none_at_all_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg")
    with pytest.raises(InputError, match="Wanted a number of photos of 1 or more; found 0"):
        read(tmp_path, Label("a.jpg", *PORTO), limit=0)


def test_no_usable_photo_says_where_it_was_looked_for_and_why(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, Label("a.jpg", *PORTO), Label("b.jpg", *PORTO), folders=("", "images"))
    assert caught.value.wanted == f"photos of Set below {tmp_path}: in the root, images/"
    assert caught.value.found == f"none (2 x {NO_FILE})"
    assert "--labels" in caught.value.remedy
    with pytest.raises(InputError, match="the list is empty"):
        read(tmp_path)


def test_what_a_list_lacks_of_the_published_set_is_noted(tmp_path: Path) -> None:
    lay(tmp_path, "a.jpg")
    found = read(tmp_path, Label("a.jpg", *PORTO, "PT"), published=237)
    assert found.notes == {"rows of the published 237 that this list has not": 236}


def test_photos_that_tell_their_position_themselves_are_counted_where_they_may(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (41.0, 9.0, 0.0), 3: "W", 4: (8.0, 36.0, 0.0)}
    Image.new("RGB", (8, 8)).save(tmp_path / "told.jpg", exif=exif)
    Image.new("RGB", (8, 8)).save(tmp_path / "silent.jpg")
    lay(tmp_path, "broken.jpg")
    labels = [Label(name, *PORTO, "PT") for name in ("told.jpg", "silent.jpg", "broken.jpg")]
    assert read(tmp_path, *labels, originals=True).notes == {module.KNOWN: 1}
    assert read(tmp_path, *labels).notes == {}
