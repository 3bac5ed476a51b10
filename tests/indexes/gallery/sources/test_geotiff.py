import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.sources.geotiff import open_geotiff
from geosleuth.indexes.gallery.sources.source import Skipped

rasterio = pytest.importorskip("rasterio")
from affine import Affine  # noqa: E402  (rasterio brings it)
from rasterio.enums import ColorInterp  # noqa: E402
from rasterio.warp import transform  # noqa: E402

# 0.5 m pixels near Berlin, in UTM zone 33 N: the upper left corner at 390,000 E, 5,820,000 N.
UTM = {"crs": "EPSG:32633", "transform": Affine(0.5, 0, 390_000, 0, -0.5, 5_820_000)}


def write(path, bands, *, colours=None, colormap=None, tags=None, **profile):
    bands = np.asarray(bands)
    bands = bands[None] if bands.ndim == 2 else bands
    count, height, width = bands.shape
    shape = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as raster:
        raster.write(bands)
        if colours:
            raster.colorinterp = colours
        if colormap:
            raster.write_colormap(1, colormap)
        raster.update_tags(**(tags or {}))
    return path


def noise(count=3, height=800, width=1000, dtype=np.uint8, top=255):
    return np.random.default_rng(3).integers(1, top, (count, height, width)).astype(dtype)


def test_the_middle_of_a_window_is_where_gdal_says(tmp_path):
    source = open_geotiff(write(tmp_path / "a.tif", noise(), **UTM), tile_px=400)
    items = list(source.items())
    assert [item.uri for item in items] == [
        "0,0,400x400",
        "400,0,400x400",
        "600,0,400x400",  # moved inwards: 1000 is no multiple of 400
        "0,400,400x400",
        "400,400,400x400",
        "600,400,400x400",
    ]
    # Of the second, columns 400 to 800 and rows 0 to 400: 300 m east and 100 m south of the corner.
    lon, lat = (values[0] for values in transform("EPSG:32633", "EPSG:4326", [390_300], [5_819_900]))
    assert (items[1].lat, items[1].lon) == (pytest.approx(lat, abs=1e-9), pytest.approx(lon, abs=1e-9))
    assert items[1].view == "satellite"
    assert items[1].extent_m == pytest.approx(200.0, rel=1e-3)  # UTM stretches by at most 1 in 1000 inside its zone


def test_the_origin_of_a_utm_zone(tmp_path):
    # Zone 33 is measured from 15 E and the equator, where x is 500,000 m; its scale there is 0.9996.
    grid = {"crs": "EPSG:32633", "transform": Affine(10, 0, 500_000 - 500, 0, -10, 500)}
    (item,) = open_geotiff(write(tmp_path / "a.tif", noise(3, 100, 100), **grid)).items()
    assert (item.lat, item.lon) == (pytest.approx(0.0, abs=1e-9), pytest.approx(15.0, abs=1e-9))
    assert item.extent_m == pytest.approx(1000 / 0.9996, rel=1e-6)


def test_a_raster_in_degrees(tmp_path):
    # 0.001 degrees a pixel at 60 N: a window of 100 is 0.1 degrees, 5.58 km wide and 11.14 km high there.
    grid = {"crs": "EPSG:4326", "transform": Affine(0.001, 0, 20, 0, -0.001, 60.05)}
    (item,) = open_geotiff(write(tmp_path / "a.tif", noise(3, 100, 100), **grid), view="drone").items()
    assert (item.lat, item.lon, item.view) == (pytest.approx(60.0), pytest.approx(20.05), "drone")
    assert item.extent_m == pytest.approx((5580 * 11142) ** 0.5, rel=2e-3)


def test_a_rotated_raster(tmp_path):
    # Turned by 90 degrees: columns run south, rows run west. 100 columns and 200 rows of 1 m from (390000, 5820000).
    grid = {"crs": "EPSG:32633", "transform": Affine(0, -1, 390_000, -1, 0, 5_820_000)}
    (item,) = open_geotiff(write(tmp_path / "a.tif", noise(3, 200, 100), **grid), tile_px=200).items()
    lon, lat = (values[0] for values in transform("EPSG:32633", "EPSG:4326", [390_000 - 100], [5_820_000 - 50]))
    assert (item.lat, item.lon) == (pytest.approx(lat, abs=1e-9), pytest.approx(lon, abs=1e-9))
    assert item.uri == "0,0,100x200"
    assert item.extent_m == pytest.approx((100 * 200) ** 0.5, rel=1e-3)


def test_overlapping_windows(tmp_path):
    source = open_geotiff(write(tmp_path / "a.tif", noise(3, 100, 200), **UTM), tile_px=100, overlap=0.5)
    assert [item.uri for item in source.items()] == ["0,0,100x100", "50,0,100x100", "100,0,100x100"]


def test_a_raster_across_the_date_line(tmp_path):
    grid = {"crs": "EPSG:32601", "transform": Affine(100, 0, 166_000, 0, -100, 100_000)}  # zone 1 begins at 180 W
    lons = [item.lon for item in open_geotiff(write(tmp_path / "a.tif", noise(3, 64, 64), **grid)).items()]
    assert -180.0 <= lons[0] < -179.9


def test_windows_outside_the_projection_are_told(tmp_path):
    # The globe seen from space: a disc of 6378 km radius in a square of 16,000 km, cut into 10 x 10 windows.
    grid = {"crs": "+proj=ortho +lat_0=0 +lon_0=0", "transform": Affine(1e5, 0, -8e6, 0, -1e5, 8e6)}
    source = open_geotiff(write(tmp_path / "a.tif", noise(3, 160, 160), **grid), tile_px=16)
    rows = {row.uri: row for row in source.items()}
    assert isinstance(rows["0,0,16x16"], Skipped)
    middle = rows["80,80,16x16"]  # its middle is 800 km east and south of the point below: asin(800 / 6378) = 7.2
    assert (middle.lat, middle.lon) == (pytest.approx(-7.2, abs=0.1), pytest.approx(7.2, abs=0.1))


def test_pixels_are_those_of_the_window(tmp_path):
    bands = noise()
    photo = open_geotiff(write(tmp_path / "a.tif", bands, **UTM)).read("600,400,400x400")
    assert np.array_equal(photo.pixels, np.moveaxis(bands[:, 400:800, 600:1000], 0, -1))


def test_bands_are_ordered_by_what_they_say(tmp_path):
    bands = noise(4, 64, 64)
    colours = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.alpha]
    bands[3] = 255
    photo = open_geotiff(write(tmp_path / "a.tif", bands, colours=colours, **UTM)).read("0,0,64x64")
    assert np.array_equal(photo.pixels, np.stack([bands[2], bands[1], bands[0]], axis=-1))


def test_one_band_is_grey(tmp_path):
    bands = noise(1, 64, 64)
    photo = open_geotiff(write(tmp_path / "a.tif", bands, **UTM)).read("0,0,64x64")
    assert np.array_equal(photo.pixels, np.repeat(bands[0][:, :, None], 3, axis=2))


def test_a_palette_is_applied(tmp_path):
    bands = np.zeros((1, 64, 64), np.uint8)
    bands[0, :, 32:] = 7
    colormap = {0: (1, 2, 3, 255), 7: (200, 100, 50, 255)}
    photo = open_geotiff(write(tmp_path / "a.tif", bands, colormap=colormap, **UTM)).read("0,0,64x64")
    assert (photo.pixels[0, 0].tolist(), photo.pixels[0, 63].tolist()) == ([1, 2, 3], [200, 100, 50])


def test_sixteen_bits_of_the_full_range(tmp_path):
    bands = np.full((3, 64, 64), 65535, np.uint16)
    bands[:, :, 32:] = 25700  # / 257 = 100
    photo = open_geotiff(write(tmp_path / "a.tif", bands, **UTM)).read("0,0,64x64")
    assert (photo.pixels[0, 0].tolist(), photo.pixels[0, 63].tolist()) == ([255] * 3, [100] * 3)


def test_sixteen_bits_that_hold_sensor_counts_are_not_black_and_all_windows_share_the_scale(tmp_path):
    bands = np.full((3, 64, 128), 2000, np.uint16)
    bands[:, :, :64] = 1000
    source = open_geotiff(write(tmp_path / "a.tif", bands, **UTM), tile_px=64)
    assert source.read("0,0,64x64").pixels[0, 0].tolist() == [128] * 3  # 1000 / 2000 of 255, rounded to even
    assert source.read("64,0,64x64").pixels[0, 0].tolist() == [255] * 3


def test_floating_point_from_0_to_1(tmp_path):
    bands = np.full((3, 64, 64), 0.2, np.float32)
    bands[0, 0, 0] = 1.0
    photo = open_geotiff(write(tmp_path / "a.tif", bands, **UTM)).read("0,0,64x64")
    assert photo.pixels[5, 5].tolist() == [51] * 3


def test_nodata_is_white_and_a_window_of_nothing_else_is_refused(tmp_path):
    bands = noise(3, 64, 128)
    bands[:, :, :64] = 0
    bands[:, :32, 64:] = 0
    source = open_geotiff(write(tmp_path / "a.tif", bands, nodata=0, **UTM), tile_px=64)
    assert len(list(source.items())) == 2
    with pytest.raises(InputError, match="nodata only: 0,0,64x64"):
        source.read("0,0,64x64")
    pixels = source.read("64,0,64x64").pixels
    assert (pixels[:32] == 255).all()
    assert np.array_equal(pixels[32:], np.moveaxis(bands[:, 32:, 64:], 0, -1))


def test_copyright_becomes_the_licence(tmp_path):
    path = write(tmp_path / "a.tif", noise(3, 64, 64), tags={"TIFFTAG_COPYRIGHT": "City of X, CC BY 4.0"}, **UTM)
    assert next(open_geotiff(path).items()).licence == "City of X, CC BY 4.0"


def test_the_source_travels_to_other_processes(tmp_path):
    opened = open_geotiff(write(tmp_path / "a.tif", noise(3, 64, 64), **UTM))
    source = pickle.loads(pickle.dumps(opened))  # noqa: S301
    assert len(list(source.items())) == 1


def test_threads_may_read_at_once(tmp_path):
    source = open_geotiff(write(tmp_path / "a.tif", noise(dtype=np.uint16, top=4095), **UTM), tile_px=100)
    uris = [item.uri for item in source.items()]
    with ThreadPoolExecutor(4) as pool:
        together = [photo.sha256 for photo in pool.map(source.read, uris)]
    assert together == [source.read(uri).sha256 for uri in uris]
    assert len(set(together)) == len(uris) == 80


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("grid", "found", "remedy"),
    [
        ({"transform": UTM["transform"]}, "no coordinate reference system", "gdal_edit.py -a_srs"),
        ({"crs": "EPSG:32633"}, "a reference system and no position in it", "-a_ullr"),
        ({"crs": 'LOCAL_CS["site",UNIT["metre",1]]', "transform": UTM["transform"]}, "a local reference", "gdalwarp"),
    ],
)
def test_files_that_do_not_say_where_they_lie(tmp_path, grid, found, remedy):
    path = write(tmp_path / "a.tif", noise(3, 64, 64), **grid)
    with pytest.raises(InputError) as caught:
        open_geotiff(path)
    assert caught.value.wanted == "a GeoTIFF that says where it lies"
    assert found in caught.value.found
    assert remedy in caught.value.remedy


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_ground_control_points_have_to_be_applied_first(tmp_path):
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(row, column, 20 + column / 64, 60 - row / 64) for row in (0, 64) for column in (0, 64)]
    path = write(tmp_path / "a.tif", noise(3, 64, 64), gcps=points, crs="EPSG:4326")
    with pytest.raises(InputError, match="ground control points only"):
        open_geotiff(path)


def test_complex_numbers_are_no_picture(tmp_path):
    with pytest.raises(InputError, match="a raster of real numbers; found complex64"):
        open_geotiff(write(tmp_path / "a.tif", np.ones((1, 64, 64), np.complex64), **UTM))


def test_a_damaged_file(tmp_path):
    path = write(tmp_path / "a.tif", noise(), compress="deflate", **UTM)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(InputError, match="a GeoTIFF; found a file that cannot be decoded"):
        [open_geotiff(path).read(item.uri) for item in open_geotiff(path).items()]


def test_damage_anywhere_is_a_refusal_or_a_picture(tmp_path):
    random = np.random.default_rng(7)
    whole = write(tmp_path / "a.tif", noise(3, 128, 128), compress="deflate", **UTM).read_bytes()
    refused = 0
    for number in range(200):
        content = bytearray(whole)
        content[random.integers(400 if number % 2 else len(whole))] = random.integers(256)  # half of them in the header
        path = tmp_path / "b.tif"
        path.write_bytes(content)
        try:
            source = open_geotiff(path)
            for item in source.items():
                assert source.read(item.uri).pixels.shape[2] == 3
        except InputError:
            refused += 1
    assert 10 < refused < 200


def test_other_drivers_are_not_asked(tmp_path):
    path = tmp_path / "a.tif"  # a VRT may name an address in the network
    path.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"><SRS>EPSG:4326</SRS></VRTDataset>')
    with pytest.raises(InputError, match="a file that cannot be decoded"):
        open_geotiff(path)


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="a GeoTIFF; found no such file"):
        open_geotiff(tmp_path / "none.tif")


def test_a_block_that_would_fill_the_memory_is_refused(tmp_path):
    path = tmp_path / "a.tif"  # sparse: 416 bytes that promise 1,074 megapixels in one tile
    shape = {"count": 1, "height": 40_000, "width": 40_000, "dtype": "uint8"}
    options = {"tiled": True, "blockxsize": 32_768, "blockysize": 32_768, "SPARSE_OK": True, "compress": "deflate"}
    rasterio.open(path, "w", driver="GTiff", **shape, **options, **UTM).close()
    with pytest.raises(InputError, match=r"blocks of at most 220 megapixels; found 32768 x 32768.*TILED=YES"):
        open_geotiff(path)


def test_more_windows_than_anyone_means(tmp_path):
    path = tmp_path / "a.tif"
    shape = {"count": 1, "height": 400_000, "width": 400_000, "dtype": "uint8"}
    options = {"tiled": True, "blockxsize": 4096, "blockysize": 4096, "SPARSE_OK": True, "compress": "deflate"}
    rasterio.open(path, "w", driver="GTiff", **shape, **options, **UTM).close()
    with pytest.raises(InputError, match="at most 10,000,000 windows"):
        open_geotiff(path, tile_px=100)


@pytest.mark.parametrize("uri", ["0,0,64x65", "1,0,64x64", "0,0,0x0"])
def test_windows_outside_of_the_raster(tmp_path, uri):
    source = open_geotiff(write(tmp_path / "a.tif", noise(3, 64, 64), **UTM))
    with pytest.raises(InputError, match="a raster that holds the window"):
        source.read(uri)


def test_a_uri_that_is_no_window(tmp_path):
    source = open_geotiff(write(tmp_path / "a.tif", noise(3, 64, 64), **UTM))
    with pytest.raises(InputError, match="a window COLUMN,ROW,WIDTHxHEIGHT"):
        source.read("../a.tif")


@pytest.mark.parametrize("options", [{"tile_px": 8}, {"tile_px": 9999}, {"overlap": 0.95}, {"overlap": -0.1}])
def test_options_out_of_range(tmp_path, options):
    with pytest.raises(InputError, match="Use "):
        open_geotiff(tmp_path / "a.tif", **options)


def test_rasterio_missing(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", noise(3, 64, 64), **UTM)
    monkeypatch.setitem(__import__("sys").modules, "rasterio", None)
    with pytest.raises(InputError, match=r"pip install 'geosleuth\[index\]'"):
        open_geotiff(path)
