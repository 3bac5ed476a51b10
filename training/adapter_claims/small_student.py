"""A smaller verifier that learns from a larger one's own answers: every other layer of it, taught to write as it does.

The student begins as half of the teacher's layers (as DistilBERT, arXiv 1910.01108, §3) and learns what the teacher
wrote (sequence-level distillation, arXiv 1606.07947): no label and no explanation of the data is needed for it.
"""

from __future__ import annotations

import copy
import json
import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.whole_file import appearing
from geosleuth.tools.comparison_prompts import NO, YES, answering, yes_log_odds
from geosleuth.tools.gleam_x import EXPLANATION_TOKENS, WHY
from geosleuth.tools.vlm.load import load_vlm
from geosleuth.tools.vlm.model import Turn
from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.gleam_x.lessons import record_prompt
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.lora.lesson import Lesson
from geosleuth.training.small_vlm.teach import Taught, teach

logger = logging.getLogger(__name__)

STUDENT_STEPS = 200  # of 32 answers
_AT_ONCE = 32  # answers that the teacher writes beside each other
_BLOCK = re.compile(r"(language_model\.layers|visual\.blocks)\.(\d+)\.")


@dataclass(frozen=True)
class Answer:
    """What the teacher said of a pair: its verdict, then why."""

    verdict: str  # YES[0] or NO[0]
    reasons: str  # as written


class TeachersAnswers:
    """Lessons of answers; see `Lessons`."""

    def __init__(self, records: Sequence[PairRecord], root: Path, answers: Sequence[Answer]) -> None:
        self._records, self._root, self._answers = records, root, answers

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson.

        Raises:
            InputError: A picture cannot be read.
        """
        record, answer = self._records[index], self._answers[index]
        asked = answering(record_prompt(record, self._root), answer.verdict, question=WHY[record.lang])
        return Lesson((*asked.turns, Turn("assistant", (answer.reasons,))))

    def about(self) -> Mapping[str, Any]:
        """Count them."""
        return {"kind": "a verifier's own answers", "lessons": len(self)}


def distilled(
    full: str, records: Sequence[PairRecord], root: Path, out: Path, *, steps: int = STUDENT_STEPS, seed: int = 1
) -> Path:
    """Teach a student of half the layers, unless it is there.

    Args:
        full: Spec of the teacher: a Qwen2.5-VL in a folder, with adapters in folders.
        records: Pairs that it is asked about; their labels are not looked at.
        root: Of their pictures.
        out: The student's folder, to be made; the teacher's answers are kept beside it.
        steps: Of the optimiser.
        seed: Of the order of lessons.

    Raises:
        InputError: The teacher cannot be loaded, or no picture can be read.
    """
    if out.exists():
        return out
    answers = teachers_answers(full, records, root, out.with_name(f"{out.name}-answers.json"))
    with tempfile.TemporaryDirectory() as scratch:
        begun = halved(full, Path(scratch, "begun"))
        return teach(begun, TeachersAnswers(records, root, answers), out, steps=steps, seed=seed, on_progress=_say)


def teachers_answers(full: str, records: Sequence[PairRecord], root: Path, kept: Path) -> list[Answer]:
    """Have the teacher answer about pairs, greedily, or read what it answered.

    Raises:
        InputError: The teacher cannot be loaded, or a picture cannot be read.
    """
    model = load_vlm(full)
    if kept.exists():
        said = json.loads(kept.read_text(encoding="utf-8"))
        if said["weights"] == model.weights and len(said["answers"]) == len(records):
            return [Answer(*one) for one in said["answers"]]
    answers: list[Answer] = []
    for first in range(0, len(records), _AT_ONCE):
        some = records[first : first + _AT_ONCE]
        view = model.for_photo()
        asked = [record_prompt(record, root) for record in some]
        verdicts = [YES[0] if odds >= 0 else NO[0] for odds in yes_log_odds(view.score(asked, YES + NO))]
        why = [
            answering(prompt, verdict, question=WHY[record.lang])
            for prompt, verdict, record in zip(asked, verdicts, some, strict=True)
        ]
        written = [replies[0].text for replies in view.generate(why, max_tokens=EXPLANATION_TOKENS)]
        answers += [Answer(*one) for one in zip(verdicts, written, strict=True)]
        logger.info("the teacher answered about %d of %d", len(answers), len(records))
    with appearing(kept) as scratch:
        said = {"weights": model.weights, "answers": [(one.verdict, one.reasons) for one in answers]}
        scratch.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return answers


def halved(full: str, out: Path) -> Path:
    """Write a model of every other layer of a Qwen2.5-VL with its adapters merged in, of tower and language model.

    Args:
        full: Spec of folders.
        out: To be made.
    """
    transformers, peft = import_vlm("transformers"), import_vlm("peft")
    backend = parse_backend(full)
    folder = Path(backend.name)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=import_vlm("torch").float32)
    for adapter in backend.adapters:
        model = peft.PeftModel.from_pretrained(model, adapter.name).merge_and_unload()
    config, kept = _half_config(model.config)
    student = type(model)(config)
    weights = model.state_dict()
    student.load_state_dict({name: weights[_taken_from(name, kept)] for name in student.state_dict()})
    student.generation_config = model.generation_config
    student.save_pretrained(out)
    transformers.AutoProcessor.from_pretrained(folder).save_pretrained(out)
    return out


def _half_config(config: Any) -> tuple[Any, dict[str, list[int]]]:
    """Return the student's configuration, and which of the teacher's layers it keeps: of four, the first and third."""
    config = copy.deepcopy(config)
    text, vision = config.text_config, config.vision_config
    layers, blocks = _every_other(text.num_hidden_layers), _every_other(vision.depth)
    text.num_hidden_layers, vision.depth = len(layers), len(blocks)
    text.layer_types = [text.layer_types[i] for i in layers]
    vision.fullatt_block_indexes = [new for new, old in enumerate(blocks) if old in vision.fullatt_block_indexes]
    return config, {"language_model.layers": layers, "visual.blocks": blocks}


def _every_other(count: int) -> list[int]:
    return list(range(count))[: max(1, count // 2) * 2 : 2]


def _taken_from(name: str, kept: Mapping[str, list[int]]) -> str:
    """Name the teacher's weight that a student's begins as."""
    found = _BLOCK.search(name)
    if not found:
        return name
    return f"{name[: found.start()]}{found[1]}.{kept[found[1]][int(found[2])]}.{name[found.end() :]}"


def _say(taught: Taught) -> None:
    logger.info("student: step %d of %d, loss %.3f", taught.step, taught.steps, taught.loss)
