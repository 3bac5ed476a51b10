"""GLEAM-X on labelled pairs: the verdict of each, from one word's probability, and the reasons it writes.

Asked as the tool asks (`tools.gleam_x`): the verdict first, then why, the model going on from its own answer. A pair
that stands in two languages is one question for the verdict and two for the reasons. Nothing is asked twice.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, open_photo
from geosleuth.tools.comparison_prompts import NO, YES, answering, yes_log_odds
from geosleuth.tools.gleam_x import EXPLANATION_TOKENS, WHY, pair_prompt
from geosleuth.tools.match_calibration import LARGEST_LOGIT
from geosleuth.tools.vlm.model import UnavailableError
from geosleuth.tools.vlm.structured import Unreadable, read_as
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.evaluate.vlm.answer_file import Answered, AnswerFile, OnAsked, answer_key, refuse_if_none

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.load import SharedModel
    from geosleuth.tools.vlm.model import Prompt
    from geosleuth.training.gleam_x.record import Label, PairRecord

logger = logging.getLogger(__name__)


class Written(BaseModel):
    """What the model is asked to write (`tools.gleam_x.WHY`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    agreeing: list[str]
    disagreeing: list[str]
    conclusion: str
    same_place: bool


class VerdictAnswer(Answered):
    """What the model makes of a pair."""

    logit: float | None
    """ln P(yes) / P(no), clipped at 30; None where it gave neither a share."""


class ReasonsAnswer(Answered):
    """What the model wrote about a pair, as it came at the first try."""

    text: str
    finished: bool
    tokens: int

    @property
    def written(self) -> Written | None:
        """The reasons; None where there is no JSON of their form."""
        read = read_as(self.text, Written)
        return None if isinstance(read, Unreadable) else read


@dataclass(frozen=True)
class AskedPair:
    """A record and what was answered."""

    record: PairRecord
    verdict: VerdictAnswer | None  # None: it could not be asked
    reasons: ReasonsAnswer | None = None  # None: it was not asked, or could not be


@dataclass(frozen=True)
class AskedPairs:
    """Records and answers, in one order; those that could not be asked are `missing`."""

    pairs: tuple[AskedPair, ...]
    missing: tuple[Skipped, ...]
    weights: str


class Asker:
    """Asks one model about pairs of pictures below a root, and keeps what it says."""

    def __init__(
        self,
        model: SharedModel,
        root: Path,
        verdicts: AnswerFile[VerdictAnswer],
        reasons: AnswerFile[ReasonsAnswer],
    ) -> None:
        self.model, self.root, self._verdicts, self._reasons = model, root, verdicts, reasons
        # Pairs of one query follow each other, in two languages; a decoded picture may have 50 MB.
        self._opened = lru_cache(maxsize=4)(open_photo)

    def verdict(self, record: PairRecord) -> VerdictAnswer:
        """Read off what the model makes of a pair.

        Raises:
            InputError: A picture cannot be read, or the model cannot be asked.
        """
        photos = self._photos(record)
        key = self._key(photos, verdict_prompt(record, _NOTHING, _NOTHING), *YES, *NO)
        if key not in self._verdicts:
            asked = verdict_prompt(record, *(photo.pixels for photo in photos))
            [logit] = yes_log_odds(self.model.for_photo().score([asked], YES + NO)).tolist()
            self._verdicts.add(VerdictAnswer(key=key, logit=_bounded(logit)))
        return self._verdicts[key]

    def reasons(self, record: PairRecord, verdict: Label) -> ReasonsAnswer:
        """Have the model say why it gave a verdict, in the record's language; one try, greedy.

        Raises:
            InputError: A picture cannot be read, or the model cannot be asked.
        """
        photos = self._photos(record)
        key = self._key(photos, reasons_prompt(record, verdict, _NOTHING, _NOTHING), str(EXPLANATION_TOKENS))
        if key not in self._reasons:
            asked = reasons_prompt(record, verdict, *(photo.pixels for photo in photos))
            [[reply]] = self.model.for_photo().generate([asked], max_tokens=EXPLANATION_TOKENS, schema=Written)
            answer = ReasonsAnswer(key=key, text=reply.text, finished=reply.finished, tokens=reply.tokens)
            self._reasons.add(answer)
        return self._reasons[key]

    def _photos(self, record: PairRecord) -> tuple[Photo, Photo]:
        return self._opened(self.root / record.query_path), self._opened(self.root / record.satellite_path)

    def _key(self, photos: tuple[Photo, Photo], words: Prompt, *more: str) -> str:
        said = [part for turn in words.turns for part in (turn.role, *turn.parts) if isinstance(part, str)]
        return answer_key(self.model.weights, [photo.sha256 for photo in photos], *said, *more)


def ask_pairs(
    records: Sequence[PairRecord],
    asker: Asker,
    *,
    explanations: bool = False,
    on_asked: OnAsked | None = None,
) -> AskedPairs:
    """Ask about every record that nothing is known of.

    Args:
        records: The pairs.
        asker: The model and its answers.
        explanations: Have it write why, too, in the record's language; for its own verdict, right or wrong.
        on_asked: Told after each record.

    Raises:
        UnavailableError: The server does not answer any more; what it answered before is kept.
        InputError: There is no pair that could be asked about, so nothing can be measured.
    """
    found: list[AskedPair] = []
    missing: list[Skipped] = []
    for record in records:
        verdict, reasons = None, None
        try:
            verdict = asker.verdict(record)
            said = said_label(verdict)
            if explanations and said:
                reasons = asker.reasons(record, said)
        except UnavailableError:
            raise
        except InputError as error:  # a damaged picture, or one that the server refuses: it counts as unanswered
            logger.warning("Pair %s is not answered; the report says why", record.pair_id)
            logger.debug("Why: %s", error)
            missing.append(Skipped(record.pair_id, str(error)))
        found.append(AskedPair(record, verdict, reasons))
        if on_asked:
            on_asked(len(found), len(records))
    asked = sum(one.verdict is not None for one in found)
    refuse_if_none(asked, missing, "pairs", "the paths in --data, --root and the pictures")
    return AskedPairs(tuple(found), tuple(missing), asker.model.weights)


def said_label(verdict: VerdictAnswer | None) -> Label | None:
    """The verdict as the model leans, uncalibrated; an even one is a match, as the tool has it."""
    if verdict is None or verdict.logit is None:
        return None
    return "match" if verdict.logit >= 0 else "no_match"


def verdict_prompt(record: PairRecord, photo: Pixels, tile: Pixels) -> Prompt:
    """Ask for the verdict as the tool does, and as an adapter is taught."""
    return pair_prompt(photo, tile, view=record.reference_view, photo_view=record.query_view)


def reasons_prompt(record: PairRecord, verdict: Label, photo: Pixels, tile: Pixels) -> Prompt:
    """Ask why a verdict was given, as `tools.gleam_x.explain` does."""
    answer = YES[0] if verdict == "match" else NO[0]
    return answering(verdict_prompt(record, photo, tile), answer, question=WHY[record.lang])


_NOTHING: Pixels = np.zeros((1, 1, 3), dtype=np.uint8)  # stands for a picture where the words alone are wanted


def _bounded(logit: float) -> float | None:
    return None if math.isnan(logit) else float(np.clip(logit, -LARGEST_LOGIT, LARGEST_LOGIT))
