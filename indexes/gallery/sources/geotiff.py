"""A GeoTIFF, cut into square windows on its own grid: an orthophoto from a satellite or a drone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.raster_pixels import check_blocks, window_pixels
from geosleuth.indexes.gallery.sources.source import Item, Skipped
from geosleuth.indexes.geodesy import LatLon, geodesic_km, wrap_lon
from geosleuth.indexes.photo import Photo, open_photo

if TYPE_CHECKING:
    from geosleuth.indexes.geodesy import Floats

_WANTED = "a GeoTIFF"
TILE_PX = 384  # what GLEAM-C's ConvNeXt sees, and enough for the smaller inputs of the others
# The header can promise any size in a few bytes. A million windows of 384 pixels are 384,000 x 384,000 pixels.
_MOST_WINDOWS = 10_000_000
_URI = re.compile(r"([0-9]{1,9}),([0-9]{1,9}),([0-9]{1,5})x([0-9]{1,5})")
# The middle of a window, then of its west, east, north and south sides, in parts of its width and height.
_POINTS = np.array([[0.5, 0.5], [0.0, 0.5], [1.0, 0.5], [0.5, 0.0], [0.5, 1.0]])


@dataclass(frozen=True)
class GeoTiffSource:
    """Windows of a raster. It is opened per call, so that threads and processes may share this."""

    root: str  # the file itself
    view: View = "satellite"
    tile_px: int = TILE_PX
    overlap: float = 0.0  # share of a window's side that the next one repeats
    licence: str | None = None
    kind: str = "geotiff"

    def items(self) -> Iterator[Item | Skipped]:
        """List the windows by row and column. Those at the right and lower edge are moved inwards, so all are full.

        Windows of nothing but nodata are listed too: to know them, every pixel must be read, so `read` refuses them.
        """
        with _open(self.root) as raster:
            width, height = min(self.tile_px, raster.width), min(self.tile_px, raster.height)
            columns = np.array(_starts(raster.width, width, self.overlap))
            for row in _starts(raster.height, height, self.overlap):
                lats, lons = _positions(raster, columns, row, width, height)
                for column, lat, lon in zip(columns.tolist(), lats, lons, strict=True):
                    uri = f"{column},{row},{width}x{height}"
                    if not np.isfinite([lat, lon]).all() or np.abs(lat).max() > 90.0:
                        yield Skipped(uri, "its position is outside what the file's map projection covers")
                        continue
                    extent_m = _extent_m(lat, lon)
                    yield Item(uri, lat[0], lon[0], view=self.view, extent_m=extent_m, licence=self.licence)

    def read(self, uri: str) -> Photo:
        """Decode one window; nodata becomes white, as transparent parts of a photo do.

        Raises:
            InputError: The file is gone or damaged, the window is outside of it, or holds nodata only.
        """
        match = _URI.fullmatch(uri)
        if match is None:
            raise InputError("a window COLUMN,ROW,WIDTHxHEIGHT", repr(uri), "Build the index again.")
        column, row, width, height = (int(number) for number in match.groups())
        with _open(self.root) as raster:
            if column + width > raster.width or row + height > raster.height or not width * height:
                found = f"{raster.width} x {raster.height} pixels: {self.root}"
                raise InputError(f"a raster that holds the window {uri}", found, "Build the index again.")
            pixels = window_pixels(raster, column, row, width, height)
        if pixels is None:
            raise InputError("a window with a picture", f"nodata only: {uri}", "Nothing is to be done; it is left out.")
        return open_photo(pixels, name=uri)


def open_geotiff(
    path: Path | str, *, view: View = "satellite", tile_px: int = TILE_PX, overlap: float = 0.0
) -> GeoTiffSource:
    """Open a GeoTIFF in any coordinate reference system, north up or not.

    Args:
        path: The file.
        view: What its windows are: satellite, drone or map.
        tile_px: Side of a window in pixels of the raster.
        overlap: Share of a side, from 0 to 0.9, that neighbouring windows have in common.

    Raises:
        InputError: No GeoTIFF, damaged, without a position on the Earth, not a picture, or rasterio is missing.
    """
    if not 16 <= tile_px <= 4096:  # below, encoders see a blur; above, photos are reduced
        raise InputError("a tile of 16 to 4096 pixels", str(tile_px), f"Use {TILE_PX} for most purposes.")
    if not 0.0 <= overlap <= 0.9:
        raise InputError("an overlap from 0 to 0.9", str(overlap), "Use 0.5 where a place must not fall on an edge.")
    file = str(Path(path).absolute())
    with _open(file) as raster:
        if raster.crs is None or raster.transform.is_identity:
            raise _nowhere(raster, file)
        check_blocks(raster, file)
        step = max(1.0, tile_px * (1.0 - overlap))
        if raster.width / step * raster.height / step > _MOST_WINDOWS:
            found = f"{raster.width} x {raster.height} pixels: {file}"
            raise InputError(f"at most {_MOST_WINDOWS:,} windows", found, "Use larger tiles or less overlap.")
        _, lons = _positions(raster, np.array([0]), 0, raster.width, raster.height)
        if not np.isfinite(lons).any():
            raise _nowhere(raster, file)
        licence = str(raster.tags().get("TIFFTAG_COPYRIGHT", "")).strip()[:200] or None
    return GeoTiffSource(file, view, tile_px, overlap, licence)


@contextmanager
def _open(path: str) -> Iterator[Any]:
    """Open with the GeoTIFF driver alone: others, VRT among them, read addresses that a file names."""
    try:
        import rasterio
        from rasterio.errors import RasterioError
    except ImportError as error:
        remedy = "Install it with `pip install 'geosleuth[index]'`."
        raise InputError("rasterio, which reads GeoTIFF", "that it is not installed", remedy) from error
    if not Path(path).is_file():
        found = f"a folder: {path}" if Path(path).is_dir() else f"no such file: {path}"
        raise InputError(_WANTED, found, "Check the path.")
    try:
        with rasterio.Env(GDAL_NUM_THREADS="1"), rasterio.open(path, driver="GTiff") as raster:
            yield raster
    except RasterioError as error:
        found = f"a file that cannot be decoded ({error}): {path}"
        raise InputError(_WANTED, found, "Copy or export it again; it is damaged or of another kind.") from error


def _nowhere(raster: Any, path: str) -> InputError:
    """The error for a raster that does not say where on the Earth it lies."""
    wanted = "a GeoTIFF that says where it lies"
    if raster.gcps[0]:
        return InputError(wanted, f"ground control points only: {path}", "Rectify it with `gdalwarp`.")
    if raster.crs is None:
        remedy = "Assign its own, for example `gdal_edit.py -a_srs EPSG:32633 FILE`."
        return InputError(wanted, f"no coordinate reference system: {path}", remedy)
    if raster.transform.is_identity:
        remedy = "Bring its world file, or assign its corners: `gdal_edit.py -a_ullr`."
        return InputError(wanted, f"a reference system and no position in it: {path}", remedy)
    found = f"a local reference system or one of another body: {path}"
    return InputError(wanted, found, "Warp it with `gdalwarp -t_srs EPSG:4326`.")


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Where windows of `side` begin along an axis, the last one moved back to end at the edge."""
    step = max(1, round(side * (1.0 - overlap)))
    starts = list(range(0, length - side + 1, step))
    return starts if starts[-1] + side == length else [*starts, length - side]


def _positions(raster: Any, columns: Any, row: int, width: int, height: int) -> tuple[Floats, Floats]:
    """(lats, lons) of the `_POINTS` of windows in one row, each of shape (n, 5); not finite where there are none."""
    across = columns[:, None] + _POINTS[None, :, 0] * width
    down = np.broadcast_to(row + _POINTS[None, :, 1] * height, across.shape)
    grid = raster.transform
    xs, ys = grid.a * across + grid.b * down + grid.c, grid.d * across + grid.e * down + grid.f
    to_earth = _transformer(raster.crs.to_wkt())
    if to_earth is None:
        return np.full(xs.shape, np.nan), np.full(xs.shape, np.nan)
    lons, lats = (np.asarray(values, dtype=np.float64) for values in to_earth.transform(xs, ys))  # inf where undefined
    finite = np.isfinite(lons) & np.isfinite(lats)
    return np.where(finite, lats, np.nan), np.where(finite, wrap_lon(np.where(finite, lons, 0.0)), np.nan)


@lru_cache(maxsize=64)
def _transformer(wkt: str) -> Any:
    """From a reference system to (lon, lat) in WGS 84; None where no way leads to the Earth's. A tenth of a second."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        return Transformer.from_crs(wkt, "EPSG:4326", always_xy=True)
    except ProjError:
        return None


def _extent_m(lats: Floats, lons: Floats) -> float:
    """Side on the ground of a square as large as the window."""
    west, east, north, south = (LatLon(float(lats[i]), float(lons[i])) for i in (1, 2, 3, 4))
    return 1000.0 * float(np.sqrt(geodesic_km(west, east) * geodesic_km(north, south)))
