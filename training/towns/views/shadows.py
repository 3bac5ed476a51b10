"""The sun of a town's pictures from above, and the shadows that it casts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.training.towns.town import Town

SKYLIGHT = np.array([0.50, 0.54, 0.64], np.float32)  # of the sun's light that the sky gives: shadows are bluish


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands on the day of the picture."""

    azimuth_deg: float
    elevation_deg: float


def sun_of(town: Town) -> Sun:
    """Draw the sun of the picture's date: towards the equator, as at the late morning when satellites pass."""
    rng = np.random.default_rng((town.seed, 3))
    towards = 180.0 if town.origin.lat >= 0.0 else 0.0
    return Sun(float((towards + rng.uniform(-50.0, 50.0)) % 360.0), float(rng.uniform(35.0, 62.0)))


def shadows(town: Town, sun: Sun) -> NDArray[np.bool_]:
    """Tell which cells' tops lie in a shadow.

    The shadow's upper edge falls by tan(elevation) with distance; its maximum over all distances is taken by doubling:
    n steps reach 2^n cells.
    """
    to_sun = np.array([np.sin(np.radians(sun.azimuth_deg)), np.cos(np.radians(sun.azimuth_deg))])  # east, north
    fall_m = float(np.tan(np.radians(sun.elevation_deg))) * town.cell_m  # a cell
    reach = float(town.height_m.max()) / max(fall_m, 1e-6)
    top = town.height_m.copy()
    step = 1.0
    while step <= max(reach, 1.0):
        columns, rows = round(float(to_sun[0] * step)), round(float(-to_sun[1] * step))
        moved = _shifted(top, rows, columns) - np.float32(np.hypot(rows, columns) * fall_m)
        np.maximum(top, moved, out=top)
        step *= 2.0
    return np.asarray(top > town.height_m + 0.05, np.bool_)


def _shifted(layer: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Return what lies `rows` below and `columns` to the right of each cell; 0 beyond the edge."""
    moved = np.zeros_like(layer)
    height, width = layer.shape
    to_rows = slice(max(-rows, 0), min(height - rows, height))
    to_columns = slice(max(-columns, 0), min(width - columns, width))
    from_rows = slice(to_rows.start + rows, to_rows.stop + rows)
    from_columns = slice(to_columns.start + columns, to_columns.stop + columns)
    moved[to_rows, to_columns] = layer[from_rows, from_columns]
    return moved
