"""Pairs as lessons for the verifier: first the verdict, one token, then the reasons that go on from it.

Each turn is asked as `tools/gleam_x.py` asks it: a taught verifier says Yes or No before it has written a word of
reasons, so that a verdict costs one token.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from geosleuth.tools.comparison_prompts import NO, YES, answering
from geosleuth.tools.gleam_x import WHY, pair_prompt
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.training.gleam_x.record import Label, PairRecord, Reasons
from geosleuth.training.gleam_x.record_file import Records
from geosleuth.training.gleam_x.teacher_prompt import NAMED, open_pictures
from geosleuth.training.lora.lesson import Lesson

Verdicts = Literal["label", "teacher"]


def verifier_lessons(
    records: Sequence[PairRecord], root: Path, *, explanations: bool = True, verdicts: Verdicts = "label"
) -> VerifierLessons:
    """Make lessons of pairs, of all languages as they come.

    Args:
        records: Pairs, or what was read of a file of them.
        root: Of the data set; a picture is decoded when its lesson is asked for.
        explanations: False: the verdict alone, as often as the pair stands there, so that both ways see it alike.
        verdicts: "teacher": what a teacher said that was not told the label, for the comparison; else the label, and an
            explanation that argues for another verdict is left out.
    """
    bad = len(records.bad) if isinstance(records, Records) else 0
    return VerifierLessons(tuple(records), root, explanations, verdicts, bad)


class VerifierLessons:
    """Lessons of a list of records; see `verifier_lessons`."""

    def __init__(
        self, records: tuple[PairRecord, ...], root: Path, explanations: bool, verdicts: Verdicts, bad_lines: int = 0
    ) -> None:
        self.records = records
        self._bad_lines = bad_lines
        self._root, self._explanations, self._verdicts = root, explanations, verdicts

    def __repr__(self) -> str:
        return f"VerifierLessons({len(self):,} pairs, {self._explained():,} with reasons)"

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson.

        Raises:
            InputError: A picture cannot be read.
        """
        record = self.records[index]
        verdict = self._verdict(record)
        asked = record_prompt(record, self._root)
        answer = YES[0] if verdict == "match" else NO[0]
        reasons = self._reasons(record)
        if reasons is None:
            return Lesson((*asked.turns, Turn("assistant", (answer,))))
        went_on = answering(asked, answer, question=WHY[record.lang])
        return Lesson((*went_on.turns, Turn("assistant", (written(reasons, verdict),))))

    def about(self) -> Mapping[str, Any]:
        """Count what is taught."""
        return {
            "kind": "pairs for the verifier (GLEAM-X)",
            "lessons": len(self),
            "bad_lines": self._bad_lines,
            "with_reasons": self._explained(),
            "reasons_left_out": sum(one.explanation is not None and self._reasons(one) is None for one in self.records),
            "verdicts": dict(Counter(map(self._verdict, self.records))),
            "verdicts_of": self._verdicts,
            "languages": dict(Counter(one.lang for one in self.records)),
            "sets": dict(Counter(one.source_dataset for one in self.records)),
            "teachers": dict(Counter(one.teacher for one in self.records if one.teacher)),
            "human_revised": sum(one.human_revised for one in self.records),
        }

    def _explained(self) -> int:
        return sum(self._reasons(one) is not None for one in self.records)

    def _verdict(self, record: PairRecord) -> Label:
        return (record.teacher_label or record.label) if self._verdicts == "teacher" else record.label

    def _reasons(self, record: PairRecord) -> Reasons | None:
        """None where there are none, or where they argue for another verdict than is taught."""
        argued = record.label if record.human_revised else record.teacher_label or record.label
        taught = self._explanations and argued == self._verdict(record)
        return record.explanation if taught else None


def record_prompt(record: PairRecord, root: Path) -> Prompt:
    """Ask the verifier about a pair, as it is taught and as it is to be judged.

    Raises:
        InputError: A picture cannot be read.
    """
    pictures = open_pictures(record, root)
    return pair_prompt(pictures.photo, pictures.candidate, view=record.reference_view, photo_view=record.query_view)


def written(reasons: Reasons, verdict: Label) -> str:
    """The reasons as the verifier writes them: the keys and their order are those that `WHY` asks for."""
    said = {
        "agreeing": list(reasons.agreeing[:NAMED]),
        "disagreeing": list(reasons.disagreeing[:NAMED]),
        "conclusion": reasons.conclusion,
        "same_place": verdict == "match",
    }
    return json.dumps(said, ensure_ascii=False)
