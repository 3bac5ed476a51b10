"""From a chunk of the listing to references and vectors: decoding in threads, ahead of the model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.encoder import Encoder, Vectors
from geosleuth.indexes.encoders.parallel import in_order
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.duplicates import Known, reference_id
from geosleuth.indexes.gallery.journal import Encoded
from geosleuth.indexes.gallery.listing import Chunk, Listed, Stamped
from geosleuth.indexes.gallery.manifest import Problem
from geosleuth.indexes.gallery.reference import Reference
from geosleuth.indexes.gallery.sources.source import Item, Source, reason_of
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.indexes.regions import countries_at

logger = logging.getLogger(__name__)

# Images per call of the model. It is part of a chunk's content: the sums in a model differ in the last bit with the
# composition of a batch, and batches are counted from the start of each chunk.
BATCH = 32
# How far decoding runs ahead: the batch at work, the next one, and what the threads hold. At 384 x 384 x 3 floats
# an image is 1.8 MB.
_AHEAD = 2 * BATCH
_UNIT = 1e-3  # how far from 1 a vector's length may be; half precision on a GPU is right to 5e-4
ALREADY_THERE = "in the index already"

OnImages = Callable[[int, int], None]


@dataclass(frozen=True)
class Work:
    """What the encoding of any chunk needs; it travels to worker processes."""

    source: Source
    number: int  # of the source, in the index
    encoder: Encoder
    known: Known | None = None  # references of the index that is added to


@dataclass(frozen=True)
class _Prepared:
    """An image that is ready for the model."""

    listed: Listed
    sha256: str
    values: NDArray[Any]


def encode_chunks(
    work: Work, chunks: Iterable[Chunk], *, threads: int, on_images: OnImages | None = None
) -> Iterator[Encoded]:
    """Encode chunks in their order.

    Args:
        work: Source and encoder.
        chunks: Read as they are needed.
        threads: That decode.
        on_images: Told how many images are done since the last call, and how many of these were skipped.

    Raises:
        InputError: The source as a whole is gone.
    """
    images = ((chunk.number, listed) for chunk in chunks for listed in chunk.listed)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        ready = in_order(
            lambda image: (image[0], _prepare(work, image[1])), images, pool=pool, ahead=_AHEAD + 2 * threads
        )
        for number, group in groupby(ready, key=lambda result: result[0]):
            yield _encode(work, number, (result for _, result in group), on_images)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _prepare(work: Work, listed: Listed) -> _Prepared | Problem:
    """Read, decode and normalise one image; runs in a thread."""
    item = listed.item
    try:
        if isinstance(work.source, Stamped) and work.source.stamp(item.uri) != listed.stamp:
            return _skipped(work, listed, "it changed after it was listed: add the source again")
        photo = work.source.read(item.uri)
        if (reason := _reason_known(work, item, photo.sha256)) is not None:
            return Problem(kind="duplicate", uri=item.uri, reason=reason, source=work.number)
        pixels = photo.pixels_at(work.encoder.input_side_px)
        return _Prepared(listed, photo.sha256, work.encoder.prepare(pixels, item.view))
    except InputError as error:
        _check_source(work.source)
        return _skipped(work, listed, reason_of(error, item.uri))
    except DAMAGED as error:  # one odd picture must not stop a build of a million
        _check_source(work.source)
        logger.warning("An image is left out (%s); the index's report names it", type(error).__name__)
        logger.info("It is %s", item.uri, exc_info=True)
        return _skipped(work, listed, f"it cannot be prepared ({type(error).__name__}: {error})")


def _reason_known(work: Work, item: Item, sha256: str) -> str | None:
    if work.known is None:
        return None
    found = work.known.find(sha256, item.lat, item.lon, reference_id(sha256, item.lat, item.lon, item.view))
    if found is None:
        return None
    return ALREADY_THERE if found == (item.uri, work.number) else f"the same image and place as {found[0]}"


def _skipped(work: Work, listed: Listed, reason: str) -> Problem:
    return Problem(kind="skipped", uri=listed.item.uri, reason=reason, source=work.number)


def _check_source(source: Source) -> None:
    """Stop when a disk was unplugged, before all that is left counts as unreadable.

    Raises:
        InputError: The source is gone.
    """
    if not Path(source.root).exists():
        remedy = "Bring it back, then run the same command again: what is done is kept."
        raise InputError("the images of the source", f"nothing at {source.root} any more", remedy)


def _encode(work: Work, number: int, results: Iterator[_Prepared | Problem], on_images: OnImages | None) -> Encoded:
    """Run the model over one chunk, batch by batch."""
    kept: list[_Prepared] = []
    problems: list[Problem] = []
    vectors: list[Vectors] = [np.empty((0, work.encoder.dimension), dtype=np.float32)]
    while results_of_batch := _next_batch(results):
        batch = [result for result in results_of_batch if isinstance(result, _Prepared)]
        left_out = [result for result in results_of_batch if isinstance(result, Problem)]
        if batch:
            rows = work.encoder.encode([image.values for image in batch])
            unit = np.abs(np.linalg.norm(rows, axis=1) - 1.0) <= _UNIT  # False for NaN
            vectors.append(np.asarray(rows[unit], dtype=np.float32))
            kept += [replace(image, values=_NOTHING) for image, good in zip(batch, unit, strict=True) if good]
            dull = [image.listed for image, good in zip(batch, unit, strict=True) if not good]
            left_out += [_skipped(work, listed, "the encoder finds nothing in it") for listed in dull]
        problems += left_out
        if on_images:
            on_images(len(results_of_batch), skipped_of(left_out))
    return Encoded(number, _references(work, kept), np.concatenate(vectors), problems)


def skipped_of(problems: Sequence[Problem]) -> int:
    """How many images count as skipped: as in the report of a build, duplicates do not."""
    return sum(problem.kind == "skipped" for problem in problems)


def _next_batch(results: Iterator[_Prepared | Problem]) -> list[_Prepared | Problem]:
    """Take results until `BATCH` of them can be encoded, or none is left."""
    taken: list[_Prepared | Problem] = []
    ready = 0
    for result in results:
        taken.append(result)
        ready += isinstance(result, _Prepared)
        if ready == BATCH:
            break
    return taken


_NOTHING: NDArray[Any] = np.empty(0)  # the picture itself is not kept


def _references(work: Work, images: Sequence[_Prepared]) -> list[Reference]:
    if not images:
        return []
    items = [image.listed.item for image in images]
    countries = countries_at([item.lat for item in items], [item.lon for item in items])
    return [
        Reference(
            id=reference_id(image.sha256, item.lat, item.lon, item.view),
            uri=item.uri,
            source=work.number,
            lat=item.lat,
            lon=item.lon,
            view=item.view,
            country=country,
            heading_deg=item.heading_deg,
            extent_m=item.extent_m,
            captured_at=item.captured_at,
            licence=item.licence,
            sha256=image.sha256,
        )
        for image, item, country in zip(images, items, countries, strict=True)
    ]
