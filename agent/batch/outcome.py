"""What came of one photo, as it travels from a worker and as the journal keeps it; and the row that a user sees."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from geosleuth.agent.answer_row import answer_row, failure_row
from geosleuth.agent.localization import Localization
from geosleuth.indexes.decoder_faults import DecoderFault, NoDecoder
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo
from geosleuth.indexes.photo_file import WANTED, file_name

if TYPE_CHECKING:
    from geosleuth.agent.agent import Agent

logger = logging.getLogger(__name__)


class Outcome(BaseModel):
    """An answer, or why there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = 0.0
    answer: Localization | None = None
    refused: tuple[str, str, str] | None = None  # wanted, found, remedy
    passing: bool = False  # the next run may fare better, so the journal does not keep it


@dataclass(frozen=True)
class Row:
    """One photo of a batch: its answer, or the error that stands in its place."""

    path: Path
    sha256: str | None  # of the file's bytes; None where they could not be read
    localization: Localization | None
    error: InputError | None  # wanted, found, remedy
    seconds: float  # that the photo took, in whichever run that was
    resumed: bool = False  # nothing was computed now: an earlier run or an equal file had done it

    @classmethod
    def of(cls, path: Path, sha256: str | None, outcome: Outcome, *, resumed: bool = False) -> Row:
        """Put an outcome beside a file; the answer gets this file's name, which an equal file may not share."""
        answer = outcome.answer
        if answer is not None and answer.photo.name != file_name(path):
            facts = answer.photo.model_copy(update={"name": file_name(path)})
            answer = answer.model_copy(update={"photo": facts, "photos": (facts, *answer.photos[1:])})
        error = InputError(*outcome.refused) if outcome.refused else None
        return cls(path, sha256, answer, error, outcome.seconds, resumed)

    def as_table_row(self) -> dict[str, Any]:
        """Return the columns of `agent.answer_row.COLUMNS`; `file` is the path as it was given, in printable UTF-8."""
        file = os.fsencode(self.path).decode("utf-8", "backslashreplace")
        if self.localization is None:
            return failure_row(file, str(self.error), sha256=self.sha256) | {"seconds": self.seconds}
        return answer_row(self.localization, file=file)


def look(agent: Agent, path: Path, sha256: str, hints: Sequence[str]) -> Outcome:
    """Locate one photo; what is wrong with the photo is an outcome, what is wrong with the settings is raised.

    A refusal of which the machine may be the cause, as when a decoder was killed, is passing: the next run looks again.

    Raises:
        InputError: The index, a model or the audit log cannot be used, or no decoder starts: no other photo would fare
            better.
    """
    started = time.perf_counter()
    try:
        photo = load_photo(path)
        if photo.sha256 != sha256:
            changed = (WANTED, f"a file that changed while it was read: {path}", "Run again when it is complete.")
            return Outcome(seconds=time.perf_counter() - started, refused=changed, passing=True)
    except NoDecoder:
        raise
    except InputError as error:
        return _refusal(error, started)
    try:
        answer = agent.localize(agent.upright(photo), list(hints))
    except InputError as error:
        if isinstance(error, DecoderFault) and not isinstance(error, NoDecoder):  # some sizes are decoded on demand
            return _refusal(error, started)
        raise
    except Exception as error:  # one photo of thousands must not end the batch
        # The row has the path and the error's words; a log is kept, and sent to others.
        logger.error("A fault of geosleuth over a photo: %s", type(error).__name__)
        # A cap on precision holds for all logs, and words may say a place.
        logger.info("It was over %r", str(path), exc_info=agent.settings.precision_cap_km is None)
        found = f"a fault of geosleuth, {type(error).__name__}: {error}"
        parts = ("an answer", found, "Report it with the log of --verbose.")
        return Outcome(seconds=time.perf_counter() - started, refused=parts, passing=True)
    return Outcome(seconds=time.perf_counter() - started, answer=answer)


def _refusal(error: InputError, started: float) -> Outcome:
    parts = (error.wanted, error.found, error.remedy)
    return Outcome(seconds=time.perf_counter() - started, refused=parts, passing=isinstance(error, DecoderFault))
