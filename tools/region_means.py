"""A likelihood per place as one per country and division: the mean over where photos are taken there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.grid import load_grid
from geosleuth.tools.evidence import OverRegions

_ALIKE_NATS = 0.05  # a division that differs less from its country follows it: a factor of 1.05 decides nothing


def country_means(likelihood: Floats) -> dict[str, float]:
    """Average P(clue | cell) over each country's photos; `likelihood` has one value per cell of the grid, (n,)."""
    grid = load_grid()
    mean, weight = _means(likelihood, grid.country, len(grid.codes))
    return {code: float(mean[i]) for i, code in enumerate(grid.codes) if code and weight[i] > 0}


def over_regions(likelihood: Floats) -> OverRegions:
    """Make evidence of P(clue | cell), which must be above 0 everywhere; its mean over all photos is the reference.

    Divisions are named where they differ from their country. `wrong` is 0: the likelihood has its errors inside.
    """
    grid = load_grid()
    reference = float(np.log((likelihood * grid.prior).sum() / grid.prior.sum()))
    ratios = {code: float(np.log(mean)) - reference for code, mean in country_means(likelihood).items()}
    mean, weight = _means(likelihood, grid.division, len(grid.division_codes))
    for i, code in enumerate(grid.division_codes):
        if code and weight[i] > 0:
            ratio = float(np.log(mean[i])) - reference
            if abs(ratio - ratios.get(code[:2], 0.0)) > _ALIKE_NATS:
                ratios[code] = ratio
    return OverRegions(log_ratios={code: round(ratio, 3) for code, ratio in ratios.items()}, wrong=0.0)


def _means(likelihood: Floats, region: NDArray[np.int16], count: int) -> tuple[Floats, Floats]:
    """Mean per region, weighed by photos, and the weights; the mean is meaningless where the weight is 0."""
    share = load_grid().share
    weight = np.bincount(region, weights=share, minlength=count)
    total = np.bincount(region, weights=share * likelihood, minlength=count)
    return np.asarray(total / np.maximum(weight, 1e-300)), np.asarray(weight)
