"""Labels as the older commands read them; places are invented."""

from pathlib import Path

from geosleuth.indexes.geodesy import LatLon
from geosleuth.training.evaluate.labelled import LabelledPhoto, read_labels


def test_a_city_and_the_name_as_written_come_along_where_the_table_has_them(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("source_file,lat,lon,iso2,country,city\na/1.jpg,38.72,-9.14,PT,Portugal,Lisbon\n2.jpg,1,2,,,\n")
    first, second = read_labels(labels, tmp_path / "stills")
    assert (first.path, first.file, first.city) == (tmp_path / "stills/a/1.jpg", "a/1.jpg", "Lisbon")
    assert first.country == "PT"
    assert (second.city, second.country) == (None, "")


def test_a_photo_is_its_path_and_place_whatever_it_is_called() -> None:
    one = LabelledPhoto(Path("a.jpg"), LatLon(1, 2), "GA")
    assert one == LabelledPhoto(Path("a.jpg"), LatLon(1, 2), "GA", None, "other/a.jpg")
    assert one.city is None
    assert one.file == ""
