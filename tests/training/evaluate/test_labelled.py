"""Labels as the older commands read them; places are invented."""

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.labelled import LabelledPhoto, read_labels


def test_a_city_and_the_name_as_written_come_along_where_the_table_has_them(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("source_file,lat,lon,iso2,country,city\na/1.jpg,38.72,-9.14,PT,Portugal,Lisbon\n2.jpg,1,2,,,\n")
    first, second = read_labels(labels, tmp_path / "stills")
    assert (first.path, first.file, first.city) == (tmp_path / "stills/a/1.jpg", "a/1.jpg", "Lisbon")
    assert first.country == "PT"
    assert (second.city, second.country) == (None, "")


def test_a_table_is_read_however_it_was_saved(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    text = "\ufeffImage,Latitude,Longitude,Country\na.jpg,38.72,-9.14,Portugal\nb.jpg,48.8566,2.3522,\nc.jpg,nan,nan,\n"
    labels.write_text(text, encoding="utf-8")
    found = read_labels(labels, tmp_path)
    assert [(one.file, one.country) for one in found] == [("a.jpg", "PT"), ("b.jpg", "FR")]  # by name, by position


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("a.jpg,1", "labels.csv:2: 2 cells, not 4"),
        ("a.jpg,nan,2,PT", "lat and lon are no numbers"),
        ("a.jpg,inf,2,PT", "lat and lon are no numbers"),
        ("a.jpg,91,2,PT", "lat beyond 90"),
        ("a.jpg,1,181,PT", "lon beyond 180"),
    ],
)
def test_a_damaged_row_is_told_with_what_to_mend(tmp_path: Path, row: str, found: str) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(f"file,lat,lon,country\n{row}\n")
    with pytest.raises(InputError, match=found) as told:
        read_labels(labels, tmp_path)
    assert str(labels) in told.value.remedy


def test_a_picture_in_place_of_a_table_is_told(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_bytes(b"\xff\xd8\xff\xe0" * 8)
    with pytest.raises(InputError, match="a table in UTF-8") as told:
        read_labels(labels, tmp_path)
    assert "--labels" in told.value.remedy


def test_a_photo_is_its_path_and_place_whatever_it_is_called() -> None:
    one = LabelledPhoto(Path("a.jpg"), LatLon(1, 2), "GA")
    assert one == LabelledPhoto(Path("a.jpg"), LatLon(1, 2), "GA", None, "other/a.jpg")
    assert one.city is None
    assert one.file == ""
