"""A gallery without the photos of a test set: else an agent would be praised for finding the very picture again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from geosleuth.agent.references import References
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.gallery import Area, Gallery, Hits
from geosleuth.indexes.gallery.reference import Reference, View
from geosleuth.indexes.geodesy import EARTH_RADIUS_KM, Floats, distance_km

if TYPE_CHECKING:
    import pyarrow as pa

    from geosleuth.indexes.photo import Photo
    from geosleuth.training.evaluate.agent.scored import Truth

logger = logging.getLogger(__name__)

WITHIN_M = 25.0  # of a test photo: the same spot, as benchmarks of place recognition count it
# Views that a test photo may be one of. A tile seen from above, whose middle happens to be there, is no copy of it.
_FROM_THE_GROUND: tuple[View, ...] = ("ground", "panorama")
_COLUMNS = ("id", "lat", "lon", "view", "country", "sha256")


@runtime_checkable
class ListedGallery(Gallery, Protocol):
    """A gallery that can list its references, as one in a folder can."""

    def columns(self, *names: str) -> pa.Table:
        """Read columns of all references."""


@dataclass(frozen=True)
class ReducedReferences(References):
    """References of which some were left out."""

    left_out: int = 0


def without_photos(references: References, truths: Sequence[Truth], *, within_m: float = WITHIN_M) -> ReducedReferences:
    """Leave out what is a test photo, by the hash of its file, or was taken from the ground within 25 m of one.

    Not for sets whose right answer is a reference of that very place: there nothing would be left to find.

    Args:
        references: With a gallery in a folder.
        truths: The test photos.
        within_m: How near, in metres.

    Raises:
        InputError: The gallery cannot list its references.
    """
    gallery = references.gallery
    if not isinstance(gallery, ListedGallery):
        remedy = "Name the folder that the collection was uploaded from."
        raise InputError("a gallery in a folder, to take the test photos out of", gallery.location, remedy)
    table = gallery.columns(*_COLUMNS)
    out = _is_photo(table, truths) | _is_near(table, truths, within_m / 1000.0)
    excluded = _Excluded(*(np.asarray(table.column(name).to_numpy())[out] for name in _COLUMNS[:-1]))
    logger.info("%d of %d references left out: they are photos of the test set", out.sum(), len(out))
    return ReducedReferences(
        ReducedGallery(gallery, excluded), references.encoder, references.matcher, left_out=int(out.sum())
    )


def _is_photo(table: pa.Table, truths: Sequence[Truth]) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    hashes = pa.array(sorted({one.sha256 for one in truths if one.sha256}), pa.string())
    return np.asarray(pc.is_in(table.column("sha256"), value_set=hashes).to_numpy(), dtype=np.bool_)


def _is_near(table: pa.Table, truths: Sequence[Truth], within_km: float) -> NDArray[np.bool_]:
    """Compare each photo with the references of its parallel: sorted once, so that millions cost a search each."""
    near = np.zeros(len(table), dtype=np.bool_)
    rows = np.flatnonzero(np.isin(table.column("view").to_numpy(), _FROM_THE_GROUND))
    lats, lons = (np.asarray(table.column(name).to_numpy())[rows] for name in ("lat", "lon"))
    order = np.argsort(lats, kind="stable")
    rows, lats, lons = rows[order], lats[order], lons[order]
    height = float(np.degrees(within_km / EARTH_RADIUS_KM)) * 1.001  # a hair more: rounding must lose none
    for one in truths:
        start, stop = np.searchsorted(lats, [one.lat - height, one.lat + height], side="left")
        inside = slice(int(start), int(stop))
        near[rows[inside][distance_km(one.lat, one.lon, lats[inside], lons[inside]) <= within_km]] = True
    return near


@dataclass(frozen=True)
class _Excluded:
    """The references left out; arrays of shape (n,)."""

    ids: NDArray[np.object_]
    lats: Floats
    lons: Floats
    views: NDArray[np.object_]
    countries: NDArray[np.object_]

    def count(self, area: Area | None, views: Sequence[View] | None) -> int:
        """How many of them a search over an area and some views would look at."""
        chosen = np.ones(len(self.ids), dtype=np.bool_) if views is None else np.isin(self.views, list(views))
        if area is not None and chosen.any():
            chosen &= np.isin(self.countries, list(area.countries)) | area.contains(self.lats, self.lons)
        return int(chosen.sum())


class ReducedGallery:
    """A gallery that neither finds nor counts some of its references."""

    def __init__(self, gallery: ListedGallery, excluded: _Excluded) -> None:
        self._gallery = gallery
        self._excluded = excluded
        self._ids = frozenset(excluded.ids.tolist())

    @property
    def location(self) -> str:
        """The folder."""
        return self._gallery.location

    @property
    def encoder_spec(self) -> str:
        """Spec of the encoder that made the vectors."""
        return self._gallery.encoder_spec

    @property
    def weights_sha256(self) -> str:
        """Hash of that encoder."""
        return self._gallery.weights_sha256

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._gallery.dimension

    def __len__(self) -> int:
        """Number of references that are left."""
        return len(self._gallery) - len(self._ids)

    def __repr__(self) -> str:
        return f"ReducedGallery({self.location!r}, {len(self):,} of {len(self._gallery):,} references)"

    def views(self) -> dict[View, int]:
        """Number of references per view; views of which nothing is left are left out."""
        left = {view: self.count(None, [view]) for view in self._gallery.views()}
        return {view: count for view, count in left.items() if count}

    def positions(self, views: Sequence[View] | None = None) -> tuple[Floats, Floats]:
        """(lats, lons) of what is left; of a view also without what shares its very position with one left out."""
        there = [view for view in self._gallery.views() if views is None or view in views]
        parts = [(np.empty(0), np.empty(0)), *map(self._positions_of, there)]
        lats, lons = (np.concatenate(axis) for axis in zip(*parts, strict=True))
        return lats, lons

    def _positions_of(self, view: View) -> tuple[Floats, Floats]:
        lats, lons = self._gallery.positions([view])
        out = self._excluded.views == view
        left = ~np.isin(lats + 1j * lons, self._excluded.lats[out] + 1j * self._excluded.lons[out])
        return lats[left], lons[left]

    def count(self, area: Area | None = None, views: Sequence[View] | None = None) -> int:
        """Number of references that are left in an area and some views."""
        return self._gallery.count(area, views) - self._excluded.count(area, views)

    def search(
        self, queries: NDArray[np.float32], k: int, *, area: Area | None = None, views: Sequence[View] | None = None
    ) -> list[Hits]:
        """Find the k most similar of what is left; as many more are fetched as there are to leave out."""
        others = self._excluded.count(area, views)
        found = self._gallery.search(queries, k + others, area=area, views=views)
        return [
            Hits(
                tuple(hit for hit in one.hits if hit.reference.id not in self._ids)[:k],
                one.searched - others,
                one.exact,
            )
            for one in found
        ]

    def picture(self, reference: Reference) -> Photo:
        """Load a reference's image from its source.

        Raises:
            InputError: The source is no longer where it was.
        """
        return self._gallery.picture(reference)
