"""What written reasons are worth: can they be read, are they in the language asked for, how near to the reference.

Judged as written at the first try, before the repair turn that `tools.gleam_x` gives a model.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.tools.candidate import Language
from geosleuth.training.evaluate.vlm.intervals import Statistic, mean, median, share
from geosleuth.training.evaluate.vlm.text_similarity import similarities
from geosleuth.training.evaluate.vlm.verifier import Written, said_label

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.verifier import AskedPair, AskedPairs
    from geosleuth.training.gleam_x.record import Reasons
    from geosleuth.training.locatability.text_encoder import TextEncoder

ALIKE = 0.7  # what the paper's students exceed (arXiv 2509.07450)
_HAN = re.compile(r"[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
# Of its letters: Chinese text holds some Latin (JSON is gone by then, but "T" and "LED" stay), English no Chinese.
_HAN_LEAST = 0.5


class ExplanationRow(BaseModel):
    """One explanation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    lang: Language
    query: str
    verdict_right: bool
    readable: bool
    finished: bool
    """Not cut off at the limit of tokens."""
    language_right: bool | None
    """None where it cannot be read, as all below."""
    contradicts: bool | None
    """After its reasons the model says the opposite of its verdict."""
    characters: int | None
    similarity: float | None
    """To the reference; None also where there is no reference, or no model to judge."""
    tokens: int


def explanation_rows(asked: AskedPairs, encoders: dict[Language, TextEncoder]) -> list[ExplanationRow]:
    """A row for each explanation.

    Args:
        asked: With reasons.
        encoders: What judges each language; languages that are missing get no similarity.
    """
    explained = [one for one in asked.pairs if one.reasons is not None]
    cosines: dict[int, float] = {}
    for lang, encoder in encoders.items():
        compared = [
            (i, text_of(written), text_of(one.record.explanation))
            for i, one in enumerate(explained)
            if one.record.lang == lang and one.reasons and (written := one.reasons.written) and one.record.explanation
        ]
        values = similarities(encoder, [(text, reference) for _, text, reference in compared])
        cosines |= {i: float(value) for (i, _, _), value in zip(compared, values, strict=True)}
    return [_row(one, cosines.get(i)) for i, one in enumerate(explained)]


def _row(one: AskedPair, similarity: float | None) -> ExplanationRow:
    record, reasons = one.record, one.reasons
    assert reasons is not None  # noqa: S101  # the caller's choice, not a user's
    written, said = reasons.written, said_label(one.verdict)
    text = text_of(written) if written else None
    return ExplanationRow(
        item=record.pair_id,
        lang=record.lang,
        query=record.query_path,
        verdict_right=said == record.label,
        readable=written is not None,
        finished=reasons.finished,
        language_right=None if text is None else is_in(text, record.lang),
        contradicts=None if written is None else written.same_place != (said == "match"),
        characters=None if text is None else len(text),
        similarity=similarity,
        tokens=reasons.tokens,
    )


def text_of(reasons: Written | Reasons) -> str:
    """All that is said, as one text; what agrees first."""
    return " ".join((*reasons.agreeing, *reasons.disagreeing, reasons.conclusion))


def is_in(text: str, language: Language) -> bool:
    """Whether a text is in English or in Chinese by its letters; one without letters is in neither."""
    letters = _LETTER.findall(text)
    han = sum(bool(_HAN.match(letter)) for letter in letters)
    if not letters:
        return False
    return han >= _HAN_LEAST * len(letters) if language == "zh" else han == 0


def explanation_statistics(rows: Sequence[ExplanationRow]) -> dict[str, Statistic]:
    """Name and statistic, in the order of the table."""
    readable = np.array([row.readable for row in rows], dtype=bool)
    found = {
        "JSON valid at the first try": share(readable),
        "in the language asked for, of the readable": share([bool(row.language_right) for row in rows], readable),
        "contradicts its verdict, of the readable": share([bool(row.contradicts) for row in rows], readable),
        "characters, median": median([np.nan if row.characters is None else row.characters for row in rows]),
    }
    if any(row.tokens for row in rows):  # servers may not count
        found["tokens written, median"] = median([row.tokens for row in rows])
    cosine = np.array([np.nan if row.similarity is None else row.similarity for row in rows], dtype=np.float64)
    known = ~np.isnan(cosine)
    if known.any():
        right = known & np.array([row.verdict_right for row in rows], dtype=bool)
        value = np.nan_to_num(cosine)
        found["similarity to the reference, mean"] = mean(value, known)
        found["similarity, where the verdict is right"] = mean(value, right)
        found[f"similarity above {ALIKE}"] = share(known & (value > ALIKE), known)
    return found


def queries(rows: Sequence[ExplanationRow]) -> list[Hashable]:
    """What rows are drawn by."""
    return [row.query for row in rows]
