"""Pictures to vectors by any encoder, as `index build` does it: threads decode and resize, ahead of the model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.encoder import Encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.encoders.parallel import core_count, in_order
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.encoding import BATCH
from geosleuth.indexes.gallery.progress import Meter, OnProgress
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.source import reason_of
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.indexes.pixels import Pixels
from geosleuth.training.datasets.cross_view import Pictures, Skipped
from geosleuth.training.evaluate.cross_view.vector_cache import Embedded, VectorCache

_SHARD = 2048  # pictures: what an interrupted run loses at most; 8 MB of vectors at 1024 dimensions
_UNIT = 1e-3  # how far from 1 a vector's length may be; half precision on a GPU is right to 5e-4


def embed(
    encoder: str | Encoder,
    pictures: Pictures,
    *,
    cache: Path | None = None,
    progress: OnProgress | Meter | None = None,
) -> Embedded:
    """Encode pictures.

    Args:
        encoder: A spec (embedded, timm:NAME, hf:ORG/NAME, dir:RUN), or the encoder itself.
        pictures: Each by its modality's view.
        cache: A folder that keeps vectors; what is in it already is not encoded again.
        progress: Told how far it is; or a meter that was started for more pictures than these.

    Raises:
        InputError: The encoder cannot be had or was not made for a view, or no picture at all can be read.
    """
    loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
    if isinstance(progress, Meter):
        meter = progress
    else:
        meter = Meter(progress)
        meter.start("encoding", len(pictures))
    store = VectorCache(cache, loaded.weights_sha256) if cache else None
    views: list[View] = [pictures.modalities[i].view for i in pictures.modality]
    parts = []
    with ThreadPoolExecutor(core_count(), thread_name_prefix="decode") as pool:
        for start in range(0, len(pictures), _SHARD):
            rows = slice(start, start + _SHARD)
            parts.append(_shard(loaded, pictures.paths[rows], views[rows], store, pool, meter))
    meter.tell()
    whole = Embedded(
        np.concatenate([np.empty((0, loaded.dimension), np.float32), *(part.vectors for part in parts)]),
        np.concatenate([np.empty(0, bool), *(part.valid for part in parts)]),
        tuple(one for part in parts for one in part.broken),
    )
    if len(pictures) and not whole.valid.any():
        found = f"none of {len(pictures):,}; {whole.broken[0].path}: {whole.broken[0].reason}"
        raise InputError("pictures that can be read", found, "Check the root of the data set, and the encoder.")
    return whole


def _shard(
    encoder: Encoder,
    paths: Sequence[str],
    views: Sequence[View],
    store: VectorCache | None,
    pool: ThreadPoolExecutor,
    meter: Meter,
) -> Embedded:
    place = store.path(paths, views) if store else None
    if store and place and (known := store.read(place, len(paths))) is not None:
        meter.add(len(paths), len(known.broken))
        return known
    made = _encode(encoder, paths, views, pool, meter)
    if store and place:
        store.write(place, made)
    return made


def _encode(
    encoder: Encoder, paths: Sequence[str], views: Sequence[View], pool: ThreadPoolExecutor, meter: Meter
) -> Embedded:
    vectors = np.zeros((len(paths), encoder.dimension), np.float32)
    valid = np.zeros(len(paths), dtype=bool)
    broken = []
    work = ((encoder, path, view) for path, view in zip(paths, views, strict=True))
    ready = enumerate(in_order(lambda one: _prepare(*one), work, pool=pool, ahead=2 * BATCH))
    while batch := list(islice(ready, BATCH)):
        good = [(row, made) for row, made in batch if not isinstance(made, Skipped)]
        bad = [made for _, made in batch if isinstance(made, Skipped)]
        if good:
            made_of = encoder.encode([made for _, made in good])
            unit = np.abs(np.linalg.norm(made_of, axis=1) - 1.0) <= _UNIT  # False for NaN
            rows = np.array([row for row, _ in good])
            vectors[rows[unit]], valid[rows[unit]] = made_of[unit], True
            bad += [Skipped(paths[row], "the encoder finds nothing in it") for row in rows[~unit]]
        broken += bad
        meter.add(len(batch), len(bad))
    return Embedded(vectors, valid, tuple(broken))


def _prepare(encoder: Encoder, path: str, view: View) -> NDArray[Any] | Skipped:
    """Read, decode and resize one picture; runs in a thread."""
    pixels: Pixels
    try:
        pixels = open_photo(path).pixels_at(encoder.input_side_px)
    except InputError as error:
        return Skipped(path, reason_of(error, path))
    except DAMAGED as error:  # one odd picture must not stop the evaluation of a hundred thousand
        return Skipped(path, f"it cannot be decoded ({type(error).__name__}: {error})")
    return encoder.prepare(pixels, view)  # an encoder that was not made for this view is an error, not a broken picture
