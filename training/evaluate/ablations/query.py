"""A photo whose place is known, and what counts as finding it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.indexes.geodesy import LatLon, geodesic_km

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Candidate
    from geosleuth.training.evaluate.labelled import LabelledPhoto

# Neither right nor elsewhere: verification's own neighbourhood. A camera sees what stands 100 m off, so that a match
# with a reference from there is no false one.
NEAR_M = 100.0


@dataclass(frozen=True)
class Query:
    """A labelled photo as the ablations see it."""

    path: Path
    name: str  # in tables; relative to the data set's root
    position: LatLon
    country: str | None  # ISO 3166-1 alpha-2
    place: str  # queries of one place are no independent witnesses
    twin: LatLon | None = None  # where its look-alike stands

    @classmethod
    def of(cls, photo: LabelledPhoto) -> Query:
        """Take a photo of a data set; its place is a square of 0.1 degrees, some 10 km."""
        lat, lon = photo.position
        place = f"{lat:.1f},{lon:.1f}"
        return cls(photo.path, photo.file or photo.path.name, photo.position, photo.country or None, place)


def metres(candidate: Candidate, position: LatLon) -> float:
    """Geodesic distance of a candidate from a position."""
    return 1000.0 * geodesic_km(LatLon(candidate.lat, candidate.lon), position)


def is_right(candidate: Candidate, position: LatLon, within_m: float) -> bool:
    """Whether a candidate is near enough to count; of a tile, whether the position lies in the circle inside it."""
    return counts_at(LatLon(candidate.lat, candidate.lon), (candidate.extent_m or 0.0) / 2.0, position, within_m)


def counts_at(there: LatLon, half_extent_m: float, position: LatLon, within_m: float) -> bool:
    """Whether a reference there counts: the one rule, for candidates and for all that a gallery holds."""
    return 1000.0 * geodesic_km(there, position) <= max(within_m, half_extent_m)


def right_ids(candidates: Iterable[Candidate], position: LatLon, within_m: float) -> frozenset[str]:
    """Ids of the candidates that count as found."""
    return frozenset(one.reference_id for one in candidates if is_right(one, position, within_m))


def without(candidates: Sequence[Candidate], position: LatLon, within_m: float) -> tuple[Candidate, ...]:
    """The candidates that lie farther than `within_m` from a position, ranked anew."""
    left = [one for one in candidates if not is_right(one, position, within_m)]
    return tuple(one.model_copy(update={"rank": rank}) for rank, one in enumerate(left, start=1))
