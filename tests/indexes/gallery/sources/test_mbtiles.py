import io
import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources import mbtiles
from geosleuth.indexes.gallery.sources.mbtiles import open_mbtiles
from geosleuth.indexes.gallery.sources.source import Item, Skipped


def picture(colour=(10, 200, 30), kind="PNG", side=64):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, kind)
    return buffer.getvalue()


def make(path, tiles, metadata=()):
    """Write tiles {(zoom, column, row from the south): bytes}."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE metadata (name text, value text)")
    connection.execute("CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", list(metadata))
    connection.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", [(*key, data) for key, data in tiles.items()])
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def quarters(tmp_path):
    tiles = {
        (0, 0, 0): picture(),
        (1, 1, 1): picture((255, 0, 0)),  # row 1 from the south is the northern one
        (1, 1, 0): picture((0, 0, 255), "JPEG"),
        (1, 0, 1): picture(),
    }
    metadata = [("name", "Ortho 2021"), ("format", "png"), ("attribution", '<a href="x">&copy;  City</a> of X')]
    return make(tmp_path / "quarters.mbtiles", tiles, metadata)


def test_the_highest_zoom_with_rows_flipped(quarters):
    source = open_mbtiles(quarters)
    items = list(source.items())
    assert [item.uri for item in items] == ["1/0/0", "1/1/0", "1/1/1"]
    north_east = items[1]
    assert (north_east.lat, north_east.lon) == pytest.approx((66.51326044, 90.0), abs=1e-8)  # atan(sinh(pi / 2))
    assert north_east.extent_m == pytest.approx(20_037_508.34 * 0.3985368, rel=1e-6)
    assert (north_east.view, north_east.licence) == ("satellite", "Ortho 2021: © City of X")
    assert (source.kind, source.root) == ("mbtiles", str(quarters))


def test_tiles_are_read_from_the_flipped_row(quarters):
    source = open_mbtiles(quarters)
    assert source.read("1/1/0").pixels[3, 3].tolist() == [255, 0, 0]
    assert source.read("1/1/1").format == "JPEG"
    assert source.read("0/0/0").size == (64, 64)  # whatever zoom the source lists: an index names the tile


def test_another_zoom_and_view(quarters):
    (item,) = open_mbtiles(quarters, view="map", zoom=0).items()
    assert (item.uri, item.lat, item.lon, item.view) == ("0/0/0", 0.0, 0.0, "map")


def test_the_source_travels_to_other_processes(quarters):
    source = pickle.loads(pickle.dumps(open_mbtiles(quarters)))  # noqa: S301
    assert len(list(source.items())) == 3


def test_threads_may_read_at_once(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(3, x, y): picture((x, y, 9)) for x in range(8) for y in range(8)})
    source = open_mbtiles(path)
    with ThreadPoolExecutor(4) as pool:
        photos = list(pool.map(source.read, [item.uri for item in source.items()]))
    # by column, and by row from the north: the colours say column and row from the south
    assert [photo.pixels[0, 0].tolist() for photo in photos] == [[x, 7 - y, 9] for x in range(8) for y in range(8)]


def test_tiles_that_the_zoom_does_not_have_are_told(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(1, 0, 0): picture(), (1, 5, 0): picture(), (1, "x", 0): picture()})
    rows = list(open_mbtiles(path).items())
    assert [type(row) for row in rows] == [Item, Skipped, Skipped]
    assert "up to 1" in rows[1].reason


def test_no_metadata_table_is_no_obstacle(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(0, 0, 0): picture()})
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE metadata")
    connection.close()
    (item,) = open_mbtiles(path).items()
    assert item.licence is None


def test_a_name_alone_is_no_licence(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(0, 0, 0): picture()}, [("name", "mine")])
    assert next(open_mbtiles(path).items()).licence is None


@pytest.mark.parametrize(
    ("tiles", "metadata"),
    [({(0, 0, 0): b"\x1f\x8b\x08rest"}, []), ({(0, 0, 0): b"\x1a\x05water"}, []), ({}, [("format", "pbf")])],
)
def test_vector_tiles_are_refused(tmp_path, tiles, metadata):
    path = make(tmp_path / "t.mbtiles", tiles, metadata)
    with pytest.raises(InputError, match=r"vector tiles, which are no pictures.*Render them"):
        open_mbtiles(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="an MBTiles file; found no such file"):
        open_mbtiles(tmp_path / "none.mbtiles")


def test_no_database(tmp_path):
    path = tmp_path / "t.mbtiles"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 20)
    with pytest.raises(InputError, match="file is not a database"):
        open_mbtiles(path)


def test_a_corrupt_database(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(3, x, y): picture((x, y, 9), side=128) for x in range(8) for y in range(8)})
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xff" * (len(content) - 8192)  # all but the first and the last page
    path.write_bytes(content)
    with pytest.raises(InputError, match="a file that SQLite cannot read"):
        list(open_mbtiles(path).items())


def test_a_truncated_database(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(3, x, y): picture((x, y, 9), side=128) for x in range(8) for y in range(8)})
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(InputError, match="a file that SQLite cannot read"):
        list(open_mbtiles(path).items())


def test_damage_anywhere_is_a_refusal_or_a_picture(tmp_path):
    random = np.random.default_rng(7)
    tiles = {(2, x, y): picture((x, y, 9)) for x in range(4) for y in range(4)}
    whole = make(tmp_path / "t.mbtiles", tiles, [("name", "n")]).read_bytes()
    refused = 0
    for number in range(200):
        content = bytearray(whole)
        for position in random.integers(200 if number % 2 else len(whole), size=5):
            content[position] = random.integers(256)
        path = tmp_path / "u.mbtiles"
        path.write_bytes(content)
        try:
            source = open_mbtiles(path)
            for row in source.items():
                assert isinstance(row, Skipped) or source.read(row.uri).pixels.shape[2] == 3
        except InputError:
            refused += 1
    assert 10 < refused < 200


def test_missing_tables(tmp_path):
    path = tmp_path / "t.mbtiles"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (id integer)")
    connection.close()
    with pytest.raises(InputError, match="no such table: tiles"):
        open_mbtiles(path)


def test_no_tiles(tmp_path):
    with pytest.raises(InputError, match="Wanted tiles; found none in"):
        open_mbtiles(make(tmp_path / "t.mbtiles", {}))


def test_a_zoom_that_is_not_there(quarters):
    with pytest.raises(InputError, match="Wanted tiles of zoom 9; found zooms 0, 1 in"):
        open_mbtiles(quarters, zoom=9)


def test_a_view_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(mbtiles, "_PATIENCE_S", 0.2)
    path = tmp_path / "t.mbtiles"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE VIEW tiles AS WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c) "
        "SELECT n % 2 AS zoom_level, n AS tile_column, n AS tile_row, x'00' AS tile_data FROM c"
    )
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="interrupted"):
        open_mbtiles(path)


def test_a_bomb_of_a_tile_is_refused_by_its_header(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((5000, 5000), np.uint8)).save(buffer, "PNG")
    source = open_mbtiles(make(tmp_path / "t.mbtiles", {(0, 0, 0): buffer.getvalue()}))
    with pytest.raises(InputError, match="found 5000 x 5000 pixels"):
        source.read("0/0/0")


def test_a_blob_that_is_too_large_is_not_read(tmp_path):
    path = make(tmp_path / "t.mbtiles", {(0, 0, 0): picture(), (1, 0, 0): b"\x89PNG" + b"\0" * (33 << 20)})
    with pytest.raises(InputError, match="too big"):
        open_mbtiles(path, zoom=0).read("1/0/1")


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", "an empty file"), (None, "something else than bytes"), ("text", "something else than bytes")],
)
def test_tiles_without_a_picture(tmp_path, data, expected):
    source = open_mbtiles(make(tmp_path / "t.mbtiles", {(0, 0, 0): data}))
    with pytest.raises(InputError, match=expected):
        source.read("0/0/0")


@pytest.mark.parametrize("uri", ["0/0/1", "9/0/0"])
def test_a_tile_that_is_not_there(quarters, uri):
    with pytest.raises(InputError, match="no such tile"):
        open_mbtiles(quarters).read(uri)


def test_a_uri_that_is_no_tile(quarters):
    with pytest.raises(InputError, match="a tile ZOOM/X/Y"):
        open_mbtiles(quarters).read("../0/0")
