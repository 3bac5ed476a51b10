"""H3 cells as arrays: parents, children, centres, areas.

H3 (https://h3geo.org) names each cell with 64 bits: its resolution in bits 52-55 and one octal digit per
resolution, 7 where unused. Parents and children are bit operations, so whole arrays are done at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats

Cells = NDArray[np.uint64]

_RES_SHIFT = np.uint64(52)
_RES_MASK = np.uint64(0xF << 52)


def _digit_shift(resolution: int) -> int:
    return 3 * (15 - resolution)


def resolutions(cells: Cells) -> NDArray[np.uint8]:
    """The resolution of each cell, 0 to 15."""
    return ((cells & _RES_MASK) >> _RES_SHIFT).astype(np.uint8)


def parents(cells: Cells, resolution: int) -> Cells:
    """The ancestor of each cell at `resolution`, which must not be finer than any of the cells."""
    unused = np.uint64((1 << _digit_shift(resolution)) - 1)  # all digits below are set to 7
    return ((cells & ~_RES_MASK) | np.uint64(resolution << 52)) | unused


def children(cells: Cells, resolution: int) -> Cells:
    """The cells of `resolution` inside each of the cells, shape (n * 7**k,), pentagons' missing ones left out."""
    import h3.api.basic_int as h3

    out = cells
    step = int(resolutions(cells[:1])[0]) if len(cells) else resolution
    while step < resolution:
        step += 1
        shift = np.uint64(_digit_shift(step))
        bare = (out & ~_RES_MASK & ~(np.uint64(7) << shift)) | np.uint64(step << 52)
        out = (bare[:, None] | (np.arange(7, dtype=np.uint64) << shift)).reshape(-1)
    # A pentagon (12 on the Earth) has no child with digit 1; h3 knows which cells are valid.
    if len(out):
        base = parents(cells, 0) if int(resolutions(cells[:1])[0]) else cells
        pentagons = np.array([h3.is_pentagon(int(c)) for c in np.unique(base)])
        if pentagons.any():
            out = out[[h3.is_valid_cell(int(c)) for c in out]]
    return out


def all_cells(resolution: int) -> Cells:
    """Every cell of the Earth at `resolution`."""
    import h3.api.basic_int as h3

    return children(np.array(sorted(h3.get_res0_cells()), dtype=np.uint64), resolution)


def cells_at(lats: Floats, lons: Floats, resolution: int) -> Cells:
    """The cell of `resolution` that holds each position."""
    import h3.api.basic_int as h3

    pairs = zip(np.asarray(lats).tolist(), np.asarray(lons).tolist(), strict=True)
    return np.array([h3.latlng_to_cell(lat, lon, resolution) for lat, lon in pairs], dtype=np.uint64)


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the cells' centres, in degrees."""
    import h3.api.basic_int as h3

    if not len(cells):
        return np.empty(0), np.empty(0)
    pairs = np.array([h3.cell_to_latlng(c) for c in cells.tolist()])
    return pairs[:, 0], pairs[:, 1]


def areas_km2(cells: Cells) -> Floats:
    """The exact area of each cell on the sphere."""
    import h3.api.basic_int as h3

    return np.array([h3.cell_area(c, unit="km^2") for c in cells.tolist()])
