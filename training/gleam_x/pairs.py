"""Pairs of any cross-view data set: the true reference of a query, and wrong ones that an encoder takes for it.

A wrong reference is of another place than the query's; semi-positives also show it and junk is of no known place, so
neither is ever called wrong. There are as many matches as wrong pairs, also in each beginning of the list, so that what
a budget ends early is balanced as well.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.encoders.encoder import Encoder
from geosleuth.indexes.encoders.load import load_encoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.progress import Meter, OnProgress
from geosleuth.training.datasets.cross_view import NO_PLACE, CrossViewSet, Pictures
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.evaluate.cross_view.embed import embed
from geosleuth.training.evaluate.cross_view.evaluate import rank_and_measure
from geosleuth.training.gleam_x.record import Label, Language, PairRecord

logger = logging.getLogger(__name__)

Ints = NDArray[np.int64]
_Wrong = list[tuple[int, int | None]]  # row of a reference, its rank among the wrong ones


def make_pairs(
    opened: CrossViewSet,
    root: Path,
    *,
    encoder: str | Encoder | None,
    queries: int | None = None,
    negatives: int = 1,
    seed: int = 0,
    ranks: tuple[int, int] = (1, 10),
    languages: Sequence[Language] = ("en",),
    cache: Path | None = None,
    progress: OnProgress | None = None,
) -> list[PairRecord]:
    """Draw pairs, as many matches as wrong ones; the same arguments give the same pairs.

    Args:
        opened: A split of a data set.
        root: Of the data set; paths of the records are relative to it.
        encoder: Ranks the references, and should be no better than what the verifier will check; None draws wrong
            references by chance, which are mostly easy.
        queries: How many to draw, of those that have a true reference; None: all.
        negatives: Wrong references of a query that gives any; one query in so many does, for the balance.
        seed: Of the drawing.
        ranks: The first and the last rank that a wrong reference may have among the wrong ones, 1 the most similar.
        languages: Each pair comes once in each.
        cache: A folder that keeps vectors, as of `evaluate retrieval`.
        progress: Told how far the encoding is.

    Raises:
        InputError: No query has a true reference or a wrong one, a number makes no sense, a picture lies outside of
            the root, or the encoder cannot be had.
    """
    _check(negatives, ranks, queries, languages)
    if isinstance(encoder, str) and encoder.partition(":")[0] not in ("embedded", "hf", "timm", "dir"):
        remedy = "Use one of: embedded, hf:ORG/NAME[@REV], timm:NAME, dir:PATH."
        raise InputError("an encoder that ranks the references", repr(encoder), remedy)
    rng = np.random.default_rng(seed)
    data = _drawn(opened, queries, rng)
    truth = _truth(data)
    wrong: list[_Wrong] | None = None
    if encoder is not None:
        data, truth, wrong = _ranked(data, truth, encoder, ranks, cache, progress)
    order = rng.permutation(len(data.queries))
    matches = [(int(q), int(rng.choice(truth[q]))) for q in order]
    others: list[tuple[int, int, int | None]] = []
    for q in order:
        if len(others) >= len(matches):
            break
        found = wrong[q] if wrong is not None else _by_chance(data, q, negatives, rng)
        some = sorted(rng.permutation(len(found))[: min(negatives, len(matches) - len(others))].tolist())
        others += [(int(q), *found[i]) for i in some]
    if not others:
        found_in = f"none in {opened!r} at the ranks {ranks[0]} to {ranks[1]}"
        raise InputError("wrong references", found_in, "Allow lower ranks, or use a larger gallery.")
    if len(others) < len(matches):
        logger.info(
            "%d of %d matches are left out: there are no more wrong pairs", len(matches) - len(others), len(matches)
        )
    return _records(data, root, matches[: len(others)], others, languages)


def _records(
    data: CrossViewSet,
    root: Path,
    matches: Sequence[tuple[int, int]],
    others: Sequence[tuple[int, int, int | None]],
    languages: Sequence[Language],
) -> list[PairRecord]:
    """Matches and wrong pairs in turns."""
    pairs: list[tuple[int, int, Label, int | None]] = []
    for (q, true), (other_q, reference, rank) in zip(matches, others, strict=True):
        pairs += [(q, true, "match", None), (other_q, reference, "no_match", rank)]
    return [
        _record(data, root, query, reference, label, rank, lang)
        for query, reference, label, rank in pairs
        for lang in languages
    ]


def _record(
    data: CrossViewSet, root: Path, query: int, reference: int, label: Label, rank: int | None, lang: Language
) -> PairRecord:
    asked, shown = data.queries, data.references
    query_path, reference_path = _relative(asked.paths[query], root), _relative(shown.paths[reference], root)
    kind = asked.modalities[asked.modality[query]]
    digest = hashlib.sha256(f"{query_path}\n{reference_path}".encode()).hexdigest()
    return PairRecord(
        pair_id=f"{data.name}-{data.split}-{digest[:16]}".replace(" ", "-").lower(),
        query_path=query_path,
        query_view=kind.view,
        query_modality=kind.name,
        satellite_path=reference_path,
        reference_view=shown.modalities[shown.modality[reference]].view,
        label=label,
        lang=lang,
        source_dataset=f"{data.name} {data.split}",
        hard_negative_rank=rank,
    )


def _drawn(opened: CrossViewSet, count: int | None, rng: np.random.Generator) -> CrossViewSet:
    """Some of the queries that have a true reference."""
    places = opened.references.places
    rows = np.flatnonzero(np.isin(opened.queries.places, places[places != NO_PLACE]))
    if not len(rows):
        raise InputError("queries with a true reference", f"none in {opened!r}", "Name a split that has answers.")
    if count is not None and count < len(rows):
        rows = np.sort(rng.choice(rows, count, replace=False))
    return _with_queries(opened, rows)


def _with_queries(data: CrossViewSet, rows: NDArray[np.intp]) -> CrossViewSet:
    one = data.queries
    kept = Pictures(
        paths=[one.paths[row] for row in rows],
        modalities=one.modalities,
        modality=one.modality[rows],
        places=one.places[rows],
        positions=one.positions[rows],
    )
    return replace(
        data, queries=kept, semi_positives=None if data.semi_positives is None else data.semi_positives[rows]
    )


def _truth(data: CrossViewSet, readable: NDArray[np.bool_] | None = None) -> list[Ints]:
    """Rows of the true references of every query, those alone that can be read."""
    places = data.references.places if readable is None else np.where(readable, data.references.places, NO_PLACE)
    order = np.argsort(places, kind="stable")
    first = np.searchsorted(places[order], data.queries.places, side="left")
    last = np.searchsorted(places[order], data.queries.places, side="right")
    return [order[a:b] for a, b in zip(first, last, strict=True)]


def _ranked(
    data: CrossViewSet,
    truth: list[Ints],
    encoder: str | Encoder,
    ranks: tuple[int, int],
    cache: Path | None,
    progress: OnProgress | None,
) -> tuple[CrossViewSet, list[Ints], list[_Wrong]]:
    """Rank the references; queries that cannot be read, or whose true references cannot, are left out."""
    loaded = load_encoder(encoder) if isinstance(encoder, str) else encoder
    meter = Meter(progress)
    meter.start("encoding", len(data.references) + len(data.queries))
    references = embed(loaded, data.references, cache=cache, progress=meter)
    queries = embed(loaded, data.queries, cache=cache, progress=meter)
    semi = 0 if data.semi_positives is None else data.semi_positives.shape[1]
    # Among so many are enough wrong ones, wherever the true ones stand.
    depth = ranks[1] + max(map(len, truth)) + semi
    found, _ = rank_and_measure(
        data, queries.vectors, references.vectors, queries.valid, references.valid, nearest=depth
    )
    truth = _truth(data, references.valid)
    rows = np.array([q for q in range(len(data.queries)) if queries.valid[q] and len(truth[q])], dtype=np.intp)
    if not len(rows):
        raise InputError("queries whose pictures can be read", f"none in {data!r}", "Check the root of the data set.")
    wrong = []
    for q in rows:
        listed = [int(r) for r in found.nearest[q] if r >= 0 and _is_wrong(data, int(q), int(r))]
        numbered: _Wrong = list(zip(listed, range(1, len(listed) + 1), strict=True))
        wrong.append(numbered[ranks[0] - 1 : ranks[1]])
    return _with_queries(data, rows), [truth[q] for q in rows], wrong


def _is_wrong(data: CrossViewSet, query: int, reference: int) -> bool:
    place = data.references.places[reference]
    semi = data.semi_positives is not None and reference in data.semi_positives[query]
    return bool(place not in (NO_PLACE, data.queries.places[query]) and not semi)


def _by_chance(data: CrossViewSet, query: int, count: int, rng: np.random.Generator) -> _Wrong:
    """Some wrong references, without a rank."""
    places = data.references.places
    allowed = (places != NO_PLACE) & (places != data.queries.places[query])
    if data.semi_positives is not None:
        allowed[data.semi_positives[query][data.semi_positives[query] >= 0]] = False
    rows = np.flatnonzero(allowed)
    return [(int(row), None) for row in rng.choice(rows, min(count, len(rows)), replace=False)]


def _relative(path: str, root: Path) -> str:
    relative = os.path.relpath(path, root).replace(os.sep, "/")
    if leads_out(relative):
        raise InputError(f"pictures below {root}", path, "Name the root that the data set was opened with.")
    return relative


def _check(negatives: int, ranks: tuple[int, int], queries: int | None, languages: Sequence[Language]) -> None:
    if not 1 <= ranks[0] <= ranks[1]:
        raise InputError("a first and a last rank, from 1", f"{ranks[0]} and {ranks[1]}", "Write them as 1 10.")
    if negatives < 1 or (queries is not None and queries < 1):
        found = f"{negatives} and {queries}"
        raise InputError("one wrong reference and one query, or more", found, "Raise the number.")
    if not languages or len(set(languages)) != len(languages):
        raise InputError("one language or more, each once", repr(list(languages)), "Use en, zh or both.")
