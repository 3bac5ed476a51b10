"""Fit the belief's constants: a temperature per type of evidence, and the correlation inside a group.

What is maximised is the mean log density at the true position over labelled photos, penalised towards temperature 1
(a type that few photos have says little about its temperature). Cross-validated: the reported gain is on photos that
the constants were not fitted on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.calibration import Calibration
from geosleuth.agent.leaves import Leaves
from geosleuth.agent.log_likelihood import laid_out
from geosleuth.indexes.cells import cells_at, parents, resolutions
from geosleuth.indexes.geodesy import Floats, LatLon
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import Nothing
from geosleuth.training.evaluate.observed import Observed

# Not above 1.2: a set of one kind of photo must not make a tool surer than its own numbers by more.
_TEMPERATURES = (0.2, 0.35, 0.5, 0.7, 0.85, 1.0, 1.1, 1.2)
_CORRELATIONS = (0.5, 0.65, 0.8, 0.9)  # at 1 a second witness would say nothing at all
_FEW = 10  # photos; types that fewer have share one temperature, for they say little about it
# Nats per (ln temperature)^2: a prior of one standard deviation of a factor 1.6 around the tools' own numbers.
_PENALTY = 2.0


@dataclass(frozen=True)
class _Case:
    """One photo's evidence on the grid, at temperature 1."""

    terms: NDArray[np.float32]  # (k, n)
    types: tuple[str, ...]
    groups: tuple[str, ...]
    at: int  # row of the cell that holds the truth
    country: str  # folds are by country, so that a fit is judged on countries it has not seen

    def log_gain(self, calibration: Calibration, log_prior: Floats) -> float:
        """Ln of the density at the truth, over the prior's."""
        temperature = np.array([calibration.temperature(t) for t in self.types], dtype=np.float32)
        terms: NDArray[np.float32] = self.terms * temperature[:, None]
        weight = np.zeros(len(terms), dtype=np.float32)
        for group in set(self.groups):
            rows = [row for row, name in enumerate(self.groups) if name == group]
            rows.sort(key=lambda row: -float(np.ptp(terms[row])))
            for rank, row in enumerate(rows):
                weight[row] = (1.0 - calibration.correlation) ** rank
        total = weight @ terms
        top = float(total.max())
        mass = np.exp(total - top) * np.exp(log_prior)
        return float(total[self.at]) - top - float(np.log(mass.sum()))


@dataclass(frozen=True)
class BeliefFit:
    """What a fit found."""

    calibration: Calibration  # fitted on all photos
    held_out_bits: tuple[float, ...]  # per photo that has evidence: log2 gain at the truth, fitted on the others
    plain_bits: tuple[float, ...]  # the same with every temperature 1
    counts: dict[str, int]  # photos that have each type of evidence


def _cell_of(leaves: Leaves, order: np.ndarray, position: LatLon) -> int | None:
    finest = cells_at(np.array([position.lat]), np.array([position.lon]), 7)
    cells = leaves.cells[order]
    for resolution in np.unique(resolutions(leaves.cells)):
        cell = parents(finest, int(resolution))[0]
        row = int(np.searchsorted(cells, cell))
        if row < len(cells) and cells[row] == cell:
            return int(order[row])
    return None


def _cases(observed: Sequence[Observed]) -> list[_Case]:
    grid = load_grid()
    leaves = Leaves.of(grid)
    order = np.argsort(leaves.cells)
    out = []
    for seen in observed:
        pieces = [(e, laid_out(e.likelihood, grid)) for e in seen.evidence if not isinstance(e.likelihood, Nothing)]
        at = _cell_of(leaves, order, seen.photo.position)
        if not pieces or at is None:
            continue
        terms = np.array([table.on(leaves) for _, table in pieces], dtype=np.float32)
        groups = tuple(e.group or f"\0{row}" for row, (e, _) in enumerate(pieces))
        out.append(_Case(terms, tuple(e.type for e, _ in pieces), groups, at, seen.photo.country))
    return out


def fit_belief(observed: Sequence[Observed], source: str, folds: int = 5) -> BeliefFit:
    """Fit on all photos with evidence; score by cross-validation with folds by country."""
    cases = _cases(observed)
    log_prior = Leaves.of(load_grid()).log_prior
    types = sorted({t for case in cases for t in case.types})
    counts = {name: sum(name in case.types for case in cases) for name in types}
    shared_by = [{name} for name in types if counts[name] >= _FEW]
    shared_by.append({name for name in types if counts[name] < _FEW})

    def score(calibration: Calibration, rows: Sequence[int]) -> float:
        fitted = [next(iter(names)) for names in shared_by if names]
        penalty = _PENALTY * sum(math.log(calibration.temperature(name)) ** 2 for name in fitted)
        return sum(cases[row].log_gain(calibration, log_prior) for row in rows) - penalty

    def search(rows: Sequence[int]) -> Calibration:
        best = Calibration(temperatures=dict.fromkeys(types, 1.0), correlation=0.8, source=source)
        for _ in range(2):  # a third round changes nothing on street-dev
            for names in shared_by:
                concerned = [row for row in rows if names & set(cases[row].types)]
                options = [
                    best.model_copy(update={"temperatures": {**best.temperatures, **dict.fromkeys(names, t)}})
                    for t in _TEMPERATURES
                ]
                best = max(options, key=lambda option: score(option, concerned))
            shared = [row for row in rows if len(set(cases[row].groups)) < len(cases[row].groups)]
            options = [best.model_copy(update={"correlation": c}) for c in _CORRELATIONS]
            best = max(options, key=lambda option: score(option, shared)) if shared else best
        return best

    everyone = list(range(len(cases)))
    held_out = [0.0] * len(cases)
    fold_of = {code: i % folds for i, code in enumerate(sorted({case.country for case in cases}))}
    fold = [fold_of[case.country] for case in cases]
    for k in range(folds):
        fitted = search([row for row in everyone if fold[row] != k])
        for row in (row for row in everyone if fold[row] == k):
            held_out[row] = cases[row].log_gain(fitted, log_prior) / np.log(2)
    plain = Calibration(temperatures={}, correlation=0.8, source="plain")
    return BeliefFit(
        search(everyone),
        tuple(held_out),
        tuple(case.log_gain(plain, log_prior) / np.log(2) for case in cases),
        counts,
    )
