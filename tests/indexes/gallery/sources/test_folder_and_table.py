"""Folders and tables as sources, and how the kind of a source is told."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources.folder import FolderSource
from geosleuth.indexes.gallery.sources.open import open_source
from geosleuth.indexes.gallery.sources.source import Item, Skipped, reason_of
from geosleuth.indexes.gallery.sources.table import TableSource

draw_photo = runpy.run_path(str(Path(__file__).parents[1] / "tiny_build.py"))["draw_photo"]


def test_a_folder_is_listed_by_name_with_position_heading_and_time(tmp_path: Path) -> None:
    draw_photo(tmp_path / "b.jpg", 1, (55.7, 13.2), heading=90.0, taken="2024:05:01 12:30:00")
    draw_photo(tmp_path / "a" / "z.jpg", 2, (-33.9, -70.5))
    draw_photo(tmp_path / ".hidden.jpg", 3, (1.0, 1.0))
    draw_photo(tmp_path / ".git" / "x.jpg", 4, (1.0, 1.0))
    draw_photo(tmp_path / "nowhere.jpg", 5, None)
    source = open_source(tmp_path)
    assert source.kind == "folder"
    assert list(source.items()) == [
        Item("b.jpg", 55.7, 13.2, heading_deg=90.0, captured_at="2024-05-01T12:30:00"),
        Skipped("nowhere.jpg", "no position: its EXIF block holds no GPS block"),
        Item("a/z.jpg", -33.9, -70.5),
    ]
    assert source.read("a/z.jpg").name == "z.jpg"


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    outside = draw_photo(tmp_path / "outside" / "o.jpg", 1, (55.7, 13.2))
    stored = draw_photo(tmp_path / "root" / ".store" / "abc", 2, (55.7, 13.2))
    (tmp_path / "root" / "in.jpg").symlink_to(stored)
    (tmp_path / "root" / "out.jpg").symlink_to(outside)
    (tmp_path / "root" / "folder").symlink_to(outside.parent)
    source = FolderSource(str(tmp_path / "root"))
    first, second = source.items()
    assert first == Item("in.jpg", 55.7, 13.2)
    assert isinstance(second, Skipped)
    assert second.reason == f"a path that leads out of it instead of a file inside {tmp_path.resolve()}/root"
    for uri in ("../outside/o.jpg", str(outside), "out.jpg"):
        with pytest.raises(InputError, match="leads out"):
            source.read(uri)


@pytest.mark.parametrize("header", ["file,lat,lon", "Path;Latitude;LNG", "image\tlat\tlongitude"])
def test_a_table_by_any_of_the_names(header: str, tmp_path: Path) -> None:
    draw_photo(tmp_path / "p" / "a.jpg", 1, None)
    mark = next(mark for mark in ",;\t" if mark in header)
    (tmp_path / "t.csv").write_text(f"\ufeff{header}\n" + mark.join(("p/a.jpg", "55.7", "13.2")) + "\n", "utf-8")
    source = open_source(tmp_path / "t.csv")
    assert list(source.items()) == [Item("p/a.jpg", 55.7, 13.2)]
    assert source.read("p/a.jpg").size == (64, 48)


def test_a_tables_further_columns_and_its_root(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "uri,lat,lon,heading,captured,view,license\n"
        "a.jpg,1.5,2,-90,2020-01-02 03:04:05+01:00,Drone,CC0\n"
        "b.jpg,1.5,2,,last summer,,\n"
    )
    (tmp_path / "root").mkdir()
    source = open_source(tmp_path / "t.csv", root=tmp_path / "root")
    assert source.root == str((tmp_path / "root").resolve())
    assert list(source.items()) == [
        Item("a.jpg", 1.5, 2.0, "drone", 270.0, captured_at="2020-01-02T03:04:05+01:00", licence="CC0"),
        Item("b.jpg", 1.5, 2.0),
    ]
    assert {item.view for item in open_source(tmp_path / "t.csv", view="map").items() if isinstance(item, Item)} == {
        "map"
    }


def test_rows_that_cannot_be_used_are_named_by_number(tmp_path: Path) -> None:
    rows = ["a.jpg,91,2,", "b.jpg,x,2,", ",1,2,", "../c.jpg,1,2,", "http://h/d.jpg,1,2,", "e.jpg,1,2,500", "f.jpg,1,,"]
    rows += ["g.jpg,1e999,2,"]
    (tmp_path / "t.csv").write_text("file,lat,lon,heading\n" + "\n".join(rows) + "\n")
    skipped = [entry for entry in open_source(tmp_path / "t.csv").items() if isinstance(entry, Skipped)]
    wanted = ["out of range", "latitude is no number", "no file", "leads out", "web address", "heading", "missing"]
    wanted += ["its latitude is not finite ('1e999')"]
    assert len(skipped) == len(wanted)
    for number, (entry, words) in enumerate(zip(skipped, wanted, strict=True), start=1):
        assert f"{entry.uri}: {entry.reason}".count(f"row {number}: ") == 1
        assert words in entry.reason


def test_geoparquet_in_any_reference_system(tmp_path: Path) -> None:
    import geopandas
    import shapely

    points = [shapely.Point(13.2, 55.7), shapely.Point(2.35, 48.86)]
    frame = geopandas.GeoDataFrame({"file": ["a.jpg", "b.jpg"]}, geometry=points, crs="EPSG:4326")
    frame.to_crs(3857).to_parquet(tmp_path / "mercator.parquet")
    first, second = open_source(tmp_path / "mercator.parquet").items()
    assert isinstance(first, Item)
    assert isinstance(second, Item)
    assert (first.lat, first.lon, second.lat, second.lon) == pytest.approx((55.7, 13.2, 48.86, 2.35), abs=1e-9)


def test_parquet_with_columns_of_positions(tmp_path: Path) -> None:
    import pandas

    pandas.DataFrame({"Image": ["a.jpg"], "Lat": [55.7], "Lon": [13.2]}).to_parquet(tmp_path / "t.parquet")
    assert list(open_source(tmp_path / "t.parquet").items()) == [Item("a.jpg", 55.7, 13.2)]


def test_what_is_no_source_is_refused_with_what_to_do(tmp_path: Path) -> None:
    photo = draw_photo(tmp_path / "photos" / "a.jpg", 1, (1.5, 2.0))
    (tmp_path / "empty").mkdir()
    (tmp_path / "tabled").mkdir()
    (tmp_path / "tabled" / "t.csv").write_text("file,lat,lon\n")
    (tmp_path / "wrong.csv").write_text("name,x,y\na.jpg,1,2\n")
    (tmp_path / "program").write_bytes(b"\x7fELF\0\0")
    Image.new("RGB", (9, 9)).save(tmp_path / "plain.tif")
    for path, options, words in (
        (tmp_path / "missing", {}, "nothing at"),
        (tmp_path / "empty", {}, "no photo in"),
        (tmp_path / "tabled", {}, "Name the table"),
        (tmp_path / "tabled" / "t.csv", {}, "no row in"),
        (tmp_path / "wrong.csv", {}, "columns name, x, y"),
        (tmp_path / "program", {}, "another kind"),
        (tmp_path / "plain.tif", {}, "single photo"),
        (photo, {}, "single photo"),
        (photo.parent, {"kind": "heap"}, "'heap'"),
        (photo.parent, {"root": tmp_path}, "--root"),
        (photo.parent, {"zoom": 3}, "--zoom"),
        (photo, {"kind": "folder"}, "a file"),
        ("~nosuchuser/photos", {}, "home directory"),
        (tmp_path / ("n" * 300), {}, "name too long"),
        (tmp_path / "null\0", {}, "null"),
    ):
        with pytest.raises(InputError) as raised:
            open_source(path, **options)
        assert words in str(raised.value)


def test_a_reason_says_what_was_wanted_and_names_nothing_twice() -> None:
    error = InputError("a photo of at most 220 megapixels", "20000 x 20000 pixels: big.png", "Export a smaller copy.")
    assert reason_of(error, "day/big.png") == "20000 x 20000 pixels instead of a photo of at most 220 megapixels"


def test_tiles_are_told_from_photos_by_date(tmp_path: Path) -> None:
    draw_photo(tmp_path / "dated" / "2019" / "05" / "01.jpg", 1, (1.5, 2.0))
    assert open_source(tmp_path / "dated").kind == "folder"
    (tmp_path / "tiles" / "3" / "4").mkdir(parents=True)
    Image.new("RGB", (256, 256)).save(tmp_path / "tiles" / "3" / "4" / "5.png")
    assert open_source(tmp_path / "tiles").kind == "xyz"
    assert isinstance(open_source(_table(tmp_path)), TableSource)


def _table(folder: Path) -> Path:
    (folder / "one.csv").write_text("file,lat,lon\na.jpg,1,2\n")
    return folder / "one.csv"
