"""Fit the constants of the photo prior by cross-validated likelihood.

The prior is a density over the Earth (nats per km2). A set of labelled photos says how likely each choice of constants
makes their positions; coordinates are searched one at a time, and the choice is judged on photos it was not fitted on.

    python -m geosleuth.training.evaluate fit-prior --labels labels.csv
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from geosleuth.agent.credible import by_density, credible_weights
from geosleuth.indexes.cells import cells_at, parents, resolutions
from geosleuth.indexes.gazetteer import load_gazetteer
from geosleuth.indexes.geodesy import Floats, LatLon, distance_km
from geosleuth.indexes.grid import build_grid, load_grid
from geosleuth.indexes.photo_prior import PhotoPrior, load_photo_prior

logger = logging.getLogger(__name__)

# Values tried for each constant. Street-dev is centred on cities and takes the ends of the last four ranges; they stop
# there so that open country stays possible for photos of other kinds.
_CHOICES: dict[str, tuple[float, ...]] = {
    "population_exponent": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "places_exponent": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    "place_exponent": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "place_offset": (0.0, 500.0, 2000.0, 5000.0, 20000.0, 50000.0),
    "uniform_share": (0.02, 0.05, 0.1, 0.2),
    "urban_density_per_km2": (600.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0),
}


_COVERAGE = 0.94  # of the nominal 90 %: photos of other kinds than the fitted ones will fall outside more often
_STEEPEST = 1.2  # largest exponent of places that is tried for it
_FIRST_GUESS = PhotoPrior(0.5, 0.0, 0.7, 500.0, 0.05, 2000.0, source="first guess")


@dataclass(frozen=True)
class PriorFit:
    """What a fit found."""

    prior: PhotoPrior  # fitted on all photos
    log2_density: float  # mean over held-out photos, log2 of probability per km2
    floor_log2_density: float  # the same for a prior in proportion to population
    coverage_90: float  # share of all photos in the fitted prior's 90 % region


class Scene:
    """What the likelihood needs of the gazetteer, computed once: the places near each photo."""

    def __init__(self, positions: Sequence[LatLon], countries: Sequence[str]) -> None:
        gazetteer, grid = load_gazetteer(), load_grid()
        self.population = np.asarray(gazetteer.population, dtype=np.float64)
        self.country = np.array([grid.codes.index(c) for c in gazetteer.country_codes])[gazetteer.country]
        self.codes = grid.codes
        self.land_km2 = np.asarray(grid.land_km2)
        self.of_photo = np.array([grid.codes.index(c) for c in countries])
        self.near = []
        for position, country in zip(positions, self.of_photo, strict=True):
            distance = distance_km(position.lat, position.lon, gazetteer.lat, gazetteer.lon)
            rows = np.flatnonzero((distance < 150.0) & (self.country == country))
            self.near.append((rows, distance[rows]))

    def log2_densities(self, prior: PhotoPrior) -> Floats:
        """log2 of the prior's density at each photo, per km2."""
        n = len(self.codes)
        shares = prior.country_shares(self.country, self.population, n)
        weight = prior.place_weights(self.population)
        weight /= np.bincount(self.country, weights=weight, minlength=n)[self.country]
        spread = prior.place_spreads_km(self.population)
        out = []
        for (rows, distance), country in zip(self.near, self.of_photo, strict=True):
            sigma = spread[rows]
            bumps = weight[rows] * np.exp(-0.5 * (distance / sigma) ** 2) / (2 * np.pi * sigma**2)
            uniform = prior.uniform_share / max(self.land_km2[country], 1.0)
            out.append(np.log2(shares[country] * ((1 - prior.uniform_share) * bumps.sum() + uniform)))
        return np.array(out)


def population_prior() -> PhotoPrior:
    """The floor: photos in plain proportion to population."""
    return replace(
        load_photo_prior(), population_exponent=1.0, places_exponent=0.0, place_exponent=1.0, place_offset=0.0
    )


def fit_prior(positions: Sequence[LatLon], countries: Sequence[str], folds: int = 5) -> PriorFit:
    """Fit on all photos; score by `folds`-fold cross-validation.

    Folds are by country, so that a fit is judged on countries it has not seen.
    """
    scene = Scene(positions, countries)
    tables: dict[PhotoPrior, Floats] = {}

    def score(prior: PhotoPrior) -> Floats:
        if prior not in tables:
            tables[prior] = scene.log2_densities(prior)
        return tables[prior]

    def search(rows: Floats) -> PhotoPrior:
        best = _FIRST_GUESS
        for _ in range(3):  # rounds of coordinate search; the third changes nothing on street-dev
            for name, values in _CHOICES.items():
                options = [PhotoPrior(**{**asdict(best), name: value}) for value in values]
                best = max(options, key=lambda prior: float(score(prior)[rows].mean()))
        return best

    fold_of = {code: i % folds for i, code in enumerate(sorted(set(countries)))}
    fold = np.array([fold_of[code] for code in countries])
    held_out = np.concatenate([score(search(fold != k))[fold == k] for k in range(folds)])
    best, coverage = sharpened(search(np.ones(len(fold), dtype=bool)), positions)
    logger.info("fitted %s", best)
    return PriorFit(best, float(held_out.mean()), float(score(population_prior()).mean()), coverage)


def sharpened(prior: PhotoPrior, positions: Sequence[LatLon]) -> tuple[PhotoPrior, float]:
    """Raise the exponent of places until the 90 % region covers at most `_COVERAGE` of the photos.

    The likelihood alone leaves the region too wide: it fears the few photos in open country more than it minds that
    half of the area is never photographed. Returns the prior, and the share of photos in its 90 % region.
    """
    coverage = region_coverage(prior, positions)
    while coverage > _COVERAGE and prior.place_exponent < _STEEPEST:
        prior = replace(prior, place_exponent=round(prior.place_exponent + 0.05, 2))
        coverage = region_coverage(prior, positions)
    return prior, coverage


def region_coverage(prior: PhotoPrior, positions: Sequence[LatLon], share: float = 0.9) -> float:
    """Share of positions in the smallest region that holds `share` of a prior."""
    grid = build_grid(prior)
    mass, area = grid.prior, grid.area_km2
    weights = credible_weights(mass, by_density(mass, area), share)
    held = {int(cell) for cell in grid.cells[weights > 0]}
    finest = cells_at(np.array([p.lat for p in positions]), np.array([p.lon for p in positions]), 7)
    levels = [parents(finest, int(level)) for level in np.unique(resolutions(grid.cells))]
    return float(np.mean([any(int(level[row]) in held for level in levels) for row in range(len(finest))]))
