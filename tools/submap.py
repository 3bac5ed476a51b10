"""The part of the world that is left to search, given the belief: the countries that hold most of it, buffered.

Cells of the gallery itself instead of countries: tools/submap_cells.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geosleuth.indexes.countries import country_codes, country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.geodesy import Floats, wrap_lon
from geosleuth.tools.buffering import buffered_country

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from shapely.geometry.base import BaseGeometry

# A submap of more countries than this cuts off only the smallest, and is not worth its seconds.
MOST_COUNTRIES = 125  # half of the world's
# A submap that leaves fewer references than this is more likely beside the place than at it: the paper's own case of a
# wrong prior. Twenty is what verification looks at.
FEWEST_REFERENCES = 20

Membership = Callable[[Floats, Floats], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Submap:
    """Parts of the world in the order of the belief; an `Area` that a gallery searches in."""

    countries: tuple[str, ...]  # ISO 3166-1, wholly inside; empty for cells and for the whole world
    share_held: float  # of the belief, 0 to 1
    buffer_km: float
    frame: GeoDataFrame  # a row per part: probability, geometry (EPSG:4326, cut at the date line), its name
    reason: str | None = None  # why the submap is the whole world; None when it is not
    membership: Membership | None = None  # (lats, lons) -> inside, where that is faster than asking the polygons

    @property
    def is_whole_world(self) -> bool:
        """Whether nothing is left out, for the reason that `reason` gives."""
        return self.reason is not None

    @cached_property
    def geometry(self) -> BaseGeometry:
        """The outline of all parts in (lon, lat) degrees, cut at the date line."""
        import shapely

        united: BaseGeometry = shapely.union_all(self.frame.geometry.to_numpy())
        return united

    def contains(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie in the submap; shape (n,)."""
        y, x = np.atleast_1d(np.asarray(lats, dtype=np.float64)), np.atleast_1d(wrap_lon(lons))
        if self.is_whole_world:
            return np.ones(y.shape, dtype=bool)
        if self.membership is not None:
            return self.membership(y, x)
        return _inside(self.frame, y, x)


def _inside(frame: GeoDataFrame, lats: Floats, lons: Floats) -> NDArray[np.bool_]:
    """Ask the polygons; each only about the points in its box that no other holds."""
    import shapely

    inside = np.zeros(lats.shape, dtype=bool)
    for part in shapely.get_parts(frame.geometry.to_numpy()):  # boxes of single islands, not of Chile with Easter's
        west, south, east, north = part.bounds
        near = np.flatnonzero((lats >= south) & (lats <= north) & (lons >= west) & (lons <= east) & ~inside)
        if len(near):
            shapely.prepare(part)
            inside[near] = shapely.intersects_xy(part, lons[near], lats[near])
    return inside


def select_submap(country_probabilities: Mapping[str, float], share: float = 0.95, buffer_km: float = 50.0) -> Submap:
    """Choose the fewest countries that together hold `share` of the belief, and widen their borders by `buffer_km`.

    Use it before searching references. Without any belief, or when it takes more than half of the world's countries
    to hold the share, the submap is the whole world, and `reason` says so.

    Raises:
        InputError: A probability is no number from 0 up, a country is unknown, `share` or `buffer_km` out of range.
    """
    check_share(share)
    check_countries(country_probabilities)
    if not 0.0 <= buffer_km <= 1000.0:  # beyond, flat maps of the border's pieces are no longer true
        raise InputError("a buffer from 0 to 1000 km", str(buffer_km), "Use 50 for most purposes.")
    total = sum(country_probabilities.values())
    if total <= 0.0:
        return whole_world("there is no belief about countries yet")
    chosen: dict[str, float] = {}
    for code, probability in sorted(country_probabilities.items(), key=lambda row: (-row[1], row[0])):
        if sum(chosen.values()) >= share - 1e-9 or probability <= 0.0:  # 1e-9: rounding of the sum
            break
        chosen[code] = probability / total
    if len(chosen) > MOST_COUNTRIES:
        return whole_world(f"it takes {len(chosen)} countries to hold {share:.0%} of the belief")
    return Submap(tuple(chosen), min(sum(chosen.values()), 1.0), buffer_km, _frame(chosen, buffer_km))


def check_share(share: float) -> None:
    """Refuse a share of the belief that is none.

    Raises:
        InputError: It is not above 0 and up to 1.
    """
    if not 0.0 < share <= 1.0:
        raise InputError("a share of the belief above 0 and up to 1", str(share), "Use 0.95 for most purposes.")


def check_countries(country_probabilities: Mapping[str, float]) -> None:
    """Refuse unknown countries and what is no probability.

    Raises:
        InputError: Names the country.
    """
    known = set(country_codes())
    for code, probability in country_probabilities.items():
        if code not in known:
            raise InputError("ISO 3166-1 alpha-2 codes of countries", repr(code), "Use codes such as DE.")
        if not (math.isfinite(probability) and probability >= 0.0):
            raise InputError(f"a probability for {code}", str(probability), "Give a number from 0 to 1.")


def whole_world(why: str) -> Submap:
    """The submap that leaves nothing out, and why it does not."""
    import geopandas
    import shapely

    row = {"code": [None], "name": ["World"], "probability": [1.0]}
    frame = geopandas.GeoDataFrame(row, geometry=[shapely.box(-180, -90, 180, 90)], crs="EPSG:4326")
    return Submap((), 1.0, 0.0, frame, reason=f"the whole world, because {why}")


def with_enough(submap: Submap, references: int, of: int) -> Submap:
    """Return the submap, or the whole world where it leaves too few of the gallery's references to search.

    Args:
        submap: What was chosen.
        references: How many references it leaves.
        of: How many there are.
    """
    least = min(FEWEST_REFERENCES, of)  # a gallery that is smaller than that is always searched whole
    if submap.is_whole_world or references >= least:
        return submap
    return whole_world(f"the submap leaves {references} of {of} references, fewer than {least}")


def _frame(chosen: Mapping[str, float], buffer_km: float) -> GeoDataFrame:
    import geopandas

    columns = {
        "code": list(chosen),
        "name": [country_name(code) for code in chosen],
        "probability": list(chosen.values()),
    }
    shapes = [buffered_country(code, buffer_km) for code in chosen]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")
