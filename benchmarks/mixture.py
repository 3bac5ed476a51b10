"""Galleries for measuring: mixtures of vectors at the places where photos are taken, staged in chunks.

A row is unit(centre + spread * z / sqrt(d)) with z standard normal, so that two rows of one centre have a cosine of
about 1 / (1 + spread^2). Positions are drawn from the prior of where photos are taken, independently of the vectors: a
submap then holds its share of each centre's rows, which is hard on ways that over-fetch.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.cells import cells_at
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.store import Staged
from geosleuth.indexes.gallery.table import save_rows
from geosleuth.indexes.grid import load_grid

CHUNK = 65_536

Vectors = NDArray[np.float32]


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows of length 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def moved(rng: np.random.Generator, vectors: Vectors, by: float) -> Vectors:
    """Move vectors by a length of about `by`, in random directions."""
    noise = rng.standard_normal(vectors.shape, dtype=np.float32)
    return unit(vectors + np.float32(by / vectors.shape[1] ** 0.5) * noise)


def real_centres(folder: Path, dimension: int) -> Vectors:
    """Embeddings of the photos in a folder, turned and cut to a dimension by a random orthogonal map."""
    from geosleuth.indexes.encoders.load import load_encoder
    from geosleuth.indexes.photo import load_photo

    encoder = load_encoder("embedded")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    found = np.concatenate([encoder.encode([encoder.prepare(load_photo(path).pixels)]) for path in paths])
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((found.shape[1], min(dimension, found.shape[1]))))
    return unit(found @ turn)


def draw_places(n: int) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Chunks of (lat, lon, country) from the prior of photos, in the order of an index, so that merging reads on."""
    grid, rng = load_grid(), np.random.default_rng(0)
    cell = rng.choice(len(grid.cells), size=n, p=grid.prior / grid.prior.sum())
    sigma = np.degrees(np.sqrt(grid.area_km2[cell]) / 4 / 6371.0)  # most stay inside their cell
    lat = np.clip(grid.lat[cell] + sigma * rng.standard_normal(n), -89.0, 89.0)
    lon = (grid.lon[cell] + sigma / np.cos(np.radians(lat)) * rng.standard_normal(n) + 180.0) % 360.0 - 180.0
    country = np.array([code or None for code in grid.codes], dtype=object)[grid.country[cell]]
    order = np.argsort(cells_at(lat, lon, 15), kind="stable")
    for start in range(0, n, CHUNK):
        rows = order[start : start + CHUNK]
        yield lat[rows], lon[rows], country[rows]


def stage(folder: Path, n: int, centres: Vectors, spread: float) -> list[Staged]:
    """Write chunks of rows and vectors."""
    staged: list[Staged] = []
    for number, (lat, lon, country) in enumerate(draw_places(n)):
        first = number * CHUNK
        places = zip(lat.tolist(), lon.tolist(), country.tolist(), strict=True)
        rows = [
            Reference(f"{first + i:016x}", f"city/{first + i}.jpg", 0, *place, "ground", code, sha256=f"{i:064x}")
            for i, (*place, code) in enumerate(places)
        ]
        rng = np.random.default_rng(number)
        vectors = moved(rng, centres[rng.integers(len(centres), size=len(rows))], spread)
        names = folder / f"{number}.parquet", folder / f"{number}.npy"
        save_rows(names[0], rows)
        np.save(names[1], vectors)
        staged.append(Staged(*names))
    return staged
