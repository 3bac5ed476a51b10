"""From answers to the record of a run: which tables, curves and notes an evaluation has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from geosleuth.training.evaluate.vlm import explanations, grounding, verifier_rows
from geosleuth.training.evaluate.vlm.explanations import ExplanationRow, explanation_rows, explanation_statistics
from geosleuth.training.evaluate.vlm.grounding import GroundingRow, grounding_statistics
from geosleuth.training.evaluate.vlm.intervals import Statistic, figures
from geosleuth.training.evaluate.vlm.prior_measures import (
    CITY_NOTE,
    bin_statistics,
    by_locatability,
    confidences,
    held_out_statistics,
    places,
    prior_statistics,
)
from geosleuth.training.evaluate.vlm.prior_rows import PriorRow, prior_rows
from geosleuth.training.evaluate.vlm.record import Section, VlmRecord
from geosleuth.training.evaluate.vlm.reliability import Bin, bins_of, cross_fitted, yes_probability
from geosleuth.training.evaluate.vlm.verifier_rows import (
    PairRow,
    group_statistics,
    groups,
    logits_of,
    once_each,
    pair_rows,
    queries,
    verdict_statistics,
)

if TYPE_CHECKING:
    from geosleuth.tools.candidate import Language
    from geosleuth.training.evaluate.vlm.grounding import Grounded
    from geosleuth.training.evaluate.vlm.prior import AskedViews
    from geosleuth.training.evaluate.vlm.verifier import AskedPairs
    from geosleuth.training.locatability.text_encoder import TextEncoder

Row = TypeVar("Row")

BY_LOCATABILITY = "By locatability"
_UNCALIBRATED = "not calibrated"
_CALIBRATED = "calibrated on the pairs of other queries"
_LEAST_COVERED = 0.01  # below it `tools.georeasoner` says that the model names no country
_FEW_PLACES = 30  # Cameron, Gelbach and Miller (2008): errors by few groups, five to thirty, come out too small
_ROC_POINTS = 400  # more than the drawing has pixels of difference
_NOT_FITTED = (
    "No calibration could be fitted across folds: there are fewer than five queries, a fold lacks one of the labels, "
    "or the model says yes no sooner to matches than to other pairs."
)


def measured_prior(
    asked: AskedViews, *, model: str, data: str, seen_countries: Collection[str] | None = None
) -> VlmRecord:
    """Measure a prior.

    Args:
        asked: What was answered.
        model: Its spec, for the record.
        data: Name of the data, for the record.
        seen_countries: Codes of the countries that training saw; views of others are judged apart.
    """
    rows = prior_rows(asked, seen_countries)
    known, held_out = [row for row in rows if not row.held_out], [row for row in rows if row.held_out]
    sections = [_section("Figures", {"all": known}, prior_statistics, places)] if known else []
    bins = by_locatability(known)
    if bins:
        sections.append(_section(BY_LOCATABILITY, bins, bin_statistics, places))
    if held_out:
        sections.append(
            _section("Countries that training never saw", {"held out": held_out}, held_out_statistics, places)
        )
    confidence, right = confidences(known)
    return VlmRecord(
        task="prior",
        model=model,
        weights=asked.weights,
        data=data,
        sections=tuple(sections),
        notes=tuple(_prior_notes(asked, rows)),
        reliability={"likeliest country": bins_of(confidence, right)} if confidence else {},
        missing=tuple((one.path, one.reason) for one in asked.missing),
        prior_rows=tuple(rows),
    )


def measured_verifier(
    asked: AskedPairs,
    *,
    model: str,
    data: str,
    encoders: Mapping[Language, TextEncoder] | None = None,
    grounded: Grounded | None = None,
    lister: str = "",
) -> VlmRecord:
    """Measure a verifier.

    Args:
        asked: What was answered.
        model: Its spec, for the record.
        data: Name of the data, for the record.
        encoders: What judges the similarity of explanations, by language.
        grounded: What `ground` found.
        lister: Who told the features, for the record.
    """
    rows = pair_rows(asked)
    single = once_each(rows)
    sections = [_section("Verdicts", {"all": single}, verdict_statistics, queries)]
    sections.append(_section("Verdicts by group", groups(rows), group_statistics, queries))
    explained = explanation_rows(asked, dict(encoders or {}))
    if explained:
        written = {lang: [row for row in explained if row.lang == lang] for lang in _languages(explained)}
        sections.append(_section("Explanations", written, explanation_statistics, explanations.queries))
    if grounded and grounded.rows:
        title = f"Do explanations depend on the pictures? By {lister}"
        checked = {lang: [row for row in grounded.rows if row.lang == lang] for lang in _languages(grounded.rows)}
        sections.append(_section(title, checked, grounding_statistics, grounding.queries))
    curves, fitted = _reliability(single)
    left_out = grounded.left_out if grounded else {}
    notes = [f"Grounding, left out: {why}: {n:,}." for why, n in left_out.items()]
    notes = [*_verifier_notes(asked, single, fitted), *notes]
    return VlmRecord(
        task="verifier",
        model=model,
        weights=asked.weights,
        data=data,
        sections=tuple(sections),
        notes=tuple(notes),
        reliability=curves,
        roc=roc_points(single),
        similarity={lang: encoder.weights for lang, encoder in (encoders or {}).items()} if explained else {},
        missing=tuple((one.path, one.reason) for one in asked.missing),
        pair_rows=tuple(rows),
        explanation_rows=tuple(explained),
        grounding_rows=grounded.rows if grounded else (),
    )


def roc_points(rows: Sequence[PairRow]) -> tuple[tuple[float, float], ...]:
    """False and true positive rate at every threshold on the logit, from (0, 0) to (1, 1); none of one label alone."""
    known = [row for row in rows if row.logit is not None]
    match = np.array([row.match for row in known], dtype=bool)
    if not match.any() or match.all():
        return ()
    logits = logits_of(known)
    order = np.argsort(-logits, kind="stable")
    last = np.flatnonzero(np.diff(logits[order], append=np.nan) != 0)  # of each run of equal logits
    true, false = np.cumsum(match[order])[last] / match.sum(), np.cumsum(~match[order])[last] / (~match).sum()
    kept = np.unique(np.linspace(0, len(last) - 1, min(len(last), _ROC_POINTS)).round().astype(int))
    return ((0.0, 0.0), *((float(x), float(y)) for x, y in zip(false[kept], true[kept], strict=True)))


def _languages(rows: Sequence[ExplanationRow] | Sequence[GroundingRow]) -> list[str]:
    return list(dict.fromkeys(row.lang for row in rows))


def _section(
    title: str,
    columns: Mapping[str, Sequence[Row]],
    statistics: Callable[[Sequence[Row]], dict[str, Statistic]],
    drawn_by: Callable[[Sequence[Row]], list[Hashable]],
) -> Section:
    return Section(
        title=title,
        columns={name: figures(statistics(rows), drawn_by(rows)) for name, rows in columns.items()},
        counts={name: len(rows) for name, rows in columns.items()},
    )


def _reliability(rows: Sequence[PairRow]) -> tuple[dict[str, list[Bin]], bool]:
    logits, match = logits_of(rows), [row.match for row in rows]
    curves = {_UNCALIBRATED: bins_of(yes_probability(logits), match)}
    fitted = cross_fitted(logits.tolist(), match, verifier_rows.queries(rows))
    if fitted is not None:
        curves[_CALIBRATED] = bins_of(fitted, match)
    return curves, fitted is not None


def _prior_notes(asked: AskedViews, rows: Sequence[PriorRow]) -> list[str]:
    answers = [one for one in asked.answers if one is not None]
    cut = sum(not one.finished for one in answers)
    nowhere = sum(view.country is None for view in asked.views)
    without = len(answers) - sum(one.shares is not None for one in answers)
    silent = sum(one.shares is not None and sum(one.shares.values()) < _LEAST_COVERED for one in answers)
    counts = (
        ("Photos that could not be asked, and count as unanswered", len(asked.missing)),
        ("Replies that were cut off at the limit of tokens", cut),
        ("Photos whose true country is not known: no answer to them is right", nowhere),
        ("Photos without probabilities of countries, since the server gives none", without),
        ("Photos of which the model gives less than 1 % to names of countries: their likeliest is noise", silent),
    )
    said = [f"{words}: {count:,}." for words, count in counts if count]
    number = len({row.place for row in rows})
    if number < _FEW_PLACES:
        said.append(f"Intervals are over {number:,} places, cities or cells of 10 km: too narrow, as of all so few.")
    return [*([CITY_NOTE] if any(row.placed_by in ("city", "country") for row in rows) else []), *said]


def _verifier_notes(asked: AskedPairs, rows: Sequence[PairRow], fitted: bool) -> list[str]:
    cut = sum(one.reasons is not None and not one.reasons.finished for one in asked.pairs)
    counts = (
        ("Records that could not be asked; their pairs count as wrong", len(asked.missing)),
        ("Pairs to which the model answered neither yes nor no", sum(row.logit is None for row in rows)),
        ("Explanations that were cut off at the limit of tokens", cut),
    )
    said = [f"{words}: {count:,}." for words, count in counts if count]
    matches = sum(row.match for row in rows)
    base = f"{len(rows):,} pairs, {matches:,} of one place and {len(rows) - matches:,} of two."
    return [base, *said, *([] if fitted else [_NOT_FITTED])]
