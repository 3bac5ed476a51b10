"""One verifier asked about pairs one by one, as the tool asks, with the seconds and the memory that it took."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.comparison_prompts import NO, YES, yes_log_odds
from geosleuth.tools.gleam_x import EXPLANATION_TOKENS
from geosleuth.tools.vlm.load import VlmOptions, load_vlm
from geosleuth.tools.vlm.structured import Unreadable, read_as
from geosleuth.training.evaluate.vlm.answer_file import Answered, AnswerFile, answer_key
from geosleuth.training.evaluate.vlm.verifier import Written, reasons_prompt, verdict_prompt

if TYPE_CHECKING:
    from geosleuth.tools.vlm.load import SharedModel
    from geosleuth.tools.vlm.local import LocalModel
    from geosleuth.training.gleam_x.record import Label, PairRecord

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Small:
    """A verifier of the table."""

    name: str
    spec: str
    bits: int | None = None


class TimedAnswer(Answered):
    """What it said of a pair in one language, and what that took on this machine."""

    logit: float
    """ln P(yes) / P(no)."""
    verdict_s: float
    """CPU seconds of one core, from the decoded pictures on."""
    text: str | None
    """Why; None where it was not asked."""
    tokens: int
    reasons_s: float
    """CPU seconds of one core after the verdict."""

    @property
    def verdict(self) -> Label:
        """As it leans; an even one is a match, as the tool has it."""
        return "match" if self.logit >= 0 else "no_match"

    @property
    def written(self) -> Written | None:
        """The reasons; None where there are none that can be read."""
        read = read_as(self.text or "", Written)
        return None if isinstance(read, Unreadable) else read


class Footprint(BaseModel):
    """What it takes of the machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str
    weight_bytes: int
    peak_bytes: int | None
    """Of the whole process, libraries and all; None where the system does not say."""


def ask_small(
    verifier: Small, records: Sequence[PairRecord], explained: frozenset[str], root: Path, out: Path
) -> tuple[list[TimedAnswer], Footprint]:
    """Ask in this process, which should have one thread and no other model; what was answered before is kept.

    Args:
        verifier: To be asked.
        records: Pairs, each in as many languages as it is to be explained in.
        explained: Identifiers of the pairs that it is asked to explain.
        root: Of their pictures.
        out: Folder for the answers, made if it is not there.

    Raises:
        InputError: It cannot be loaded, or a picture cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    model = load_vlm(verifier.spec, VlmOptions(bits=verifier.bits))
    answers = AnswerFile(out / "answers.jsonl", TimedAnswer)
    found = [_asked(model, record, record.pair_id in explained, root, answers) for record in records]
    return found, _footprint(model, out / "footprint.json")


def _asked(
    model: SharedModel, record: PairRecord, explains: bool, root: Path, answers: AnswerFile[TimedAnswer]
) -> TimedAnswer:
    photos = [open_photo(root / path) for path in (record.query_path, record.satellite_path)]
    key = answer_key(model.weights, [photo.sha256 for photo in photos], record.lang, str(explains))
    if key in answers:
        return answers[key]
    photo, tile = (one.pixels for one in photos)
    view = model.for_photo()  # keeps what it read of the pictures for the reasons, as in an investigation
    began = time.process_time()
    [logit] = yes_log_odds(view.score([verdict_prompt(record, photo, tile)], YES + NO)).tolist()
    judged = time.process_time()
    if not math.isfinite(logit):  # quantised weights may be none at all
        raise InputError(f"a verdict by {model.spec}", f"ln P(yes) / P(no) = {logit}", "Leave this verifier out.")
    text, tokens = None, 0
    if explains:
        why = reasons_prompt(record, "match" if logit >= 0 else "no_match", photo, tile)
        [[reply]] = view.generate([why], max_tokens=EXPLANATION_TOKENS)
        text, tokens = reply.text, reply.tokens
    took = time.process_time() - judged
    answers.add(TimedAnswer(key=key, logit=logit, verdict_s=judged - began, text=text, tokens=tokens, reasons_s=took))
    return answers[key]


def _footprint(model: SharedModel, kept: Path) -> Footprint:
    """Weigh it; kept from the process that asked, since one that reads answers alone takes less."""
    from geosleuth.tools.vlm.quantised import weight_bytes

    if kept.exists():
        known = Footprint.model_validate_json(kept.read_text(encoding="utf-8"))
        if known.weights == model.weights:
            return known
    local: LocalModel = model  # type: ignore[assignment]  # specs of this table are folders
    found = Footprint(weights=model.weights, weight_bytes=weight_bytes(local.base.model), peak_bytes=_peak_bytes())
    with appearing(kept) as scratch:
        scratch.write_text(found.model_dump_json() + "\n", encoding="utf-8")
    return found


def _peak_bytes() -> int | None:
    """Bytes that this process held at most (Linux); not `ru_maxrss`, which begins with the parent's."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
