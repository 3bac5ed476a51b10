"""Where photos are taken, before anything is seen: a density made from the gazetteer.

People photograph in proportion neither to population nor to area. Between countries the prior is
population^a * places^b (the number of places stands for settlement and roads); inside a country a place of population
p gets (p + p0)^c, spread over a disc of the size that p people fill; a small share is uniform over the country's area.
`python -m geosleuth.training.evaluate prior` fits the constants by cross-validated likelihood and writes them to
`data/photo_prior.json`, with their source.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, wrap_lon

_UNSEEN = 1e-6  # one photo in a million from each land without a listed place (Antarctica, open water): never zero


@dataclass(frozen=True)
class PhotoPrior:
    """Constants of the prior."""

    population_exponent: float  # a: of a country's population, counted over its places
    places_exponent: float  # b: of a country's number of places
    place_exponent: float  # c: of a place's population inside its country
    place_offset: float  # p0: people added to each place, so that villages keep some weight
    uniform_share: float  # share of a country's photos that is uniform over its area
    urban_density_per_km2: float  # people per km2 of built-up land: sets the disc of a place
    source: str  # what the constants were fitted on, and when

    def country_shares(self, country: NDArray[np.integer], population: Floats, n_countries: int) -> Floats:
        """Prior probability of each country, shape (n_countries,), from its places."""
        people = np.bincount(country, weights=population, minlength=n_countries)
        places = np.bincount(country, minlength=n_countries)
        weight = np.maximum(people, 1.0) ** self.population_exponent * places**self.places_exponent
        weight /= weight.sum()
        return np.asarray((weight + _UNSEEN) / (weight + _UNSEEN).sum())

    def place_weights(self, population: Floats) -> Floats:
        """Relative weight of each place inside its country."""
        return np.asarray((population + self.place_offset) ** self.place_exponent)

    def place_spreads_km(self, population: Floats) -> Floats:
        """Standard deviation per axis of the photos of each place: half the radius of the disc of its people."""
        return np.asarray(0.5 * np.sqrt(np.maximum(population, 1000.0) / (np.pi * self.urban_density_per_km2)))


def load_photo_prior() -> PhotoPrior:
    """The fitted constants that ship with the package."""
    text = resources.files("geosleuth.indexes").joinpath("data/photo_prior.json").read_text(encoding="utf-8")
    return PhotoPrior(**json.loads(text))


_GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))  # Vogel's sunflower: the most even spiral
_POINTS_PER_KM2 = 4.0  # of spread squared: a fine cell (5 km2) in a city's middle then gets several points


def scatter(lat: Floats, lon: Floats, spread_km: Floats) -> tuple[Floats, Floats, NDArray[np.intp], Floats]:
    """Stand each place by points of equal mass, drawn evenly from its Gaussian disc.

    Returns:
        (lats, lons, owner, part): positions in degrees, the index of the place that each belongs to, and the part
        of that place's mass which it stands for.
    """
    count = np.clip(np.ceil(_POINTS_PER_KM2 * spread_km**2), 1, 1000).astype(np.intp)
    owner = np.repeat(np.arange(len(lat)), count)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    quantile = np.where(count[owner] > 1, (rank + 0.5) / count[owner], 0.0)  # a village stands in one point
    radius_deg = np.degrees(spread_km[owner] * np.sqrt(-2.0 * np.log1p(-quantile)) / EARTH_RADIUS_KM)
    angle = rank * _GOLDEN_ANGLE
    lats = np.clip(lat[owner] + radius_deg * np.sin(angle), -90.0, 90.0)
    narrowing = np.maximum(np.cos(np.radians(lat[owner])), 0.02)  # meridians meet at the poles
    lons = wrap_lon(lon[owner] + radius_deg * np.cos(angle) / narrowing)
    return lats, lons, owner, 1.0 / count[owner]
