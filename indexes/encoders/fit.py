"""Fit a vocabulary and a whitening on a user's own gallery: NetVLAD and DenseVLAD.

    fit_encoder(pictures, base="embedded", aggregation="netvlad", out=Path("my-encoder"))

and then `dir:my-encoder` is an encoder's spec. It needs no labels, only pictures like those to be searched; some
hundreds are enough for a vocabulary, and as many as the vector is to have dimensions, times four, for the whitening.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from geosleuth.indexes.encoders.encoder_folder import write_encoder
from geosleuth.indexes.encoders.fitted import load_fitted
from geosleuth.indexes.encoders.k_means import Floats32, k_means
from geosleuth.indexes.encoders.pooling import unit_rows
from geosleuth.indexes.encoders.sources import DENSE_SIFT, load_source
from geosleuth.indexes.encoders.vlad import Vlad, fitted_sharpness
from geosleuth.indexes.encoders.whitening import fit_whitening
from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from geosleuth.indexes.encoders.pooled import LocalFeatures, PooledEncoder
    from geosleuth.indexes.pixels import Pixels

logger = logging.getLogger(__name__)

CENTRES = {"netvlad": 64, "densevlad": 128}  # both papers' vocabularies
DIMENSION = 4096  # both papers' whitened vectors
_MOST_PICTURES = 5000  # kept for the fit, as files: 3 GB at 512 px; more than 4096, so that the whitening can be full
_MOST_FEATURES = 100_000  # of the sample that the centres are made of: 780 for each of 128


def fit_encoder(
    source_images: Iterable[Pixels],
    *,
    base: str = "embedded",
    aggregation: Literal["netvlad", "densevlad"],
    out: Path,
    dimension: int = DIMENSION,
    progress: Callable[[str, int], None] = lambda step, done: None,  # noqa: ARG005
) -> PooledEncoder:
    """Fit on pictures (h, w, 3) uint8 RGB, read once; of more than 5,000 a fair sample is kept.

    Args:
        source_images: The pictures of the gallery, or a sample of them.
        base: Spec of the network of netvlad's features; densevlad has its own.
        aggregation: Soft assignment to 64 centres, or dense RootSIFT to the nearest of 128.
        out: The encoder folder to write.
        dimension: At most this many numbers per vector; never more than the pictures less one.
        progress: Called with a step's name and the pictures that it has done.

    Returns:
        The encoder, as `load_encoder(f"dir:{out}")` loads it.

    Raises:
        InputError: Too few pictures or local features, or a missing package.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):  # before the work, not after it
        raise InputError("a new or empty folder for the encoder", f"{out}, which holds something", "Name another.")
    base = DENSE_SIFT if aggregation == "densevlad" else base
    source = load_source(base, "local")
    if source.is_pooled:
        raise InputError("a network with a feature map", base, "Choose another base.")
    with tempfile.TemporaryDirectory(prefix="geosleuth-fit-") as folder:
        pictures = _sample(source_images, source, Path(folder), progress)
        vlad, sample = _vocabulary(source, pictures, aggregation, progress)
        vectors = np.empty((len(pictures), vlad.dimension), np.float32)
        for index, path in enumerate(pictures):
            vectors[index] = vlad(_local(source, path))
            progress("describe", index + 1)
    whitening = fit_whitening(vectors, dimension)
    arrays = {"centres": vlad.centres, "mean": whitening.mean, "matrix": whitening.matrix}
    if vlad.sharpness is not None:
        arrays["sharpness"] = np.array([vlad.sharpness], np.float32)
    about = f"{aggregation} of {len(vlad.centres)} centres, fitted on {sample} features of {len(pictures)} pictures"
    logger.info("%s: %d dimensions", about, len(whitening.matrix))
    write_encoder(
        out,
        backbone=base,
        backbone_sha256=source.weights_sha256,
        aggregation=aggregation,
        dimension=len(whitening.matrix),
        aggregation_weights=arrays,
        about=about,
    )
    return load_fitted(out, f"dir:{out}")


def _sample(
    images: Iterable[Pixels], source: LocalFeatures, folder: Path, progress: Callable[[str, int], None]
) -> list[Path]:
    """Keep a fair sample (reservoir sampling) of prepared pictures as files: in memory they would be gigabytes."""
    rng = np.random.default_rng(7)
    count = 0
    for count, pixels in enumerate(images, 1):
        place = count - 1 if count <= _MOST_PICTURES else int(rng.integers(count))
        if place < _MOST_PICTURES:
            np.save(folder / f"{place}.npy", source.prepare(pixels))
        progress("read", count)
    if count < 2:
        raise InputError("pictures to fit an encoder on", f"{count}", "Give some hundreds, like those to be searched.")
    return [folder / f"{place}.npy" for place in range(min(count, _MOST_PICTURES))]


def _vocabulary(
    source: LocalFeatures, pictures: list[Path], aggregation: str, progress: Callable[[str, int], None]
) -> tuple[Vlad, int]:
    rng = np.random.default_rng(7)
    share = -(-_MOST_FEATURES // len(pictures))
    kept = []
    for index, path in enumerate(pictures):
        local = _local(source, path)
        kept.append(unit_rows(rng.permutation(local)[:share]))
        progress("sample", index + 1)
    sample = np.concatenate(kept)
    centres = k_means(sample, CENTRES[aggregation])
    soft = aggregation == "netvlad"
    return Vlad(centres, fitted_sharpness(sample, centres) if soft else None), len(sample)


def _local(source: LocalFeatures, path: Path) -> Floats32:
    (local,) = source.local([np.load(path)])
    return local
