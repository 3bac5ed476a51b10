"""A photo's evidence on the grid, small enough to weigh a thousand times.

The grid has 113,000 cells, but a photo's findings say the same of most of them: cells of equal terms are joined, and a
fit that would take hours takes seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.calibration import ErrorShare, ModelWeights, model_of, source_of
from geosleuth.agent.log_likelihood import laid_out
from geosleuth.agent.opinion import as_counted, start
from geosleuth.indexes.cells import cells_at, parents, resolutions
from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import Evidence, Nothing
from geosleuth.training.evaluate.agent.scored import Observed, Truth
from geosleuth.training.evaluate.calibration.opinions import Opinion, opinion

STEP = 0.02  # nats: terms nearer than this are one, so that none is off by more than 0.01
Key = tuple[str | None, str]  # the model whose opinion it is, if one's, and the type of evidence: what is fitted alone
Weights = Mapping[str, ModelWeights]  # by model


@dataclass(frozen=True)
class Case:
    """What was found in one photo, before any temperature: k findings, n cells after joining."""

    keys: tuple[Key, ...]
    groups: tuple[tuple[int, ...], ...]  # rows that share a source, where two do
    terms: Floats  # (k, n), nats
    prior: Floats  # (n,), the start's probability
    at: Floats  # (k,), nats in the cell that holds the truth

    def log_gain(self, temperatures: Mapping[Key, float], correlation: float) -> float:
        """Ln of the belief's density at the truth over the start's; the cells are the grid's, split no further."""
        weight = np.array([temperatures.get(key, 1.0) for key in self.keys])
        if self.groups:
            spans = weight * np.ptp(self.terms, axis=1)
            for rows in self.groups:
                for rank, row in enumerate(sorted(rows, key=lambda row: -spans[row])):
                    weight[row] *= (1.0 - correlation) ** rank
        total = weight @ self.terms
        top = float(total.max())
        return float(weight @ self.at) - top - float(np.log(np.exp(total - top) @ self.prior))


@dataclass(frozen=True)
class SeenPhoto:
    """A photo with evidence, and the cell where it was taken."""

    number: int  # among those observed
    evidence: tuple[Evidence, ...]  # what speaks
    cell: int  # row of the grid
    opinions: Mapping[str, Opinion | None]  # by model; None where its words cannot be weighed by how it errs

    @property
    def keys(self) -> frozenset[Key]:
        """What its findings are fitted with."""
        return frozenset((model_of(piece), piece.type) for piece in self.evidence)

    def case(self, weights: Weights, others: tuple[ErrorShare, ...] = ()) -> Case:
        """Lay the evidence out, that of models as these weights count it, or as points of other models err."""
        leaves, prior = start()
        stranger = ModelWeights(errors=others)
        known: dict[str | None, ModelWeights] = {None: ModelWeights(), **dict(weights.items())}
        counted = [as_counted(piece.likelihood, known.get(model_of(piece), stranger)) for piece in self.evidence]
        tables = [laid_out(one, load_grid()) for one in counted if not isinstance(one, Nothing)]
        terms = np.array([table.on(leaves) for table in tables])
        of_cell = _joined(terms)
        cells = np.bincount(of_cell)
        return Case(
            keys=tuple((model_of(piece), piece.type) for piece in self.evidence),
            groups=_groups(self.evidence, weights),
            terms=np.array([np.bincount(of_cell, weights=term) / cells for term in terms]),
            prior=np.bincount(of_cell, weights=prior).astype(np.float64),
            at=terms[:, self.cell],
        )


def seen_photos(observed: Sequence[Observed]) -> list[SeenPhoto]:
    """The photos that have evidence; one whose truth the grid lacks (the open ocean) is left out."""
    out = []
    for number, seen in enumerate(observed):
        speaking = tuple(piece for piece in seen.evidence if not isinstance(piece.likelihood, Nothing))
        cell = cell_of(seen.truth)
        if not speaking or cell is None:
            continue
        models = dict.fromkeys(model for piece in speaking if (model := model_of(piece)) is not None)
        said = {model: [piece for piece in speaking if model_of(piece) == model] for model in models}
        opinions = {model: opinion(number, pieces, cell) for model, pieces in said.items()}
        out.append(SeenPhoto(number, speaking, cell, opinions))
    return out


def cell_of(truth: Truth) -> int | None:
    """Row of the grid's cell that holds a position; by way of a fine one, as `Belief.log_density`."""
    names, order, levels = _names()
    finest = cells_at(np.array([truth.lat]), np.array([truth.lon]), 7)
    for resolution in levels:
        cell = parents(finest, resolution)[0]
        row = int(np.searchsorted(names, cell))
        if row < len(names) and names[row] == cell:
            return int(order[row])
    return None


@lru_cache(maxsize=1)
def _names() -> tuple[NDArray[np.uint64], NDArray[np.intp], tuple[int, ...]]:
    cells = start()[0].cells
    order = np.argsort(cells)
    return cells[order], order, tuple(int(level) for level in np.unique(resolutions(cells)))


def _joined(terms: Floats) -> NDArray[np.intp]:
    """Number the cells by what is said of them, (n,): equal numbers where all terms are, to a step."""
    # A hash of the steps: odd multipliers of 64 bits make a collision among 1e5 cells as rare as 1e-9.
    odd = np.random.default_rng(0).integers(0, 1 << 63, len(terms), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    steps = np.round(terms / STEP).astype(np.int64).astype(np.uint64)
    numbers: NDArray[np.intp] = np.unique((steps * odd[:, None]).sum(axis=0, dtype=np.uint64), return_inverse=True)[1]
    return numbers


def _groups(evidence: Sequence[Evidence], weights: Weights) -> tuple[tuple[int, ...], ...]:
    sources: dict[str, list[int]] = {}
    for row, piece in enumerate(evidence):
        name = source_of(piece, fitted=model_of(piece) in weights)
        if name is not None:
            sources.setdefault(name, []).append(row)
    return tuple(tuple(rows) for rows in sources.values() if len(rows) > 1)
