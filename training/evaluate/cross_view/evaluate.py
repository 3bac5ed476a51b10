"""From vectors, or from an encoder and pictures, to rankings and figures."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.encoder import Encoder, Vectors
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.progress import Meter, OnProgress
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Pictures, Skipped
from geosleuth.training.evaluate.cross_view.embed import embed
from geosleuth.training.evaluate.cross_view.measures import Mask, Measures, measure
from geosleuth.training.evaluate.cross_view.ranks import NEAREST, Ranks, squared_lengths, true_ranks

logger = logging.getLogger(__name__)

_UNIT = 1e-2  # how far from 1 a vector's length may be: bfloat16 has 8 bits


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A split, what an encoder makes of it, and what that is worth."""

    data: CrossViewSet
    encoder: str  # its spec
    weights_sha256: str
    ranks: Ranks
    measures: Measures
    unreadable: tuple[Skipped, ...] = ()


def evaluate_encoder(
    data: CrossViewSet, encoder: str | Encoder, *, cache: Path | None = None, progress: OnProgress | None = None
) -> Evaluation:
    """Encode all pictures of a split, and judge what came out; arguments as of `embed`.

    Raises:
        InputError: The encoder cannot be had or was not made for a view, or there are no queries or references.
    """
    loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
    meter = Meter(progress)
    meter.start("encoding", len(data.references) + len(data.queries))
    references = embed(loaded, data.references, cache=cache, progress=meter)
    queries = embed(loaded, data.queries, cache=cache, progress=meter)
    ranks, measures = rank_and_measure(data, queries.vectors, references.vectors, queries.valid, references.valid)
    unreadable = (*queries.broken, *references.broken)
    return Evaluation(data, loaded.spec, loaded.weights_sha256, ranks, measures, unreadable)


def evaluate_vectors(
    data: CrossViewSet,
    query_vectors: Vectors,
    reference_vectors: Vectors,
    query_valid: Mask | None = None,
    reference_valid: Mask | None = None,
) -> Measures:
    """Judge vectors that are there already: a training loop's.

    Args:
        data: The split.
        query_vectors: (q, d) of length 1.
        reference_vectors: (r, d) the same.
        query_valid: (q,) which pictures could be read; such a query counts as not found. By default all.
        reference_valid: (r,) such a reference is not searched.

    Raises:
        InputError: A vector is not finite or not of length 1, or there are no queries or references.
    """
    _, measures = rank_and_measure(data, query_vectors, reference_vectors, query_valid, reference_valid, nearest=0)
    one = measures.overall
    if one.tied:
        logger.warning(
            "%s %s: %s of %s queries tie at the first place; recall@1 is %.1f %%, and %.1f %% if ties count as errors. "
            "An encoder that maps all pictures to one vector looks like this.",
            *(data.name, data.split, one.tied, one.queries, 100 * one.recall[1], 100 * one.recall_1_ties_wrong),
        )
    return measures


def rank_and_measure(
    data: CrossViewSet,
    query_vectors: Vectors,
    reference_vectors: Vectors,
    query_valid: Mask | None = None,
    reference_valid: Mask | None = None,
    *,
    nearest: int = NEAREST,
) -> tuple[Ranks, Measures]:
    """As `evaluate_vectors`, with the rankings and the references nearest to each query."""
    query_valid = np.ones(len(data.queries), dtype=bool) if query_valid is None else query_valid
    reference_valid = np.ones(len(data.references), dtype=bool) if reference_valid is None else reference_valid
    ranks = true_ranks(
        _checked(query_vectors, query_valid, "query"),
        np.where(query_valid, data.queries.places, NO_PLACE),
        _checked(reference_vectors, reference_valid, "reference"),
        np.where(reference_valid, data.references.places, NO_PLACE),
        semi_positives=data.semi_positives,
        nearest=nearest,
    )
    gone = int((~reference_valid & (data.references.places != NO_PLACE)).sum())
    return ranks, measure(data, ranks, readable=query_valid, unreadable_references=gone)


def _checked(vectors: Vectors, valid: Mask, name: str) -> Vectors:
    """Blank the rows that are not valid, which may hold anything; refuse others that are not of length 1."""
    vectors = np.where(valid[:, None], vectors, np.float32(0.0)) if not valid.all() else vectors
    length = np.sqrt(squared_lengths(vectors))
    wrong = valid & (np.abs(length - 1.0) > _UNIT)  # not NaN: `true_ranks` has words for it
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        found = f"{wrong.sum():,} of {len(vectors):,} of another length, {length[row]:.3g} in row {row}"
        raise InputError(f"{name} embeddings of length 1", found, "Normalise the embeddings before they are judged.")
    return np.asarray(vectors, dtype=np.float32)


def some_queries(data: CrossViewSet, count: int, seed: int = 0) -> CrossViewSet:
    """Draw `count` queries by chance; the gallery stays whole, since recall falls with its size."""
    if count >= len(data.queries):
        return data
    rows = np.sort(np.random.default_rng(seed).choice(len(data.queries), count, replace=False))
    semi = None if data.semi_positives is None else data.semi_positives[rows]
    return replace(data, queries=_rows(data.queries, rows), semi_positives=semi)


def _rows(pictures: Pictures, rows: NDArray[np.intp]) -> Pictures:
    return Pictures(
        paths=[pictures.paths[row] for row in rows],
        modalities=pictures.modalities,
        modality=pictures.modality[rows],
        places=pictures.places[rows],
        positions=pictures.positions[rows],
    )
