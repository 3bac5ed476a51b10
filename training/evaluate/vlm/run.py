"""A whole evaluation: ask, measure, gather the failures; what was answered is kept in the report's folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import locked
from geosleuth.training.evaluate.vlm.answer_file import AnswerFile, OnAsked

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Language
    from geosleuth.training.evaluate.vlm.record import VlmRecord
    from geosleuth.training.georeasoner.street_views import StreetViews
    from geosleuth.training.gleam_x.record import PairRecord
    from geosleuth.training.locatability.text_encoder import TextEncoder

PRIOR_ANSWERS, VERDICTS, REASONS = "prior_answers.jsonl", "verdicts.jsonl", "reasons.jsonl"
NO_SIMILARITY = "off"

Phase = Callable[[str], OnAsked]  # a step's name -> what is told of it
Failures = dict[str, str]  # HTML by heading
Item = TypeVar("Item")


def evaluate_prior(
    model: str,
    views: StreetViews,
    *,
    out: Path | None = None,
    limit: int | None = None,
    seen_countries: Collection[str] | None = None,
    compare: VlmRecord | None = None,
    phase: Phase | None = None,
) -> tuple[VlmRecord, Failures]:
    """Judge a model as GeoReasoner's prior.

    Args:
        model: Its spec.
        views: With their true countries, and cities and locatability where they have them.
        out: Folder for the answers, so that nothing is asked twice; it must be there.
        limit: Only so many views, drawn by chance.
        seen_countries: Codes of the countries of its training; views of others are judged apart.
        compare: A run that this one must be over the same views as.
        phase: Told of every answer.

    Raises:
        InputError: No such model, a server that does not answer, no view that can be read, or another run over others.
    """
    from geosleuth.tools.vlm.load import load_vlm
    from geosleuth.training.evaluate.vlm.failures import photo_rows
    from geosleuth.training.evaluate.vlm.measured import measured_prior
    from geosleuth.training.evaluate.vlm.prior import PriorAnswer, ask_views
    from geosleuth.training.evaluate.vlm.same_items import check_views

    chosen = some(views.views, limit)
    check_views(chosen, compare)
    with _held(out):
        answers = AnswerFile(out / PRIOR_ANSWERS if out else None, PriorAnswer)
        asked = ask_views(chosen, load_vlm(model), answers, on_asked=phase and phase("asking"))
    record = measured_prior(asked, model=model, data=views.name, seen_countries=seen_countries)
    return record, photo_rows(asked, record)


def evaluate_verifier(
    model: str,
    records: Sequence[PairRecord],
    root: Path,
    *,
    data: str,
    out: Path | None = None,
    limit: int | None = None,
    explanations: bool = False,
    similarity: str = "shipped",
    grounding: str | None = None,
    compare: VlmRecord | None = None,
    phase: Phase | None = None,
) -> tuple[VlmRecord, Failures]:
    """Judge a model as GLEAM-X's verifier.

    Args:
        model: Its spec.
        records: Pairs with their labels, and explanations where they have them.
        root: What their paths are relative to.
        data: Name of the data, for the record.
        out: Folder for the answers, so that nothing is asked twice; it must be there.
        limit: Only so many pairs, drawn by chance.
        explanations: Have it write why as well.
        similarity: What compares its reasons with the reference: see `load_similarity`; "off" for none.
        grounding: Who says what texts name and pictures show: see `load_lister`; None leaves the test out.
        compare: A run that this one must be over the same pairs as.
        phase: Told of every answer.

    Raises:
        InputError: No such model, a package that is missing, a server that does not answer, no pair that can be read,
            or another run over others.
    """
    from geosleuth.tools.vlm.load import load_vlm
    from geosleuth.training.evaluate.vlm.failures import pair_rows_html
    from geosleuth.training.evaluate.vlm.grounding import ground
    from geosleuth.training.evaluate.vlm.listers import load_lister
    from geosleuth.training.evaluate.vlm.measured import measured_verifier
    from geosleuth.training.evaluate.vlm.same_items import check_pairs
    from geosleuth.training.evaluate.vlm.verifier import Asker, ReasonsAnswer, VerdictAnswer, ask_pairs

    chosen = some_pairs(records, limit)
    check_pairs(chosen, compare)
    # Before the hours of asking: a package may be missing.
    encoders = _encoders(chosen, similarity) if explanations else {}
    lister = load_lister(grounding) if grounding else None
    with _held(out):
        verdicts = AnswerFile(out / VERDICTS if out else None, VerdictAnswer)
        reasons = AnswerFile(out / REASONS if out else None, ReasonsAnswer)
        asker = Asker(load_vlm(model), root, verdicts, reasons)
        asked = ask_pairs(chosen, asker, explanations=explanations, on_asked=phase and phase("asking"))
        grounded = ground(chosen, asker, lister, on_asked=phase and phase("checking")) if lister else None
    name = lister.name if lister else ""
    record = measured_verifier(asked, model=model, data=data, encoders=encoders, grounded=grounded, lister=name)
    return record, pair_rows_html(asked, record, root)


def some(items: Sequence[Item], limit: int | None, seed: int = 0) -> Sequence[Item]:
    """Draw so many by chance, in their order; the same ones of the same items."""
    if limit is None or limit >= len(items):
        return items
    drawn = np.sort(np.random.default_rng(seed).choice(len(items), limit, replace=False))
    return [items[i] for i in drawn]


def some_pairs(records: Sequence[PairRecord], limit: int | None) -> Sequence[PairRecord]:
    """Draw so many pairs by chance, each in all its languages."""
    drawn = set(some(list(dict.fromkeys(record.pair_id for record in records)), limit))
    return [record for record in records if record.pair_id in drawn]


def _encoders(records: Sequence[PairRecord], spec: str) -> dict[Language, TextEncoder]:
    from geosleuth.training.evaluate.vlm.text_similarity import load_similarity

    if spec == NO_SIMILARITY:
        return {}
    languages = dict.fromkeys(record.lang for record in records if record.explanation)
    return {lang: load_similarity(spec, lang) for lang in languages}


@contextlib.contextmanager
def _held(out: Path | None) -> Iterator[None]:
    """Two at once would ask the same questions."""
    if out is None:
        yield
        return
    if not out.is_dir():
        raise InputError("a folder for the report", f"none at {out}", "Make it, or name another with --out.")
    with locked(out, f"the report {out} for this process alone", "another that writes it now"):
        yield
