"""From the bands of a raster to 8-bit RGB, by one rule for the whole raster: its windows must look alike."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo_file import MAX_MEGAPIXELS
from geosleuth.indexes.pixels import Pixels

_SAMPLE_SIDE_PX = 256
_SAMPLES_PER_AXIS = 4  # 16 windows of 256 pixels: a megapixel, whatever the raster
_PERCENTILES = (0.5, 99.5)  # specular roofs and clouds' edges are outliers
_QUARTER_RANGE = 65535 // 4  # 16-bit files of 14 bits and fewer hold sensor counts that would come out near black


def check_blocks(raster: Any, path: str) -> None:
    """Refuse what cannot be shown, and blocks that would have to be unpacked whole for one window.

    Raises:
        InputError: Complex numbers, or blocks of more than `MAX_MEGAPIXELS`.
    """
    if raster.count < 1 or any(np.dtype(kind).kind not in "uif" for kind in raster.dtypes):
        raise InputError("a raster of real numbers", f"{', '.join(raster.dtypes)}: {path}", "Export a picture of it.")
    rows, columns = max(raster.block_shapes, key=math.prod)
    if rows * columns > MAX_MEGAPIXELS * 1_000_000:
        remedy = "Tile it with `gdal_translate -co TILED=YES IN OUT`."
        raise InputError(f"blocks of at most {MAX_MEGAPIXELS} megapixels", f"{columns} x {rows}: {path}", remedy)


def window_pixels(raster: Any, column: int, row: int, width: int, height: int) -> Pixels | None:
    """Read a window as uint8 RGB of shape (height, width, 3), nodata white; None where all is nodata."""
    from rasterio.windows import Window

    window = Window(column, row, width, height)
    valid = raster.dataset_mask(window=window) > 0
    if not valid.any():
        return None
    bands, palette = _shown_bands(raster)
    values = raster.read(bands, window=window)
    if palette is not None:
        rgb = palette[np.clip(values[0], 0, len(palette) - 1)]
    else:
        rgb = np.moveaxis(_eight_bit(raster, bands, values), 0, -1)
        rgb = np.repeat(rgb, 3, axis=2) if rgb.shape[2] == 1 else rgb
    return np.ascontiguousarray(np.where(valid[:, :, None], rgb, np.uint8(255)))


def _shown_bands(raster: Any) -> tuple[list[int], Pixels | None]:
    """The bands of red, green and blue, or the one of grey; and the palette, shape (n, 3), if that is one of indexes.

    Bands that do not say what they are count as red, green, blue from the first, as viewers have it.
    """
    from rasterio.enums import ColorInterp

    meanings = list(raster.colorinterp)
    if ColorInterp.palette in meanings:
        band = meanings.index(ColorInterp.palette) + 1
        colours = raster.colormap(band)
        palette = np.zeros((max(colours) + 1, 3), dtype=np.uint8)
        palette[list(colours)] = [colour[:3] for colour in colours.values()]
        return [band], palette
    named = [meanings.index(m) + 1 for m in (ColorInterp.red, ColorInterp.green, ColorInterp.blue) if m in meanings]
    if len(named) == 3:
        return named, None
    colours = [i + 1 for i, meaning in enumerate(meanings) if meaning != ColorInterp.alpha]
    return (colours[:3] if len(colours) >= 3 else colours[:1] or [1]), None


def _eight_bit(raster: Any, bands: list[int], values: NDArray[Any]) -> Pixels:
    """Scale the values of any type to 0..255 as indexes/pixels.py does, but by the range of the whole raster."""
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    low, high = _range(raster.name, Path(raster.name).stat().st_mtime_ns, tuple(bands))
    finite = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
    scaled = np.clip((finite - low) * (255.0 / (high - low)), 0.0, 255.0)
    return np.asarray(np.rint(scaled), dtype=np.uint8)


@lru_cache(maxsize=64)
def _range(path: str, changed_ns: int, bands: tuple[int, ...]) -> tuple[float, float]:  # noqa: ARG001  part of the key
    """The values that become black and white, from windows spread over the raster; the same whenever it is asked."""
    import rasterio

    with rasterio.open(path, driver="GTiff") as raster:  # one of its own: the caller's is in the middle of reading
        dtype, sample = np.dtype(raster.dtypes[bands[0] - 1]), _sample(raster, bands)
    if not len(sample):
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(sample, _PERCENTILES))
    if dtype.kind == "f" and sample.min() >= 0.0 and sample.max() <= 1.0:
        return 0.0, 1.0
    if dtype == np.uint16 and high >= _QUARTER_RANGE:
        return 0.0, 65535.0
    if dtype.kind == "u":
        return 0.0, max(high, 1.0)
    return low, high if high > low else low + 1.0


def _sample(raster: Any, bands: tuple[int, ...]) -> NDArray[np.float64]:
    """The valid values of some windows, shape (n,)."""
    from rasterio.windows import Window

    width, height = min(_SAMPLE_SIDE_PX, raster.width), min(_SAMPLE_SIDE_PX, raster.height)
    taken = []
    for row in np.unique(np.linspace(0, raster.height - height, _SAMPLES_PER_AXIS).astype(int)):
        for column in np.unique(np.linspace(0, raster.width - width, _SAMPLES_PER_AXIS).astype(int)):
            window = Window(int(column), int(row), width, height)
            valid = raster.dataset_mask(window=window) > 0
            values = raster.read(list(bands), window=window)[:, valid].astype(np.float64)
            taken.append(values[np.isfinite(values)])
    return np.concatenate(taken)
