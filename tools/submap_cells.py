"""Submaps of the gallery's own making: K-means cells of its positions, chosen by the belief or by a point.

The paper takes the cells nearest to the place that the vision-language model names; a belief takes the fewest cells
that hold a share of it. Belief where the gallery has no reference is left out of that share: it cannot be retrieved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, LatLon, from_unit_vectors, unit_vectors
from geosleuth.tools.sphere_cells import K, Labels, assign, fit_centres
from geosleuth.tools.submap import Submap, check_countries, check_share, whole_world
from geosleuth.tools.voronoi import voronoi_cell

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_SIDES_DEGREES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # sides of the squares that stand for ground
_MOST_SQUARES = 50_000  # asked of the belief for each photo: 65 ms
_KM_PER_DEGREE = 111.195
NEAREST = 3  # cells around a point: its own, and those next to it, since a point near a border says as much for them

LogDensity = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class GalleryCells:
    """The cells of one gallery, fitted once and kept: k centres, and the squares of ground where it has references."""

    centres: Floats  # (k, 3) unit vectors
    counts: NDArray[np.int64]  # (k,) references, of those that were given
    lats: Floats  # (m,) one reference of each square of ground
    lons: Floats
    area_km2: Floats  # (m,) of the squares
    owner: Labels  # (m,) the cell that each lies in

    def __len__(self) -> int:
        return len(self.centres)

    @cached_property
    def countries(self) -> NDArray[np.object_]:
        """(m,) ISO 3166-1 codes of the squares, None at sea."""
        from geosleuth.indexes.regions import countries_at

        return countries_at(self.lats, self.lons)


def fit_cells(lats: Floats, lons: Floats, k: int = K, seed: int = 0) -> GalleryCells:
    """Group a gallery's positions into at most k cells by K-means on unit vectors; one second for a million.

    Raises:
        InputError: There are no positions, or k is not positive.
    """
    if not len(lats) or k < 1:
        found = "a gallery without references" if not len(lats) else f"k = {k}"
        raise InputError("positions to group into cells", found, "Add references, and ask for one cell or more.")
    positions = unit_vectors(lats, lons)
    centres = fit_centres(positions, k, seed)
    owner = assign(positions, centres)
    square, area_km2 = _squares(np.asarray(lats), np.asarray(lons))
    counts = np.bincount(owner, minlength=len(centres))
    return GalleryCells(centres, counts, lats[square], lons[square], area_km2, owner[square])


def _squares(lats: Floats, lons: Floats) -> tuple[Labels, Floats]:
    """Pick one reference of each square of ground that has any, in squares as small as their number allows."""
    for side in _SIDES_DEGREES:
        row, column = np.floor((lats + 90.0) / side), np.floor((lons + 180.0) / side)
        _, first = np.unique((row * 1e6 + column).astype(np.int64), return_index=True)
        if len(first) <= _MOST_SQUARES:
            break
    height = side * _KM_PER_DEGREE
    return first, np.asarray(height**2 * np.maximum(np.cos(np.radians(lats[first])), 1e-3))


def select_cells(
    cells: GalleryCells,
    *,
    share: float = 0.95,
    log_density: LogDensity | None = None,
    country_probabilities: Mapping[str, float] | None = None,
    peak: LatLon | None = None,
) -> Submap:
    """Choose the fewest cells that together hold `share` of the belief over the gallery's ground.

    Args:
        cells: The gallery's.
        share: Of the belief's mass on ground where the gallery has references.
        log_density: (lats, lons) -> ln of the probability per km2. It goes before `country_probabilities`, which are
            spread evenly over the ground that the gallery has in each country.
        country_probabilities: By ISO 3166-1 code.
        peak: The belief's point; its cell is always chosen, since a peak of some metres may fall between the
            references at which the belief is asked.

    Raises:
        InputError: A share, a country or a probability that is none.
    """
    check_share(share)
    if log_density is not None:
        mass = np.exp(np.maximum(log_density(cells.lats, cells.lons), -700.0)) * cells.area_km2  # -inf: off the grid
    elif country_probabilities:
        check_countries(country_probabilities)
        mass = _spread(cells, country_probabilities)
    else:
        return whole_world("there is no belief yet")
    of_cell = np.bincount(cells.owner, weights=mass, minlength=len(cells))
    if of_cell.sum() < 1e-9:  # a billionth: the floor of the belief, not an opinion about this ground
        return whole_world("the gallery has no reference where the belief is")
    of_cell = of_cell / of_cell.sum()
    order = np.argsort(-of_cell, kind="stable")
    held = np.cumsum(of_cell[order])
    chosen = order[: int(np.searchsorted(held, share - 1e-9)) + 1].tolist()
    if peak is not None and (own := _cell_of(cells, peak)) not in chosen:
        chosen.insert(0, own)
    if len(chosen) == len(cells):
        return whole_world(f"it takes all {len(cells)} cells to hold {share:.0%} of the belief")
    return _submap(cells, chosen, of_cell)


def nearest_cells(cells: GalleryCells, point: LatLon, count: int = NEAREST) -> Submap:
    """Choose the cells whose middles are nearest to a point: the paper's way, for a prior that is a position.

    The first is the cell that holds the point. The belief that they hold is not known, and given as 1.
    """
    order = np.argsort(-(cells.centres @ unit_vectors(point.lat, point.lon)), kind="stable")[: max(count, 1)].tolist()
    if len(order) == len(cells):
        return whole_world(f"the gallery has no more than {len(cells)} cells")
    return _submap(cells, order, np.full(len(cells), 1.0 / len(order)))


def _spread(cells: GalleryCells, country_probabilities: Mapping[str, float]) -> Floats:
    codes, of = np.unique(np.array([code or "" for code in cells.countries]), return_inverse=True)
    ground = np.bincount(of, weights=cells.area_km2)
    per_km2 = np.array([country_probabilities.get(str(code), 0.0) for code in codes]) / ground
    return np.asarray(per_km2[of] * cells.area_km2)


def _cell_of(cells: GalleryCells, point: LatLon) -> int:
    return int(assign(unit_vectors([point.lat], [point.lon]), cells.centres)[0])


def _submap(cells: GalleryCells, chosen: list[int], of_cell: Floats) -> Submap:
    wanted = np.zeros(len(cells), dtype=bool)
    wanted[chosen] = True

    def membership(lats: Floats, lons: Floats) -> NDArray[np.bool_]:
        return np.asarray(wanted[assign(unit_vectors(lats, lons), cells.centres)])

    frame = _frame(cells, chosen, of_cell)
    return Submap((), min(float(of_cell[chosen].sum()), 1.0), 0.0, frame, membership=membership)


def _frame(cells: GalleryCells, chosen: list[int], of_cell: Floats) -> GeoDataFrame:
    import geopandas

    lats, lons = from_unit_vectors(cells.centres[chosen])
    columns = {
        "cell": chosen,
        "name": [f"cell {c} around {lat:.2f}, {lon:.2f}" for c, lat, lon in zip(chosen, lats, lons, strict=True)],
        "probability": of_cell[chosen].tolist(),
        "references": cells.counts[chosen].tolist(),
    }
    shapes = [voronoi_cell(cells.centres, index) for index in chosen]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")
