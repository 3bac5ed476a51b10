"""What a gallery answers, wherever it lives: in a folder of this machine or in a Milvus cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geosleuth.indexes.gallery.reference import Reference, View
from geosleuth.indexes.geodesy import Floats

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geosleuth.indexes.photo import Photo


class Area(Protocol):
    """A part of the Earth to search in; tools/submap.py makes them."""

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries that lie in it as a whole (ISO 3166-1 alpha-2): their references need no geometry."""

    @property
    def geometry(self) -> BaseGeometry:
        """Its outline in (lon, lat) degrees, cut at the date line."""

    def contains(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie in it; shape (n,)."""


@dataclass(frozen=True)
class Hit:
    """A reference and its cosine similarity to the query, in [-1, 1]."""

    reference: Reference
    similarity: float


@dataclass(frozen=True)
class Hits:
    """What a search found for one query, the most similar first."""

    hits: tuple[Hit, ...]
    searched: int  # references that the area and the views left
    exact: bool  # every one of these was compared; else an approximate index proposed, and exact vectors ordered


class Gallery(Protocol):
    """Search over references."""

    @property
    def location(self) -> str:
        """The folder, or milvus:COLLECTION@URI."""

    @property
    def encoder_spec(self) -> str:
        """Spec of the encoder that made the vectors."""

    @property
    def weights_sha256(self) -> str:
        """Its hash: a query encoded by another encoder would find noise."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int:
        """Number of references."""

    def views(self) -> dict[View, int]:
        """Number of references per view; views without any are left out."""

    def positions(self, views: Sequence[View] | None = None) -> tuple[Floats, Floats]:
        """(lats, lons) of the references, or of a fair sample of at most a million."""

    def count(self, area: Area | None = None, views: Sequence[View] | None = None) -> int:
        """Number of references that an area and some views leave."""

    def search(
        self, queries: NDArray[np.float32], k: int, *, area: Area | None = None, views: Sequence[View] | None = None
    ) -> list[Hits]:
        """Find the k most similar references of each query (n, d); None searches everything."""

    def picture(self, reference: Reference) -> Photo:
        """Load a reference's image from its source.

        Raises:
            InputError: The source is no longer where it was.
        """
