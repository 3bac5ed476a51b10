"""What each judged pair comes to, and the figures of verdicts: of all pairs, by modality, language and hardness.

- accuracy: share of the pairs judged right; a pair without an answer is wrong.
- TPR, TNR: share of the pairs of one place, and of two, that are judged right.
- yes-rate less base rate: below 0 the model leans to "no match", as untrained ones do (arXiv 2509.07450).
- AUC: how often a match has a higher P(yes) than another pair, ties half.
- ECE: of P(yes) against how often the pair is a match; then of P(match) after `tools.match_calibration`, fitted on the
  pairs of other queries (five folds).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from geosleuth.training.evaluate.vlm.intervals import Floats, Statistic, auc, difference, share
from geosleuth.training.evaluate.vlm.reliability import cross_fitted, ece, yes_probability

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.verifier import AskedPairs
    from geosleuth.training.gleam_x.record import PairRecord

_RANKS = ((1, 1), (2, 5), (6, 20), (21, None))  # hard negatives by retrieval rank


class PairRow(BaseModel):
    """One pair in one language, and its verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    """Of the pair: the same in both languages."""
    lang: str
    query: str
    """Path of the query: pairs of one query are no independent witnesses."""
    tile: str
    modality: str
    rank: int | None
    match: bool
    logit: float | None
    """ln P(yes) / P(no); None where there was no answer."""

    @property
    def right(self) -> bool:
        """The verdict is the label; an even one is a match."""
        return self.logit is not None and (self.logit >= 0) == self.match


def pair_rows(asked: AskedPairs) -> list[PairRow]:
    """A row for each record."""
    return [
        PairRow(
            item=one.record.pair_id,
            lang=one.record.lang,
            query=one.record.query_path,
            tile=one.record.satellite_path,
            modality=one.record.query_modality,
            rank=one.record.hard_negative_rank,
            match=one.record.label == "match",
            logit=one.verdict.logit if one.verdict else None,
        )
        for one in asked.pairs
    ]


def same_item(record: PairRecord, row: PairRow) -> bool:
    """Whether a row is of this pair, in this language and with this label."""
    said = (record.pair_id, record.lang, record.query_path, record.satellite_path, record.label == "match")
    return said == (row.item, row.lang, row.query, row.tile, row.match)


def once_each(rows: Sequence[PairRow]) -> list[PairRow]:
    """Leave out a pair's second language: its verdict is the same answer."""
    first: dict[str, PairRow] = {}
    for row in rows:
        first.setdefault(row.item, row)
    return list(first.values())


def verdict_statistics(rows: Sequence[PairRow]) -> dict[str, Statistic]:
    """Name and statistic, in the order of the table; after calibration only where it can be fitted."""
    logits, match = logits_of(rows), np.array([row.match for row in rows], dtype=bool)
    own = yes_probability(logits)
    found = _rates(own, match, "")
    found["AUC"] = auc(logits, match)
    found["ECE"] = ece(own, match)
    fitted = cross_fitted(logits.tolist(), match.tolist(), queries(rows))
    if fitted is not None:
        found |= _rates(fitted, match, ", calibrated")
        found["ECE, calibrated"] = ece(fitted, match)
    found["without an answer"] = share(np.isnan(logits))
    return found


def logits_of(rows: Sequence[PairRow]) -> Floats:
    """Ln P(yes) / P(no), NaN where there was no answer."""
    return np.array([np.nan if row.logit is None else row.logit for row in rows], dtype=np.float64)


def queries(rows: Sequence[PairRow]) -> list[Hashable]:
    """What rows are drawn by."""
    return [row.query for row in rows]


def groups(rows: Sequence[PairRow]) -> dict[str, list[PairRow]]:
    """Rows by modality, by language, and wrong pairs by the rank at which retrieval found them."""
    single = once_each(rows)
    found: dict[str, list[PairRow]] = {}
    for name in dict.fromkeys(row.modality for row in single):
        found[f"modality: {name}"] = [row for row in single if row.modality == name]
    for lang in dict.fromkeys(row.lang for row in rows):
        found[f"language: {lang}"] = [row for row in rows if row.lang == lang]
    for low, high in _RANKS:
        inside = [row for row in single if row.rank is not None and low <= row.rank <= (high or row.rank)]
        if inside:
            span = str(low) if low == high else f"{low} to {high}" if high else f"{low} and above"
            found[f"hard negatives, rank {span}"] = inside
    return found


def group_statistics(rows: Sequence[PairRow]) -> dict[str, Statistic]:
    """Of a group: the rates and AUC alone, since folds of a few pairs fit nothing."""
    logits, match = logits_of(rows), np.array([row.match for row in rows], dtype=bool)
    return _rates(yes_probability(logits), match, "") | {"AUC": auc(logits, match)}


def _rates(probability: Floats, match: NDArray[np.bool_], name: str) -> dict[str, Statistic]:
    answered = ~np.isnan(probability)
    yes = np.nan_to_num(probability) >= 0.5
    right = answered & (yes == match)
    bias = difference(share(answered & yes, answered), share(answered & match, answered))
    return {
        f"accuracy{name}": share(right),
        f"TPR{name}": share(right & match, match),
        f"TNR{name}": share(right & ~match, ~match),
        f"yes-rate less base rate{name}": bias,
    }
