"""The value of a likelihood in each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.leaves import Leaves
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, unit_vectors
from geosleuth.indexes.grid import Grid
from geosleuth.tools.evidence import NearPoints, OverRegions

_REACH = 5.0  # standard deviations; beyond, a bump is below 4e-6 of its peak
_WIDEST_CELL_KM2 = 20_000.0  # the largest cell of resolution 3
_SMALLEST = 1e-12  # keeps the logarithm finite where negative weights cancel the floor


@dataclass(frozen=True)
class RegionTable:
    """An `OverRegions`, laid out over the grid's codes."""

    by_country: Floats  # ln, (number of country codes,)
    by_division: Floats | None  # ln, NaN where a division follows its country; None where all do

    def on(self, leaves: Leaves) -> Floats:
        """Ln of the likelihood in each cell, (n,)."""
        values = self.by_country[leaves.country]
        if self.by_division is None:
            return values
        own = self.by_division[leaves.division]
        return np.where(np.isnan(own), values, own)


@dataclass(frozen=True)
class Bumps:
    """A `NearPoints`, its places as arrays of shape (k,)."""

    lat: Floats
    vectors: Floats  # (k, 3)
    spread2: Floats  # km2
    weight: Floats  # over the floor

    def on(self, leaves: Leaves) -> Floats:
        """Ln of the likelihood over its floor, averaged over each cell, (n,).

        A cell is taken for a Gaussian of its own second moment (area / 4 pi per axis), so that the average is again a
        Gaussian: a clue sharper than a cell keeps its mass, and the cell is split later.
        """
        total = np.ones(len(leaves))
        if leaves.sorted_by_lat:
            reach = np.degrees(_REACH * np.sqrt(self.spread2 + _WIDEST_CELL_KM2 / (4 * np.pi)) / EARTH_RADIUS_KM)
            first = np.searchsorted(leaves.lat, self.lat - reach)
            last = np.searchsorted(leaves.lat, self.lat + reach)
            for k, (start, stop) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
                total[start:stop] += self._add(slice(k, k + 1), leaves, slice(start, stop))
        else:
            total += self._add(slice(None), leaves, slice(None))
        return np.asarray(np.log(np.maximum(total, _SMALLEST)))

    def _add(self, places: slice, leaves: Leaves, rows: slice) -> Floats:
        """Sum of some places' Gaussians on some rows."""
        difference = leaves.vectors[rows][:, None, :] - self.vectors[places][None]
        # The chord stands for the arc: 0.4 % short at 2,000 km, where any bump is flat.
        distance2 = EARTH_RADIUS_KM**2 * np.einsum("nkd,nkd->nk", difference, difference)
        own2 = self.spread2[places]
        spread2 = own2 + leaves.area_km2[rows, None] / (4 * np.pi)
        bumps = self.weight[places] * (own2 / spread2) * np.exp(-0.5 * np.minimum(distance2 / spread2, 1400.0))
        return np.asarray(bumps.sum(axis=1))


def laid_out(likelihood: OverRegions | NearPoints, grid: Grid) -> RegionTable | Bumps:
    """Prepare a likelihood for cells."""
    if isinstance(likelihood, OverRegions):
        return _table(likelihood, grid)
    columns = np.array([(p.lat, p.lon, p.spread_km, p.weight) for p in likelihood.places]).T
    return Bumps(columns[0], unit_vectors(columns[0], columns[1]), columns[2] ** 2, columns[3] / likelihood.floor)


def _table(likelihood: OverRegions, grid: Grid) -> RegionTable:
    ratios = likelihood.log_ratios
    top = max([likelihood.otherwise, *ratios.values()])

    def bounded(values: Floats) -> Floats:
        return np.asarray(np.log(likelihood.wrong + (1 - likelihood.wrong) * np.exp(values - top)))

    by_country = bounded(np.array([ratios.get(code, likelihood.otherwise) for code in grid.codes]))
    if not any("-" in region for region in ratios):
        return RegionTable(by_country, None)
    of_division: NDArray[np.float64] = np.array([ratios.get(code, np.nan) for code in grid.division_codes])
    return RegionTable(by_country, bounded(of_division))
