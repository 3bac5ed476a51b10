"""Tables and their columns; positions are invented."""

from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.listing import Listing
from geosleuth.training.evaluate.data_sets.label_table import Label, find_list, held, read_table, turned


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_by_their_usual_names_whatever_their_case(tmp_path: Path) -> None:
    table = written(tmp_path, "\ufeffIMG_ID,Author,LATITUDE,Lng,Country,ISO2,City\n a.jpg ,x,1.5,2.5,Peru,PE,NaN\n\n")
    assert read_table(table) == ([Label("a.jpg", "1.5", "2.5", "PE", "")], [])


def test_a_second_column_counts_where_the_first_is_empty(tmp_path: Path) -> None:
    table = written(tmp_path, "file,lat,lon,iso2,country\na.jpg,1,2,,Peru\nb.jpg,1,2,nan,Chile\n")
    assert [label.country for label in read_table(table)[0]] == ["Peru", "Chile"]


def test_rows_of_another_length_are_skipped_with_their_line(tmp_path: Path) -> None:
    table = written(tmp_path, 'file,lat,lon\na.jpg,1\n"b,c.jpg",1,2\nd.jpg,1,2,3\n')
    labels, skipped = read_table(table)
    assert [label.file for label in labels] == ["b,c.jpg"]
    assert skipped == [Skipped("labels.csv:2", "2 cells, not 3"), Skipped("labels.csv:4", "4 cells, not 3")]


@pytest.mark.parametrize(
    ("content", "wanted", "found"),
    [
        (b"name,lat,lon\na,1,2\n", "the columns file (or source_file, path), lat", "no file among name, lat, lon"),
        (b"", "the columns file", "no file, lat, lon among none"),
        (b'file,lat,lon\n"a.jpg,1,2\n', "a table in UTF-8", "unexpected end of data"),
        (b"file,lat,lon\n\xff.jpg,1,2\n", "a table in UTF-8", "can't decode"),
    ],
)
def test_a_table_that_is_none_says_what_was_looked_for(tmp_path: Path, content: bytes, wanted: str, found: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert wanted in caught.value.wanted
    assert found in caught.value.found
    assert str(path) in caught.value.wanted
    assert "--labels" in caught.value.remedy


def test_the_list_is_the_one_named_else_the_first_that_is_there(tmp_path: Path) -> None:
    for name in ("b.csv", "c.csv", "elsewhere.csv"):
        (tmp_path / name).touch()
    listing = Listing(tmp_path)
    assert find_list(listing, "Set", ("a.csv", "b.csv", "c.csv"), None) == tmp_path / "b.csv"
    assert find_list(listing, "Set", ("a.csv",), tmp_path / "elsewhere.csv") == tmp_path / "elsewhere.csv"


def test_no_list_says_what_the_root_holds(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for n in range(9):
        (tmp_path / f"{n}.txt").touch()
    with pytest.raises(InputError) as caught:
        find_list(Listing(tmp_path), "Set", ("a.csv", "b.csv"), None)
    assert caught.value.wanted == f"Set in {tmp_path}: one of a.csv, b.csv"
    assert caught.value.found == f"none of them; it holds {', '.join(f'{n}.txt' for n in range(8))} and 2 more"
    assert "--labels" in caught.value.remedy


def test_what_is_no_folder_and_a_list_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root, found in (("nowhere", "no such folder"), ("file", "a file")):
        with pytest.raises(InputError) as caught:
            find_list(Listing(tmp_path / root), "Set", ("a.csv",), None)
        assert caught.value.found == found
    for labels, found in (("none.csv", "no such file"), ("", "a folder")):
        with pytest.raises(InputError, match="the list of Set") as caught:
            find_list(Listing(tmp_path), "Set", ("a.csv",), tmp_path / labels)
        assert caught.value.found == found
    (tmp_path / "file").unlink()
    assert held(tmp_path) == "nothing"


def test_exchanged_columns_are_seen_by_latitudes_beyond_the_poles() -> None:
    # Sydney, Lima, Tokyo and Paris with longitude where latitude should be: half of the "latitudes" are beyond 90.
    places = [(151.2, -33.9), (-77.0, -12.0), (139.7, 35.7), (2.35, 48.9)]
    labels = [Label(f"{n}.jpg", str(lat), str(lon)) for n, (lat, lon) in enumerate(places)]
    mended = turned(labels)
    assert mended is not None
    assert [(one.file, one.lat, one.lon) for one in mended[:2]] == [
        ("0.jpg", "-33.9", "151.2"),
        ("1.jpg", "-12.0", "-77.0"),
    ]
    assert turned(mended) is None


def test_a_few_typing_errors_do_not_exchange_a_list_nor_does_nonsense() -> None:
    right = [Label("a.jpg", "48.9", "2.35")] * 19
    assert turned([*right, Label("b.jpg", "912.3", "2.35")]) is None  # one in twenty is not more than 5 %
    assert turned([*right, Label("b.jpg", "912.3", "2"), Label("c.jpg", "95", "2"), Label("d.jpg", "", "")]) is not None
    assert turned([Label("a.jpg", "151.2", "-33.9"), Label("b.jpg", "10", "139.7")]) is None  # beyond 90 in both
    assert turned([]) is None
