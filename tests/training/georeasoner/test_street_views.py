"""Street views from tables and folders. All names and positions are invented, the positions inside real countries."""

import json
from pathlib import Path

import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.training.georeasoner import placing, view_table
from geosleuth.training.georeasoner.exported_folders import NOT_THERE
from geosleuth.training.georeasoner.street_views import StreetView, read_street_views, write_street_views

PORTO, LONDON, CHARLOTTE = (41.1496, -8.611), (51.5034, -0.1276), (35.2198, -80.8529)


def lay(root: Path, *names: str) -> None:
    """Files that need not be pictures: readers of street views decode none."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def table(root: Path, text: str, name: str = "street_views.csv") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root / name


def test_a_manifest_with_the_usual_other_names_of_columns(tmp_path):
    lay(tmp_path, "a/1.jpg", "2.jpg", "3.jpg")
    table(
        tmp_path,
        "\ufeffPath,Latitude,lng,country,City,NorthDeg,locatability,panoid\n"
        "a/1.jpg,41.1496,-8.611,Portugal,Porto,450,0.5,x\n"
        "./2.jpg,51.5034,-0.1276,,,,,y\n"
        "3.jpg,35.68,139.76,日本,東京,-90,,z\n",
    )
    read = read_street_views(tmp_path)
    assert read.views == (
        StreetView(tmp_path / "a/1.jpg", *PORTO, "PT", "Porto", 90.0, 0.5),
        StreetView(tmp_path / "2.jpg", *LONDON, "GB"),
        StreetView(tmp_path / "3.jpg", 35.68, 139.76, "JP", "東京", 270.0),
    )
    assert read.skipped == ()
    assert read.notes == {placing.COUNTRY_BY_POSITION: 1}
    assert repr(read) == f"StreetViews({tmp_path.name}: 3 in 3 countries, 0 skipped)"


def test_rows_that_cannot_be_used_are_counted_with_their_reasons(tmp_path):
    lay(tmp_path, *(f"{n}.jpg" for n in range(8)))
    table(
        tmp_path,
        "file,lat,lon\n"
        "0.jpg,41.1,-8.6\n0.jpg,41.2,-8.6\nmissing.jpg,41.1,-8.6\n1.jpg,91,0.5\n2.jpg,41.1,-180.5\n"
        "3.jpg,north,west\n4.jpg,nan,1\n5.jpg,0,0\n../0.jpg,41.1,-8.6\n,41.1,-8.6\n\n",
    )
    read = read_street_views(tmp_path)
    assert [view.path.name for view in read] == ["0.jpg"]
    assert read.skip_reasons == {
        view_table.OUT_OF_RANGE: 2,
        view_table.NO_POSITION: 2,
        view_table.TWICE: 1,
        "no such file": 1,
        view_table.NULL_ISLAND: 1,
        view_table.OUTSIDE: 1,
        view_table.NO_NAME: 1,
    }
    about = read.about()
    assert about["skipped"] == read.skip_reasons
    assert about["first_skipped"][view_table.OUT_OF_RANGE] == "1.jpg"
    assert json.loads(json.dumps(about)) == about


def test_what_is_set_aside_in_rows_that_are_kept_is_counted(tmp_path):
    lay(tmp_path, "1.jpg", "2.jpg", "3.jpg", "4.jpg")
    table(
        tmp_path,
        "file,lat,lon,country,heading,locatability\n"
        "1.jpg,41.1496,-8.611,Narnia,east,1.5\n"
        "2.jpg,41.1496,-8.611,Spain,,high\n"
        "3.jpg,30,-45,,inf,\n"  # in the middle of the Atlantic
        "4.jpg,41.1496,-8.611,PT,0,0\n",
    )
    read = read_street_views(tmp_path)
    assert [(view.country, view.heading_deg, view.locatability) for view in read] == [
        ("PT", None, None),
        ("ES", None, None),
        (None, None, None),
        ("PT", 0.0, 0.0),
    ]
    assert read.notes == {
        placing.BAD_HEADING: 2,
        placing.BAD_LOCATABILITY: 2,
        placing.NO_COUNTRY: 1,
        placing.COUNTRY_BY_POSITION: 1,
        placing.DISAGREE: 1,
        placing.AT_SEA: 1,
    }


def test_cities_are_named_by_the_gazetteer_on_request(tmp_path):
    lay(tmp_path, "1.jpg", "2.jpg")
    table(tmp_path, "file,lat,lon,city\n1.jpg,41.1496,-8.611,\n2.jpg,51.5034,-0.1276,Londinium\n")
    assert [view.city for view in read_street_views(tmp_path)] == [None, "Londinium"]
    read = read_street_views(tmp_path, name_cities=True)
    assert [view.city for view in read] == ["Porto", "Londinium"]
    assert read.about()["notes"][placing.CITY_BY_GAZETTEER] == 1


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("41.1496,-8.611,90.jpg", 90.0),
        ("41.1496,-8.611.JPG", None),
        ("pAn0-Id_x,41.1496,-8.6110,.jpg", None),  # VIGOR
        ("41.1496_-8.611_270.png", 270.0),
        ("Aa_-bB0123456789_41.1496_-8.611_12.5.jpeg", 12.5),
        ("000_streetview_41.1496_-8.611_45.png", 45.0),
        ("Porto_0000017_2018_08_270_41.1496_-8.611_q-_w12.jpg", 270.0),  # GSV-Cities
        ("@0532640.12@4555470.98@29@T@041.14960@-008.61100@pano_id@03@135@@@@201904@@.jpg", 135.0),  # SF-XL
        ("41.1496_-8.611_-90.jpg", 270.0),
        ("41.1496_-8.611_90/May 2014.png", 90.0),
        ("41.1496_-8.611/gsv_0.jpg", None),
    ],
)
def test_positions_in_names(tmp_path, name, heading):
    lay(tmp_path, name, "README.txt")
    (view,) = read_street_views(tmp_path).views
    assert (view.lat, view.lon) == PORTO
    assert (view.heading_deg, view.country, view.path) == (heading, "PT", tmp_path / name)


def test_names_without_a_position_are_counted(tmp_path):
    lay(tmp_path, "41.1496,-8.611.jpg", "IMG_2041.jpg", "1.5_2.jpg", "v1.10.jpg", "@532640.12@4555470.98@29@.jpg")
    lay(tmp_path, "Portugal/Porto/IMG_20210512_12.05_33.20.jpg", "v12.05_33.2001.jpg", "12.051_33.20.jpg")
    read = read_street_views(tmp_path)
    assert (len(read), read.skip_reasons) == (1, {NOT_THERE: 7})


def test_metadata_of_the_static_api_beside_the_pictures(tmp_path):
    lay(tmp_path, "a/gsv_0.jpg", "a/gsv_1.jpg", "b/x.jpg", "b/y.jpg", "b/z.jpg")
    ok = {"status": "OK", "pano_id": "p", "location": {"lat": PORTO[0], "lng": PORTO[1]}}
    answers = [ok | {"_file": "gsv_0.jpg"}, {"status": "ZERO_RESULTS"}, "noise"]
    (tmp_path / "a/metadata.json").write_text(json.dumps(answers))
    (tmp_path / "b/x.json").write_text(json.dumps(ok))
    (tmp_path / "b/y.json").write_text(json.dumps({"latitude": 51.5034, "lon": -0.1276, "heading_deg": 10}))
    (tmp_path / "b/z.json").write_text("{broken")
    read = read_street_views(tmp_path)
    assert [(view.path.name, view.lat, view.country, view.heading_deg) for view in read] == [
        ("gsv_0.jpg", 41.1496, "PT", None),
        ("x.jpg", 41.1496, "PT", None),
        ("y.jpg", 51.5034, "GB", 10.0),
    ]
    assert [one.path for one in read.skipped] == ["a/gsv_1.jpg", "b/z.jpg"]


def test_folders_named_after_countries_and_cities_are_believed_where_the_coordinates_agree(tmp_path):
    lay(
        tmp_path,
        "Portugal/Porto/41.1496,-8.611.jpg",
        "United_Kingdom/batch_1/51.5034,-0.1276.jpg",
        "Georgia/Charlotte/35.2198,-80.8529.jpg",  # also a state's name; nobody's here
        "Porto/51.5034,-0.1276.jpg",  # a city that is elsewhere
    )
    read = read_street_views(tmp_path)
    expected = [("US", "Charlotte"), ("GB", None), ("PT", "Porto"), ("GB", None)]
    assert [(view.country, view.city) for view in read] == expected  # in the order of their paths
    assert read.notes[placing.FOLDER_DISAGREES] == 1
    assert read.notes[placing.CITY_BY_FOLDER] == 2
    assert read.layout == "folders"


def test_a_link_to_a_folder_above_ends(tmp_path):
    lay(tmp_path, "a/41.1496,-8.611.jpg")
    (tmp_path / "a/again").symlink_to(tmp_path)
    assert len(read_street_views(tmp_path)) == 1


def test_a_manifest_reads_back_equal(tmp_path):
    lay(tmp_path, "set/a/1.jpg", "set/2, three.jpg")
    views = (
        StreetView(tmp_path / "set/a/1.jpg", 41.14961234567, -8.611, "PT", 'Porto, "o"', 0.1, 1 / 3),
        StreetView(tmp_path / "set/2, three.jpg", 51.5034, -0.1276, "GB", None, None, None),
    )
    for out, base in (("set/street_views.csv", None), ("all.csv", tmp_path / "set"), ("elsewhere.csv", None)):
        write_street_views(tmp_path / out, views, base)
        assert read_street_views(tmp_path / "set", tmp_path / out).views == views
    (tmp_path / "other").mkdir()
    write_street_views(tmp_path / "other/kept.csv", views[:1])  # whole paths, that lie in no folder above
    assert read_street_views(tmp_path / "set", tmp_path / "other/kept.csv").views == views[:1]
    read = read_street_views(tmp_path / "set")
    write_street_views(tmp_path / "other/same.csv", read)
    assert "\na/1.jpg," in (tmp_path / "other/same.csv").read_text(encoding="utf-8")
    assert read_street_views(tmp_path / "set", tmp_path / "other/same.csv").views == read.views
    assert not list(tmp_path.glob("**/*.part"))
    with pytest.raises(InputError, match="can be written"):
        write_street_views(tmp_path / "none/x.csv", views)


def test_folders_without_street_views_say_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_street_views(tmp_path / "none")
    with pytest.raises(InputError, match=r"names like 51\.5074.*found no picture; it holds nothing"):
        read_street_views(tmp_path)
    lay(tmp_path, "IMG_1.jpg", "notes.txt", "more/IMG_2.jpg")
    with pytest.raises(InputError, match=r"found 2 pictures, none with a position; it holds IMG_1\.jpg, more/, notes"):
        read_street_views(tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("cell_id,sat_path,lat,lon\n", "found no file among cell_id, sat_path"),
        ("file,lat,lon\n1.jpg,2\n", "3 cells in line 2"),
        ('file,lat,lon\n"1.jpg,1,2\n', "cannot be read"),
        ("file,lat,lon\n", r"found none \(no rows\)"),
        ("file,lat,lon\n1.jpg,95,2\n", "found none .*lat beyond 90"),
    ],
)
def test_tables_that_are_none(tmp_path, content, found):
    lay(tmp_path, "1.jpg")
    table(tmp_path, content, "metadata.csv")
    with pytest.raises(InputError, match=found):
        read_street_views(tmp_path)
    with pytest.raises(InputError, match="no such file"):
        read_street_views(tmp_path, tmp_path / "other.csv")


def test_a_split_of_a_table(tmp_path):
    lay(tmp_path, "1.jpg", "2.jpg")
    table(
        tmp_path, "file,lat,lon,split\n1.jpg,41.1496,-8.611,train\n2.jpg,51.5034,-0.1276,held_out\n3.jpg,1,1,held_out\n"
    )
    assert [view.country for view in read_street_views(tmp_path)] == ["PT", "GB"]
    read = read_street_views(tmp_path, split="train")
    assert ([view.country for view in read], read.skipped) == (["PT"], ())
    with pytest.raises(InputError, match=r'found "test"\. Use one of: held_out, train'):
        read_street_views(tmp_path, split="test")
    lay(tmp_path / "folders", "41.1496,-8.611.jpg")
    with pytest.raises(InputError, match="folders without a table"):
        read_street_views(tmp_path / "folders", split="train")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("fr", "FR"), ("DE", "DE"), ("gb", "GB"), ("uk", "GB"), ("no", "NO"), ("IN", "IN"), ("prt", "PT"),
        ("Portugal", "PT"), ("na", None), ("NA", None), ("n/a", None), ("unknown", None), ("", None), ("xx", None),
    ],
)  # fmt: skip
def test_countries_of_cells_are_codes_in_any_case(cell, code):
    assert view_table.country_of_cell(cell) == code


def test_lower_case_codes_count_in_a_table_and_splits_come_back(tmp_path):
    lay(tmp_path, "1.jpg", "2.jpg")
    table(tmp_path, "file,lat,lon,country,split\n1.jpg,41.1496,-8.611,es,train\n2.jpg,41.1496,-8.611,,\n")
    read = read_street_views(tmp_path)
    assert [(view.country, view.split) for view in read] == [("ES", "train"), ("PT", None)]
    assert read.splits == {"train": 1, "": 1}
    write_street_views(tmp_path / "again.csv", read)
    assert read_street_views(tmp_path, tmp_path / "again.csv").views == read.views
