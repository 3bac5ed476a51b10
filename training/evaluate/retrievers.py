"""The four retrievers of VLM-guided place recognition, as far as their weights are here, as vectors of photos."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.fit import fit_encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.photo import load_photo
from geosleuth.training.evaluate.retrieval import Retriever

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.encoder import Encoder
    from geosleuth.indexes.pixels import Pixels

logger = logging.getLogger(__name__)

_BATCH = 16  # photos decoded at once


def retrievers(photos: Sequence[Path], cache: Path) -> list[Retriever]:
    """Encode photos by every retriever; fitted ones are fitted on these photos. `cache` keeps vectors."""
    gem = load_encoder("embedded")
    out = [Retriever(f"GeM, embedded ({gem.dimension})", _vectors(gem, photos, cache))]
    for name, aggregation in (("NetVLAD", "netvlad"), ("DenseVLAD", "densevlad")):
        fitted = _fitted(photos, aggregation, cache)  # type: ignore[arg-type]  # a tuple's strings are str to mypy
        out.append(Retriever(f"{name}, fitted ({fitted.dimension})", _vectors(fitted, photos, cache)))
    out.append(Retriever("AMOSNet", None, "by weights, which no package ships"))
    return out


def _fitted(photos: Sequence[Path], aggregation: Literal["netvlad", "densevlad"], cache: Path) -> Encoder:
    folder = cache / f"{aggregation}-{_hash(photos)}"
    if folder.exists():
        shutil.rmtree(folder)  # fitted again: another version of the code may have fitted it
    logger.info("Fitting %s on %d photos", aggregation, len(photos))
    return fit_encoder(_pictures(photos), aggregation=aggregation, out=folder)


def _pictures(photos: Sequence[Path]) -> Iterator[Pixels]:
    for path in photos:
        yield load_photo(path).pixels


def _vectors(encoder: Encoder, photos: Sequence[Path], cache: Path) -> NDArray[np.float32]:
    """(n, d) unit vectors, kept by the encoder's hash and the photos'."""
    file = cache / f"vectors-{encoder.weights_sha256[:16]}-{_hash(photos)}.npy"
    if file.is_file():
        kept: NDArray[np.float32] = np.load(file)
        return kept
    logger.info("Encoding %d photos by %s", len(photos), encoder.spec)
    parts = []
    for start in range(0, len(photos), _BATCH):
        prepared = [encoder.prepare(pixels) for pixels in _pictures(photos[start : start + _BATCH])]
        parts.append(encoder.encode(prepared))
    vectors = np.concatenate(parts)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(file, vectors)
    return vectors


def _hash(photos: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in photos:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
