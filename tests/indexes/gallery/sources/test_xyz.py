import io

import numpy as np
import pytest
from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources.source import Item, Skipped
from geosleuth.indexes.gallery.sources.xyz import open_xyz


def picture(colour=(10, 200, 30), side=64, kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, kind)
    return buffer.getvalue()


def put(root, uri, content=None):
    path = root / uri
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture() if content is None else content)


def test_the_highest_zoom_by_column_and_row(tmp_path):
    for uri in ("0/0/0.png", "1/1/0.png", "1/1/1.jpg", "1/0/0.webp"):
        put(tmp_path, uri)
    source = open_xyz(tmp_path)
    items = list(source.items())
    assert [item.uri for item in items] == ["1/0/0.webp", "1/1/0.png", "1/1/1.jpg"]
    assert (items[1].lat, items[1].lon) == pytest.approx((66.51326044, 90.0), abs=1e-8)  # atan(sinh(pi / 2))
    assert items[1].view == "satellite"
    assert source.kind == "xyz"
    assert source.root == str(tmp_path)


def test_rows_and_columns_are_sorted_as_numbers(tmp_path):
    for x in (9, 10):
        for y in (2, 11):
            put(tmp_path, f"4/{x}/{y}.png")
    assert [item.uri for item in open_xyz(tmp_path).items()] == ["4/9/2.png", "4/9/11.png", "4/10/2.png", "4/10/11.png"]


def test_another_zoom_and_view(tmp_path):
    put(tmp_path, "0/0/0.png")
    put(tmp_path, "1/1/0.png")
    (item,) = open_xyz(tmp_path, view="map", zoom=0).items()
    assert item == Item("0/0/0.png", 0.0, 0.0, "map", extent_m=pytest.approx(40_075_016.69, abs=0.01))


def test_a_tile_is_read(tmp_path):
    put(tmp_path, "1/1/0.png", picture((10, 200, 30)))
    photo = open_xyz(tmp_path).read("1/1/0.png")
    assert photo.size == (64, 64)
    assert photo.pixels[5, 5].tolist() == [10, 200, 30]


def test_odd_names_are_told_and_others_files_are_not(tmp_path):
    for uri in ("1/1/0.png", "1/1/00.png", "1/1/7.png", "1/9/0.png"):
        put(tmp_path, uri)
    put(tmp_path, "1/1/0.png.aux.xml", b"<PAMDataset/>")
    put(tmp_path, "1/metadata.json", b"{}")
    listed = {row.uri: type(row) for row in open_xyz(tmp_path).items()}
    assert listed == {"1/1/0.png": Item, "1/1/00.png": Skipped, "1/1/7.png": Skipped, "1/9/0.png": Skipped}


@pytest.mark.parametrize("uri", ["../secret.png", "1/1/../../../secret.png", "1/1/0.txt", "/etc/passwd", "1/1/0"])
def test_paths_that_are_no_tiles_are_refused(tmp_path, uri):
    put(tmp_path, "1/1/0.png")
    with pytest.raises(InputError, match="a tile's path"):
        open_xyz(tmp_path).read(uri)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    put(tmp_path, "tiles/1/1/0.png")
    put(tmp_path, "secret.png")
    (tmp_path / "tiles/1/1/1.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError, match="a link that leads out of it"):
        open_xyz(tmp_path / "tiles").read("1/1/1.png")


def test_a_damaged_tile_is_refused(tmp_path):
    put(tmp_path, "1/1/0.png", picture()[:20])
    with pytest.raises(InputError, match=r"1/1/0\.png"):
        open_xyz(tmp_path).read("1/1/0.png")


def test_a_bomb_of_a_tile_is_refused_by_its_header(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((5000, 5000), np.uint8)).save(buffer, "PNG")  # 25 kB for 25 megapixels
    put(tmp_path, "1/1/0.png", buffer.getvalue())
    with pytest.raises(InputError, match="found 5000 x 5000 pixels"):
        open_xyz(tmp_path).read("1/1/0.png")


def test_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_xyz(tmp_path / "none")


def test_a_folder_without_tiles(tmp_path):
    put(tmp_path, "2019/05/holiday.jpg")
    with pytest.raises(InputError, match=r"ZOOM/X/Y\.png or \.jpg or \.webp; found none in"):
        open_xyz(tmp_path)


def test_a_zoom_that_is_not_there(tmp_path):
    put(tmp_path, "3/1/1.png")
    with pytest.raises(InputError, match="Wanted tiles of zoom 5; found zooms 3 in"):
        open_xyz(tmp_path, zoom=5)


def test_vector_tiles(tmp_path):
    put(tmp_path, "3/1/1.pbf", b"\x1a\x00")
    with pytest.raises(InputError, match=r"vector tiles, which are no pictures.*Render them"):
        open_xyz(tmp_path)


def test_a_description_of_tms_is_believed(tmp_path):
    put(tmp_path, "3/1/1.png")
    put(tmp_path, "tilemapresource.xml", b"<TileMap/>")
    with pytest.raises(InputError, match=r"rows from the north; found TMS tiles"):
        open_xyz(tmp_path)
