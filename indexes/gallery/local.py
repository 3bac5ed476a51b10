"""A gallery in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.approximate import ApproximateIndex, candidates
from geosleuth.indexes.gallery.damage import reading
from geosleuth.indexes.gallery.exact import nearest, ranked
from geosleuth.indexes.gallery.gallery import Area, Hit, Hits
from geosleuth.indexes.gallery.index_type import Limits
from geosleuth.indexes.gallery.manifest import (
    MANIFEST,
    MOST_LINE_BYTES,
    ApproximateFacts,
    Manifest,
    Problem,
    damaged,
)
from geosleuth.indexes.gallery.pictures import reference_picture
from geosleuth.indexes.gallery.reference import Reference, View
from geosleuth.indexes.gallery.selection import Places, Runs, Selector, count_of, rows_of
from geosleuth.indexes.gallery.table import ReferenceFile, check_countries, check_texts
from geosleuth.indexes.gallery.vectors import Rows, Vectors, map_vectors
from geosleuth.indexes.geodesy import Floats

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo

_MOST_SIMILAR = 1.01  # the cosine of two vectors that half precision brought to a length of 1, twice over
_MOST_POSITIONS = 1_000_000  # what a map or a clustering of the places needs at most


class LocalGallery:
    """Search over the files of one index; made by `store.open_index`, which checks them first.

    In memory are positions, countries and, for product codes, the codes; vectors and references stay on disk.
    """

    def __init__(self, folder: Path, manifest: Manifest, limits: Limits) -> None:
        self.folder = folder
        self.manifest = manifest
        self._limits = limits
        if sum(manifest.views.values()) != manifest.count:
            raise damaged(folder / MANIFEST, f"its views are not {manifest.count:,} references together")
        references = self._path("references")
        with reading(references):
            self._references = ReferenceFile(references)
        if self._references.faults:
            raise damaged(references, self._references.faults[0])
        if self._references.count != manifest.count:
            raise damaged(references, f"{self._references.count:,} rows instead of {manifest.count:,}")
        self.vectors = map_vectors(self._path("vectors"))
        self._scattered = map_vectors(self._path("vectors"), scattered=True)  # the same pages, by another map
        shape = (manifest.count, manifest.encoder.dimension)
        if self.vectors.shape != shape or self.vectors.dtype != np.float32:
            raise damaged(self._path("vectors"), f"it holds {self.vectors.dtype} of shape {self.vectors.shape}")
        with reading(references):
            self._places = _read_places(self._references, manifest)
        self._selector = Selector(self._places)
        self._approximate: ApproximateIndex | None = None
        if manifest.approximate is not None:
            self._approximate = self._open_search(manifest.approximate)

    def _open_search(self, facts: ApproximateFacts) -> ApproximateIndex:
        path = self._path("search")
        with reading(path):
            index = ApproximateIndex.open(path)
            found = (len(index), index.dimension, index.lists)
        if found != (len(self), self.dimension, facts.lists):
            raise damaged(path, f"it is of another index: (rows, dimension, cells) are {found}")
        return index

    def _path(self, stem: str) -> Path:
        name = self.manifest.file(stem)
        if name is None:
            raise damaged(self.folder / "manifest.json", f"it names no {stem} file")
        return self.folder / name

    @property
    def location(self) -> str:
        """The folder."""
        return str(self.folder)

    @property
    def encoder_spec(self) -> str:
        """Spec of the encoder that made the vectors."""
        return self.manifest.encoder.spec

    @property
    def weights_sha256(self) -> str:
        """Hash of that encoder."""
        return self.manifest.encoder.weights_sha256

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self.manifest.encoder.dimension

    @property
    def on_gpu(self) -> bool:
        """Tell whether faiss searches it on a GPU."""
        return self._approximate is not None and self._approximate.on_gpu

    def __len__(self) -> int:
        """Number of references."""
        return self.manifest.count

    def __repr__(self) -> str:
        return f"LocalGallery({self.location!r}, {len(self):,} references, {self.manifest.index_type})"

    def views(self) -> dict[View, int]:
        """Number of references per view."""
        return dict(self.manifest.views)

    def positions(self, views: Sequence[View] | None = None) -> tuple[Floats, Floats]:
        """(lats, lons) of the references; of more than a million, of every so many."""
        rows = rows_of(self._selector.runs(None, views))
        if len(rows) > _MOST_POSITIONS:
            rows = rows[np.linspace(0, len(rows) - 1, _MOST_POSITIONS).astype(np.int64)]
        return self._places.lat[rows], self._places.lon[rows]

    def count(self, area: Area | None = None, views: Sequence[View] | None = None) -> int:
        """Number of references that an area and some views leave."""
        return count_of(self._selector.runs(area, views))

    def rows(self, area: Area | None = None, views: Sequence[View] | None = None) -> Runs:
        """Rows that an area and some views leave, as runs."""
        return self._selector.runs(area, views)

    def columns(self, *names: str) -> pa.Table:
        """Read columns of all references from the disk, in the order of the rows."""
        with reading(self._path("references")):
            return self._references.columns(names)

    def problems(self) -> Iterator[Problem]:
        """Read what was skipped or left out when the index was built, and why."""
        with self._path("problems").open("rb") as file:
            for line in iter(lambda: file.readline(MOST_LINE_BYTES), b""):
                with reading(self._path("problems")):
                    problem = Problem.model_validate_json(line)  # one that is cut there is no JSON
                yield problem

    def search(
        self, queries: NDArray[np.float32], k: int, *, area: Area | None = None, views: Sequence[View] | None = None
    ) -> list[Hits]:
        """Find the k most similar references of each query (n, d).

        Raises:
            InputError: A query of another length than the index's vectors, or without a direction; k below 1.
        """
        units = self._checked(queries, k)
        runs = self._selector.runs(area, views)
        left = count_of(runs)
        exact = self._approximate is None or left <= self._limits.exact_rows
        if exact:
            found = nearest(self.vectors, units, min(k, left), runs) if left else [_nothing() for _ in units]
        else:
            found = self._approximately(units, k, runs)
        if not all((np.abs(scores) <= _MOST_SIMILAR).all() for _, scores in found):  # false for NaN as well
            raise damaged(self._path("vectors"), "it does not hold unit vectors throughout")
        with reading(self._path("references")):
            by_row = self._references.read([int(row) for rows, _ in found for row in rows])
        return [
            Hits(tuple(Hit(by_row[int(r)], float(s)) for r, s in zip(rows, scores, strict=True)), left, exact)
            for rows, scores in found
        ]

    def _checked(self, queries: NDArray[np.float32], k: int) -> Vectors:
        units = np.atleast_2d(np.asarray(queries, dtype=np.float32))
        if units.ndim != 2 or units.shape[1] != self.dimension:
            remedy = f"Encode the photo with {self.encoder_spec}, by which this index was built."
            raise InputError(f"vectors of length {self.dimension}", f"an array of shape {units.shape}", remedy)
        lengths = np.linalg.norm(units, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise InputError("query vectors with a direction", "zeros, or no numbers", "Encode the photo again.")
        if k < 1:
            raise InputError("a number of hits from 1 up", str(k), "Ask for 10, for instance.")
        return np.asarray(units / lengths, dtype=np.float32)

    def _approximately(self, queries: Vectors, k: int, runs: Runs) -> list[tuple[Rows, NDArray[np.float32]]]:
        facts, index = self.manifest.approximate, self._approximate
        if facts is None or index is None:
            raise RuntimeError("an index without a faiss file is searched exactly")
        only = None if count_of(runs) == len(self) else runs
        proposed = index.propose(queries, candidates(facts, k), facts.probe, only)
        return [ranked(self._scattered, query, rows, k) for query, rows in zip(queries, proposed, strict=True)]

    def picture(self, reference: Reference) -> Photo:
        """Load a reference's image from its source.

        Raises:
            InputError: The source is no longer where it was, or the reference points outside it.
        """
        return reference_picture(reference, self.manifest.sources)


def _nothing() -> tuple[Rows, NDArray[np.float32]]:
    return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)


def _read_places(file: ReferenceFile, manifest: Manifest) -> Places:
    """Read the columns that every search needs, piece by piece."""
    lat, lon = np.empty(manifest.count), np.empty(manifest.count)
    country = np.empty(manifest.count, dtype=np.int16)
    numbers: dict[str | None, int] = {}
    start = 0
    for texts in file.coded_batches(["country", "view", "licence"]):  # before anything else is made of them
        stop = start + len(texts)
        check_texts(texts)
        encoded = texts.column("country").cast(pa.string()).dictionary_encode(null_encoding="encode")
        local = [numbers.setdefault(code, len(numbers)) for code in encoded.dictionary.to_pylist()]
        check_countries(len(numbers.keys() - {None}))  # of all pieces so far
        country[start:stop] = np.array(local, dtype=np.int16)[np.from_dlpack(encoded.indices)]
        start = stop
    start = 0
    for batch in file.batches(["lat", "lon"]):
        stop = start + len(batch)
        # by DLPack, because Arrow's own conversion imports pandas, which takes longer than all the rest
        lat[start:stop], lon[start:stop] = (np.from_dlpack(batch.column(name)) for name in ("lat", "lon"))
        start = stop
    if not (np.abs(lat) <= 90.0).all() or not (np.abs(lon) <= 180.0).all():  # false for NaN as well
        raise ValueError("it holds positions that are not on the Earth")
    return Places(lat, lon, country, tuple(numbers), manifest.views)
