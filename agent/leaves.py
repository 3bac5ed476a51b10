"""The cells that a belief lives on: the grid's, split further where mass gathers or a clue is sharp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.cells import Cells, areas_km2, centres, children, parents, resolutions
from geosleuth.indexes.geodesy import Floats, unit_vectors
from geosleuth.indexes.grid import Grid, load_grid


@dataclass(frozen=True)
class Leaves:
    """Cells with their log prior; all arrays have shape (n,), but `vectors` (n, 3)."""

    cells: Cells
    lat: Floats
    lon: Floats
    area_km2: Floats
    country: NDArray[np.int16]
    division: NDArray[np.int16]
    log_prior: Floats  # natural log of the prior probability
    vectors: Floats  # unit vectors of the centres
    sorted_by_lat: bool = False  # lets a sharp clue find its cells by bisection

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def of(cls, grid: Grid) -> Leaves:
        """The grid as it is."""
        with np.errstate(divide="ignore"):
            log_prior = np.log(grid.prior)
        return cls(
            np.array(grid.cells),
            np.array(grid.lat),
            np.array(grid.lon),
            np.array(grid.area_km2),
            np.array(grid.country),
            np.array(grid.division),
            log_prior,
            unit_vectors(grid.lat, grid.lon),
            sorted_by_lat=True,
        )

    @classmethod
    def of_cells(cls, cells: Cells, division: NDArray[np.int16] | None = None) -> Leaves:
        """Cells that the grid lacks: children of its cells, or open ocean, where only a sharp clue can put a photo."""
        grid = load_grid()
        lat, lon = centres(cells)
        area = areas_km2(cells)
        country = _country_of(lat, lon)
        log_prior = np.empty(len(cells))
        level = resolutions(cells)
        for resolution in np.unique(level):
            at = level == resolution
            with np.errstate(divide="ignore"):
                log_prior[at] = np.log(grid.prior_of(cells[at], country[at], area[at]))
        if division is None:
            division = np.full(len(cells), len(grid.division_codes) - 1, dtype=np.int16)
        return cls(cells, lat, lon, area, country, division, log_prior, unit_vectors(lat, lon))

    def split(self, rows: NDArray[np.intp]) -> tuple[Cells, NDArray[np.int16]]:
        """The children of some rows, and their divisions: a child keeps its parent's."""
        parts: list[Cells] = []
        divisions: list[NDArray[np.int16]] = []
        level = resolutions(self.cells[rows])
        for resolution in np.unique(level):
            parent, division = self.cells[rows[level == resolution]], self.division[rows[level == resolution]]
            below = children(parent, int(resolution) + 1)
            order = np.argsort(parent)
            owner = order[np.searchsorted(parent[order], parents(below, int(resolution)))]
            parts.append(below)
            divisions.append(division[owner])
        return np.concatenate(parts), np.concatenate(divisions)

    def strike(self, rows: NDArray[np.intp]) -> None:
        """Take the prior from rows that were split; they stay in the arrays, for copying the rest would cost more."""
        self.log_prior[rows] = -np.inf

    @classmethod
    def join(cls, parts: list[Leaves]) -> Leaves:
        """One after the other; new arrays."""
        arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return cls(**arrays)


_ARRAYS = ("cells", "lat", "lon", "area_km2", "country", "division", "log_prior", "vectors")


def _country_of(lat: Floats, lon: Floats) -> NDArray[np.int16]:
    """Country of positions as the grid's index."""
    from geosleuth.indexes.regions import countries_at

    index = _country_index()
    return np.array([index.get(str(code), len(index)) for code in countries_at(lat, lon)], dtype=np.int16)


@lru_cache(maxsize=1)
def _country_index() -> dict[str, int]:
    return {code: i for i, code in enumerate(load_grid().codes[:-1])}
