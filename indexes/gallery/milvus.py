"""A gallery in a Milvus cluster, or in the engine of one file that speaks the same protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.gallery import Area, Hit, Hits
from geosleuth.indexes.gallery.milvus_area import AreaRows
from geosleuth.indexes.gallery.milvus_collection import (
    MOST_ROWS,
    CollectionFacts,
    count_rows,
    fetch_positions,
    index_type,
    read_facts,
    reference_of,
)
from geosleuth.indexes.gallery.milvus_connection import MilvusLocation, connect, milvus_errors, parse_location
from geosleuth.indexes.gallery.milvus_filter import all_of, area_filter, ids_filter, views_filter
from geosleuth.indexes.gallery.milvus_upload import upload_index
from geosleuth.indexes.gallery.pictures import reference_picture
from geosleuth.indexes.gallery.reference import VIEWS, Reference, View
from geosleuth.indexes.geodesy import Floats

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo

__all__ = ["MilvusGallery", "open_milvus", "upload_index"]

_MOST_POSITIONS = 1_000_000
# A message may have 64 MiB: 16 queries with 4,096 hits of 0.5 kB are half of that. With more hits, one by one.
_QUERIES_AT_ONCE = 16
_LARGE = 4_096
_IDS_AT_ONCE = 4_096
_KEPT_AREAS = 8  # the belief's submap and the wider ones after it


class MilvusGallery:
    """Search over a collection; made by `open_milvus`."""

    def __init__(self, client: Any, location: MilvusLocation, facts: CollectionFacts) -> None:
        self.facts = facts
        self._client, self._place = client, location
        self._exact = index_type(client, location) == "FLAT"
        self._areas: deque[AreaRows] = deque(maxlen=_KEPT_AREAS)
        self._count = count_rows(client, location)

    @property
    def location(self) -> str:
        """milvus:COLLECTION@URI."""
        return str(self._place)

    @property
    def encoder_spec(self) -> str:
        """Spec of the encoder that made the vectors."""
        return self.facts.encoder.spec

    @property
    def weights_sha256(self) -> str:
        """Hash of that encoder."""
        return self.facts.encoder.weights_sha256

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.facts.encoder.dimension

    def __len__(self) -> int:
        """Number of references when the gallery was opened."""
        return self._count

    def __repr__(self) -> str:
        return f"MilvusGallery({self.location!r}, {len(self):,} references)"

    def views(self) -> dict[View, int]:
        """Number of references per view."""
        counts = {view: count_rows(self._client, self._place, views_filter([view])) for view in VIEWS}
        return {view: count for view, count in counts.items() if count}

    def positions(self, views: Sequence[View] | None = None) -> tuple[Floats, Floats]:
        """(lats, lons) of at most a million references: ids are hashes, so the first by id are a fair sample."""
        return fetch_positions(self._client, self._place, views_filter(views), _MOST_POSITIONS)[1:]

    def count(self, area: Area | None = None, views: Sequence[View] | None = None) -> int:
        """Number of references that an area and some views leave; estimated along an edge of 200,000."""
        if area is None:
            return count_rows(self._client, self._place, views_filter(views)) if views is not None else len(self)
        return self._area_rows(area, views).count

    def search(
        self, queries: NDArray[np.float32], k: int, *, area: Area | None = None, views: Sequence[View] | None = None
    ) -> list[Hits]:
        """Find the k most similar references of each query (n, d).

        The filter leaves somewhat more than the area, which then says itself what lies in it; more is fetched until k
        remain, so the result is that of a search over the area alone.

        Raises:
            InputError: A query of another length, k out of range, or the server fails.
        """
        units = self._checked(queries, k)
        if area is None:
            found = self._nearest(units, k, views_filter(views))
            searched = self.count(None, views)
            return [Hits(tuple(hits), searched, self._exact) for hits in found]
        rows = self._area_rows(area, views)
        if not rows.most(k):
            return [Hits((), 0, self._exact) for _ in units]
        return [Hits(tuple(hits), rows.count, exact) for hits, exact in self._nearest_in(units, k, rows)]

    def picture(self, reference: Reference) -> Photo:
        """Load a reference's image from its source, which must be where it was when the index was built.

        Raises:
            InputError: This machine does not have it, or the collection names a place outside of it.
        """
        return reference_picture(reference, self.facts.sources)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _checked(self, queries: NDArray[np.float32], k: int) -> NDArray[np.float32]:
        units = np.atleast_2d(np.asarray(queries, dtype=np.float32))
        if units.ndim != 2 or units.shape[1] != self.dimension:
            remedy = f"Encode the photo with {self.encoder_spec}, by which this gallery was built."
            raise InputError(f"vectors of length {self.dimension}", f"an array of shape {units.shape}", remedy)
        lengths = np.linalg.norm(units, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise InputError("query vectors with a direction", "zeros, or no numbers", "Encode the photo again.")
        if not 1 <= k <= MOST_ROWS:
            raise InputError(f"a number of hits from 1 to {MOST_ROWS:,}", str(k), "Ask for 10, for instance.")
        return np.asarray(units / lengths, dtype=np.float32)

    def _nearest(self, units: NDArray[np.float32], limit: int, expression: str) -> list[list[Hit]]:
        """The most similar rows that an expression leaves."""
        at_once = _QUERIES_AT_ONCE if limit <= _LARGE else 1
        found: list[list[Hit]] = []
        for start in range(0, len(units), at_once):
            with milvus_errors(self._place, f"a search in {self._place.collection}"):
                answers = self._client.search(
                    self._place.collection,
                    data=[unit.tolist() for unit in units[start : start + at_once]],
                    filter=expression,
                    limit=limit,
                    output_fields=["reference"],
                    anns_field="vector",
                    # FLAT takes no notice of ef; a graph must look at as many as are wanted
                    search_params={"metric_type": "COSINE", "params": {} if self._exact else {"ef": max(128, limit)}},
                )
            found += [
                [Hit(reference_of(row["entity"]["reference"]), float(row["distance"])) for row in answer]
                for answer in answers
            ]
        return found

    def _nearest_in(self, units: NDArray[np.float32], k: int, rows: AreaRows) -> Iterator[tuple[list[Hit], bool]]:
        """The k most similar rows in an area, and whether the search was exact."""
        results: dict[int, tuple[list[Hit], bool]] = {}
        pending, limit = list(range(len(units))), min(2 * k + 10, MOST_ROWS)
        while pending:
            found = self._nearest(units[pending], limit, rows.expression)
            for number, hits in zip(list(pending), found, strict=True):
                kept = rows.inside(hits)[:k]
                if len(kept) == rows.most(k) or len(hits) < limit:
                    results[number] = kept, self._exact
                    pending.remove(number)
            if pending and limit == MOST_ROWS:
                for number in pending:  # the most similar lie by the thousand just outside of the area
                    results[number] = self._nearest_by_id(units[number], k, rows)
                break
            limit = min(4 * limit, MOST_ROWS)
        return (results[number] for number in range(len(units)))

    def _nearest_by_id(self, unit: NDArray[np.float32], k: int, rows: AreaRows) -> tuple[list[Hit], bool]:
        """As above, where rows of the edge are named one by one instead of by their cells."""
        ids = rows.edge_ids
        parts = [all_of([rows.view, ids_filter(ids[a : a + _IDS_AT_ONCE])]) for a in range(0, len(ids), _IDS_AT_ONCE)]
        if rows.filter.inside:
            parts.append(all_of([rows.view, rows.filter.inside]))
        hits = [hit for part in parts for hit in self._nearest(unit[None], k, part)[0]]
        hits.sort(key=lambda hit: (-hit.similarity, hit.reference.id))
        return hits[:k], self._exact and rows.edge_is_known

    def _area_rows(self, area: Area, views: Sequence[View] | None) -> AreaRows:
        """What is known of an area; it is asked for several times, and must not change."""
        chosen = None if views is None else tuple(view for view in VIEWS if view in views)
        same = [known for known in list(self._areas) if known.area is area]
        rows = next((known for known in same if known.views == chosen), None)
        if rows is None:
            rows = AreaRows(area, chosen, same[0].filter if same else area_filter(area))
            rows.count_in(self._client, self._place)
            self._areas.append(rows)
        return rows


def open_milvus(spec: str) -> MilvusGallery:
    """Open a collection that `upload_index` filled: milvus:COLLECTION@URI.

    Raises:
        InputError: No such collection or none of ours, an interrupted upload, or the server cannot be reached.
    """
    location = parse_location(spec)
    if location.file is not None and not location.file.exists():  # the embedded engine would make one
        remedy = "Correct the path, or upload an index with `geosleuth index upload`."
        raise InputError("a file of the embedded Milvus", f"none at {location.file}", remedy)
    client = connect(location)
    try:
        facts = read_facts(client, location)
        if facts is None:
            raise _missing(client, location)
        if not facts.complete:
            remedy = "Repeat the upload; what is there is not sent again."
            raise InputError("a whole gallery", f"an upload into {location.collection} that was interrupted", remedy)
        with milvus_errors(location, f"the collection {location.collection}"):
            client.load_collection(location.collection)
        return MilvusGallery(client, location, facts)
    except InputError:
        client.close()
        raise


def _missing(client: Any, location: MilvusLocation) -> InputError:
    with milvus_errors(location, "a list of collections"):
        names = sorted(client.list_collections())
    wanted = f"the collection {location.collection} at {location.uri}"
    if location.collection in names:
        return InputError(wanted, "one that geosleuth did not make", "Name another, or upload the index under it.")
    ours = [name.removesuffix("__geosleuth") for name in names if name.endswith("__geosleuth")]
    found = f"galleries {', '.join(ours)}" if ours else "no gallery"
    return InputError(wanted, found, "Correct the name, or upload an index with `geosleuth index upload`.")
