"""Split the belief's cells where mass gathers, or where a clue is sharper than a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.leaves import Leaves
from geosleuth.indexes.cells import Cells, cells_at, parents, resolutions
from geosleuth.indexes.geodesy import Floats, chord_of_km, unit_vectors
from geosleuth.tools.evidence import Evidence, NearPoints

_SPLIT_MASS = 0.002  # cells with more of the belief are split, down to _TOWN
_TOWN = 7  # 5 km2: what a gazetteer or a phone prefix can tell
_AT_SEA = 5  # 250 km2: where a cell of the open ocean starts
SHARPEST = 12  # 300 m2: what a GPS receiver can tell
_SPLITS_PER_ROUND = 48  # bounds the work; the heaviest cells come first
_SHARP_KM = 1.0  # spread below which a clue asks for cells smaller than a town
_SHARP_PLACES = 8  # of one piece of evidence: a sharp clue names few places


@dataclass(frozen=True)
class SharpPlaces:
    """Places of clues that are sharper than a town, arrays of shape (k,)."""

    lat: Floats
    lon: Floats
    spread_km: Floats

    def near(self, leaves: Leaves, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether a place, much sharper than the cell, lies within the reach of each of some cells."""
        if not len(self.lat) or not len(rows):
            return np.zeros(len(rows), dtype=bool)
        chord = np.linalg.norm(leaves.vectors[rows][:, None, :] - unit_vectors(self.lat, self.lon)[None], axis=2)
        radius = np.sqrt(leaves.area_km2[rows] / np.pi)[:, None]
        reached = chord < chord_of_km(3 * self.spread_km + 2 * radius)
        return np.asarray((reached & (radius > self.spread_km / 2)).any(axis=1))

    def holders(self, leaves: Leaves, alive: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Standing cells that hold a place: its mass is diluted in a coarse cell, so that mass cannot tell."""
        rows = set()
        for vector, spread in zip(unit_vectors(self.lat, self.lon), self.spread_km, strict=True):
            chord2 = np.where(alive, ((leaves.vectors - vector) ** 2).sum(axis=1), np.inf)
            nearest = int(np.argmin(chord2))
            radius = np.sqrt(leaves.area_km2[nearest] / np.pi)
            level = int(resolutions(leaves.cells[nearest : nearest + 1])[0])
            if chord2[nearest] < chord_of_km(1.3 * radius) ** 2 and radius > spread / 2 and level < SHARPEST:
                rows.add(nearest)
        return np.array(sorted(rows), dtype=np.intp)

    def off_the_grid(self, base: Leaves) -> Leaves | None:
        """Cells for the places in the open ocean, which the grid lacks."""
        if not len(self.lat):
            return None
        finest = cells_at(self.lat, self.lon, SHARPEST)
        known = np.zeros(len(finest), dtype=bool)
        for resolution in np.unique(resolutions(base.cells)):
            known |= np.isin(parents(finest, int(resolution)), base.cells)
        lost = np.unique(parents(finest[~known], _AT_SEA))
        return Leaves.of_cells(lost) if len(lost) else None


def sharp_places(evidence: Iterable[Evidence]) -> SharpPlaces:
    """The sharp places of all evidence, whatever its order."""
    found = set()
    for piece in evidence:
        if isinstance(piece.likelihood, NearPoints):
            places = [p for p in piece.likelihood.places if p.spread_km < _SHARP_KM and p.weight > 0]
            places.sort(key=lambda p: (-p.weight, p.lat, p.lon))
            found |= {(p.lat, p.lon, p.spread_km) for p in places[:_SHARP_PLACES]}
    columns = np.array(sorted(found)).reshape(-1, 3).T
    return SharpPlaces(columns[0], columns[1], columns[2])


@dataclass(frozen=True)
class _Block:
    """Some leaves, the log-likelihoods on them, and their mass on one common scale: 0 once they are split."""

    leaves: Leaves
    terms: Floats  # (rows of evidence, n)
    mass: Floats  # (n,)

    def too_coarse(self, total: float, sharp: SharpPlaces) -> NDArray[np.intp]:
        """Rows to split, the heaviest first."""
        rows = np.flatnonzero(self.mass > _SPLIT_MASS * total)
        level = resolutions(self.leaves.cells[rows])
        coarse = (level < _TOWN) | (sharp.near(self.leaves, rows) & (level < SHARPEST))
        rows = np.union1d(rows[coarse], sharp.holders(self.leaves, self.mass > 0))
        return np.asarray(rows[np.argsort(-self.mass[rows], kind="stable")])


def refine(
    base: Leaves, terms: Floats, weight: Floats, terms_on: Callable[[Leaves], Floats], sharp: SharpPlaces
) -> tuple[Leaves, Floats]:
    """Split cells on the total until none that matters is coarser than the clues can tell.

    Args:
        base: The grid.
        terms: (rows, n) log-likelihoods on it.
        weight: (rows,) how much each row counts.
        terms_on: Gives the rows on other leaves.
        sharp: Places of sharp clues.

    Returns:
        The leaves, those that were split without prior, and the rows on them.
    """
    if not len(terms):
        return base, terms
    log_mass = base.log_prior + weight @ terms
    top = float(log_mass.max())
    blocks = [_Block(base, terms, np.exp(log_mass - top))]
    new = sharp.off_the_grid(base)
    for _ in range(SHARPEST):
        if new is not None:
            rows = terms_on(new)
            # A sharp clue may be worth e^600 more than anything on the grid; beyond, it is all the same.
            blocks.append(_Block(new, rows, np.exp(np.minimum(new.log_prior + weight @ rows - top, 600.0))))
        new = _split(blocks, sharp)
        if new is None:
            break
    leaves = Leaves.join([one.leaves for one in blocks])
    leaves.strike(np.flatnonzero(np.concatenate([one.mass for one in blocks]) == 0))
    return leaves, np.concatenate([one.terms for one in blocks], axis=1)


def _split(blocks: list[_Block], sharp: SharpPlaces) -> Leaves | None:
    """Split the heaviest of the cells that are too coarse; None where all are fine."""
    total = sum(float(one.mass.sum()) for one in blocks)
    cells: list[Cells] = []
    divisions: list[NDArray[np.int16]] = []
    budget = _SPLITS_PER_ROUND
    for one in blocks:
        rows = one.too_coarse(total, sharp)[:budget]
        budget -= len(rows)
        if len(rows):
            below, division = one.leaves.split(rows)
            cells.append(below)
            divisions.append(division)
            one.mass[rows] = 0.0
    return Leaves.of_cells(np.concatenate(cells), np.concatenate(divisions)) if cells else None
