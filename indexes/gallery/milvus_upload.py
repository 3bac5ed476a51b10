"""Copy a finished index into a Milvus collection, batch by batch; an interrupted copy goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.manifest import EncoderFacts, SourceFacts
from geosleuth.indexes.gallery.milvus_collection import (
    CollectionFacts,
    count_rows,
    create_collection,
    finish_collection,
    read_facts,
    rows_of,
    write_facts,
)
from geosleuth.indexes.gallery.milvus_connection import MilvusLocation, connect, milvus_errors, parse_location
from geosleuth.indexes.gallery.milvus_filter import ids_filter
from geosleuth.indexes.gallery.progress import Meter, OnProgress
from geosleuth.indexes.gallery.reference import Reference

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.local import LocalGallery

Batch = tuple[Sequence[Reference], NDArray[np.float32]]  # row i of the vectors (n, d) belongs to reference i

_BATCH_BYTES = 8 << 20  # messages may have 64 MiB; smaller ones tell progress and lose less
_ROW_BYTES = 1_024  # of a reference without its vector
_MOST_IN_BATCH = 2_000


def upload_index(
    index: Path | LocalGallery | Iterable[Batch],
    spec: str,
    *,
    encoder: EncoderFacts | None = None,
    sources: Sequence[SourceFacts] | None = None,
    on_progress: OnProgress | None = None,
) -> int:
    """Copy an index into milvus:COLLECTION@URI and return the number of references that the collection then has.

    The collection is made if missing; references that it has already are not sent again. `Reference.source` counts
    into `sources`: of a second index, give the sources of the first and then its own.

    Args:
        index: An index, its folder, or batches of references and unit vectors with their `encoder` and `sources`.
        spec: Where to.
        encoder: Of batches.
        sources: Of batches.
        on_progress: Told some four times a second.

    Raises:
        InputError: The collection holds another encoder's vectors or is not ours, or the server fails.
    """
    from geosleuth.indexes.gallery.local import LocalGallery
    from geosleuth.indexes.gallery.store import open_index

    location = parse_location(spec)  # before minutes of checksums
    total = None
    if isinstance(index, Path):
        index = open_index(index)
    if isinstance(index, LocalGallery):
        encoder, sources, total = index.manifest.encoder, index.manifest.sources, len(index)
        index = batches_of(index)
    if encoder is None or sources is None:
        raise InputError("the encoder and the sources of the batches", "none", "Give both, or an open index.")
    client = connect(location)
    meter = Meter(on_progress)
    meter.start("writing", total)
    try:
        facts = _prepare(client, location, CollectionFacts(encoder=encoder, sources=tuple(sources), complete=False))
        _send_all(client, location, index, facts, meter)
        meter.tell()
        finish_collection(client, location)
        write_facts(client, location, facts.model_copy(update={"complete": True}))
        return count_rows(client, location)
    finally:
        client.close()


def batches_of(gallery: LocalGallery) -> Iterator[Batch]:
    """Read an index piece by piece, in the order of its rows."""
    from geosleuth.indexes.gallery.table import COLUMNS, ReferenceFile, references_of

    name = gallery.manifest.file("references")
    assert name is not None  # noqa: S101  an open gallery has one
    size = _batch_rows(gallery.dimension)
    start = 0
    for part in ReferenceFile(gallery.folder / name).batches(COLUMNS, size):
        yield references_of(part), np.asarray(gallery.vectors[start : start + len(part)])
        start += len(part)


def _batch_rows(dimension: int) -> int:
    return max(1, min(_MOST_IN_BATCH, _BATCH_BYTES // (4 * dimension + _ROW_BYTES)))


def _prepare(client: Any, location: MilvusLocation, facts: CollectionFacts) -> CollectionFacts:
    """Check the collection that is there, or make one; return the facts to be."""
    before = read_facts(client, location)
    with milvus_errors(location, f"the collection {location.collection}"):
        taken = client.has_collection(location.collection)
        if taken:
            client.flush(location.collection)  # what is not flushed is not counted
            if client.list_indexes(location.collection, "vector"):
                client.load_collection(location.collection)
    if before is None:
        if taken and count_rows(client, location):
            remedy = "Name another collection."
            raise InputError("a new collection, or one of geosleuth's", f"{location.collection}, of others", remedy)
        if not taken:
            create_collection(client, location, facts.encoder.dimension)
        write_facts(client, location, facts)
        return facts
    if before.encoder != facts.encoder:
        wanted = f"vectors of {_named(before.encoder)}, as {location.collection} has them"
        raise InputError(wanted, f"vectors of {_named(facts.encoder)}", "Name another collection.")
    if before.sources != facts.sources[: len(before.sources)]:
        found = f"others than the {len(before.sources)} that it has"
        remedy = "Name another collection; or add the images to the index itself, and upload that."
        raise InputError(f"the sources of {location.collection} and further ones", found, remedy)
    return facts.model_copy(update={"complete": before.complete})


def _named(encoder: EncoderFacts) -> str:
    return f"{encoder.spec} ({encoder.weights_sha256[:12]}, {encoder.dimension} numbers)"


def _send_all(
    client: Any,
    location: MilvusLocation,
    batches: Iterable[Batch],
    facts: CollectionFacts,
    meter: Meter,
) -> None:
    # Only a collection with indexes can be asked what it has, and an upload that stopped has left one without.
    asked = count_rows(client, location) > 0
    if asked:
        finish_collection(client, location)
    size = _batch_rows(facts.encoder.dimension)
    for references, vectors in batches:
        _check(vectors, len(references), facts)
        for start in range(0, len(references), size):
            part = references[start : start + size]
            with milvus_errors(location, f"references in {location.collection}"):
                if not (asked and _has_all(client, location, part)):
                    client.upsert(location.collection, rows_of(part, vectors[start : start + size]))
            meter.add(len(part))


def _check(vectors: NDArray[np.float32], count: int, facts: CollectionFacts) -> None:
    if vectors.shape != (count, facts.encoder.dimension) or vectors.dtype != np.float32:
        wanted = f"float32 vectors of shape ({count}, {facts.encoder.dimension})"
        raise InputError(wanted, f"{vectors.dtype} of shape {vectors.shape}", "Build the index again.")
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
        raise InputError("unit vectors", "vectors of other lengths", "Divide each by its length.")


def _has_all(client: Any, location: MilvusLocation, references: Sequence[Reference]) -> bool:
    """Tell whether all of these were sent before."""
    ids = [one.id for one in references]
    rows = client.query(
        location.collection, filter=ids_filter(ids), output_fields=["id"], limit=len(ids), consistency_level="Strong"
    )
    return len(rows) == len(set(ids))
