"""How much a stated position is worth: its likelihood at its own place against that of being somewhere else."""

from __future__ import annotations

import math

from geosleuth.indexes.geodesy import LatLon


def density_ratio(spread_km: float, wrong: float, density_per_km2: float) -> float:
    """Likelihood of the position at its own place over its likelihood anywhere else, both per km2.

    At its place it is a Gaussian of density 1 / (2 pi spread^2). A share `wrong` of positions are of another photo's
    place, and so lie as photos do: with land in place of photos, no position in Antarctica could be believed.
    """
    return (1.0 - wrong) / (2.0 * math.pi * spread_km**2) / (wrong * density_per_km2)


def photos_per_km2(position: LatLon) -> float:
    """Share of the world's photos that is taken in the km2 around a position."""
    from geosleuth.indexes.grid import load_grid

    return load_grid().density_per_km2(position)
