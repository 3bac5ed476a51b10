"""From probabilities over many points, such as a gallery of positions, to a likelihood of a few places.

A model that spreads its probability over a gallery's points says nothing by that alone: where the gallery is dense, it
has more points to spread it over. What speaks is the share of its probability near a place over the share of the
gallery there, both seen as finely as the model errs.
"""

from __future__ import annotations

import numpy as np

from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, from_unit_vectors
from geosleuth.tools.evidence import NearPlace, NearPoints
from geosleuth.tools.prior_likelihood import ERRORS, LAND_KM2, MISSES

EVEN = 0.1  # of the gallery is taken to lie evenly on land: a single point in a desert is no proof that it is not there
_MOST_CLUSTERS = 24  # per spread; what they leave over is taken to lie as the gallery does, and says nothing
_ENOUGH = 0.95  # of the probability in clusters
_REACH = 5.0  # standard deviations; beyond, a bump is below 4e-6 of its peak


def mixture(vectors: Floats, probabilities: Floats) -> NearPoints | None:
    """Sum up probabilities over points as bumps of the three spreads that models err by.

    For each spread: clusters of the probability no wider than it, each with the ratio of its probability to the share
    of the gallery that the same bump covers.

    Args:
        vectors: (n, 3) the points on the unit sphere.
        probabilities: (n,), sum to 1.

    Returns:
        None where no place has more of the probability than of the gallery.
    """
    places: list[NearPlace] = []
    floor = MISSES
    for share, km in ERRORS:
        centres, mass = clusters(vectors, probabilities, km)
        floor += share * float(1.0 - mass.sum())
        ratio = mass / gallery_share(vectors, centres, km)
        lat, lon = from_unit_vectors(centres)
        places += [
            NearPlace(lat=float(y), lon=float(x), spread_km=km, weight=share * float(r))
            for y, x, r in zip(lat, lon, ratio, strict=True)
        ]
    told = [place for place in places if place.weight > 0]
    return NearPoints(places=tuple(told), floor=floor) if told else None


def clusters(vectors: Floats, probabilities: Floats, km: float) -> tuple[Floats, Floats]:
    """Gather probability greedily: the likeliest point and all within `km` of it, then the likeliest of the others.

    Returns:
        (k, 3) centres, unit vectors, and (k,) probabilities, in the order found.
    """
    left = probabilities.astype(np.float64)
    least = np.cos(km / EARTH_RADIUS_KM)
    centres: list[Floats] = []
    mass: list[float] = []
    while len(mass) < _MOST_CLUSTERS and left.sum() > 1.0 - _ENOUGH:
        near = np.flatnonzero(vectors @ vectors[int(left.argmax())] >= least - 1e-12)  # rounding loses the point itself
        middle = left[near] @ vectors[near]
        centres.append(middle / np.linalg.norm(middle))
        mass.append(float(left[near].sum()))
        left[near] = 0.0
    return np.array(centres).reshape(-1, 3), np.array(mass)


def gallery_share(vectors: Floats, centres: Floats, km: float) -> Floats:
    """Share of the gallery under a bump of this spread at each centre, (k,): its mean over the points."""
    shares = []
    for centre in centres:
        near = vectors[vectors @ centre >= np.cos(_REACH * km / EARTH_RADIUS_KM)]
        distance2 = EARTH_RADIUS_KM**2 * ((near - centre) ** 2).sum(axis=1)
        shares.append(np.exp(-0.5 * distance2 / km**2).sum() / len(vectors))
    even = 2.0 * np.pi * km**2 / LAND_KM2
    return np.asarray((1.0 - EVEN) * np.array(shares) + EVEN * even)
