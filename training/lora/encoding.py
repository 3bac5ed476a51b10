"""A lesson as the model reads it: the tokens of its conversation, its pictures, and which tokens are learned.

Everything before an answer is what `tools/vlm` feeds the model when it asks (the same template, the same neutralised
texts, the same reduced pictures), and an answer is tokenised apart from its question, as answers are that are scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.vlm.chat_format import ChatFormat
from geosleuth.tools.vlm.model import Prompt, Turn
from geosleuth.tools.vlm.naive import adds_special_tokens
from geosleuth.tools.vlm.pictures import capped, limited
from geosleuth.training.lora.lesson import Lesson

UNLEARNED = -100  # what losses of torch and transformers leave out
_FILLS = {"attention_mask": 1}  # of an answer's tokens; kinds of tokens (text or picture) are 0 for text


@dataclass(frozen=True, eq=False)
class Row:
    """One sequence of tokens; most lessons are one."""

    tokens: NDArray[np.int64]  # (length,)
    labels: NDArray[np.int64]  # (length,), the token itself where it is learned, else UNLEARNED
    per_token: dict[str, NDArray[Any]]  # (length,) each: what else the processor says of tokens, as mm_token_type_ids
    pictures: dict[str, Any]  # tensors of all pictures, one after the other: pixel_values, image_grid_thw
    n_pictures: int

    @property
    def n_learned(self) -> int:
        """Tokens that the loss is of; the first can never be one."""
        return int((self.labels[1:] != UNLEARNED).sum())


@dataclass(eq=False)
class _Asked:
    """A prompt's text and tokens before its pictures' places are widened, and the answers up to its own."""

    text: str
    images: list[Pixels]
    tokens: list[int]
    learned: list[bool] = field(default_factory=list)
    prompt: int = 0  # tokens of `tokens` that are the prompt


class LessonEncoder:
    """Encodes lessons for one model; it can be sent to other processes."""

    def __init__(self, processor: Any, end_tokens: Sequence[int], max_pixels: int) -> None:
        self.processor = limited(processor, max_pixels)
        self.format = ChatFormat(self.processor)
        self.end_tokens = frozenset(end_tokens)
        self.max_pixels = max_pixels

    def encode(self, lesson: Lesson) -> list[Row]:
        """Encode a lesson.

        Several answers are one sequence where the tokens up to each are just those that the model is asked with, which
        they are in the templates that write turns one after the other; else each answer is a sequence of its own.

        Raises:
            InputError: It has no answer, or a picture in one.
        """
        asked = self._asked(lesson)
        return [row for group in _merged(asked) for row in self._rows(group)]

    @cached_property
    def end_token(self) -> int:
        """The token that ends an answer: the template's, or where it writes none, the one that the model stops at."""
        question, answer = Turn("user", ("?",)), Turn("assistant", ("!",))
        before, _ = self.format.of_prompt(Prompt((question,)))
        after, _ = self.format.of_prompt(Prompt((question, answer)))
        rest = after.removeprefix(before + "!")
        if rest != after:
            first = self.processor.tokenizer(rest, add_special_tokens=False)["input_ids"][:1]
            if first and first[0] in self.end_tokens:
                return int(first[0])
        own = self.processor.tokenizer.eos_token_id
        return int(min(self.end_tokens) if own is None else own)

    def _asked(self, lesson: Lesson) -> list[_Asked]:
        reduced: dict[int, Pixels] = {}
        found = []
        for number, turn in enumerate(lesson.turns):
            if turn.role != "assistant":
                continue
            if turn.images:
                raise InputError("answers in words", "a picture in an assistant's turn", "Leave the picture out.")
            text, images = self.format.of_prompt(Prompt(lesson.turns[:number]))
            for image in images:
                if id(image) not in reduced:
                    reduced[id(image)] = capped(image, self.max_pixels)
            small = [reduced[id(image)] for image in images]
            special = adds_special_tokens(self.processor.tokenizer, text)
            tokens = self.processor.tokenizer(text, add_special_tokens=special)["input_ids"]
            answer = self._answer(turn)
            asked = _Asked(text, small, [*tokens, *answer], prompt=len(tokens))
            asked.learned = [False] * len(tokens) + [True] * len(answer)
            found.append(asked)
        if not found:
            raise InputError("a lesson with an answer", "one without an assistant's turn", "Leave it out.")
        return found

    def _answer(self, turn: Turn) -> list[int]:
        text = self.format.harmless("".join(part for part in turn.parts if isinstance(part, str)))
        tokens = self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [*tokens, self.end_token]

    def _rows(self, group: Sequence[_Asked]) -> list[Row]:
        """Widen the last prompt of a group, whose tokens hold those of the others."""
        last = group[-1]
        options = {"add_special_tokens": adds_special_tokens(self.processor.tokenizer, last.text)}
        writable = [image.copy() for image in last.images]  # torch warns about others
        inputs = dict(self.processor(text=[last.text], images=writable or None, return_tensors="pt", **options).items())
        widened = inputs.pop("input_ids")[0].numpy()
        learned = self._learned_in(widened, last)
        if learned is None:
            if len(group) > 1:  # the processor writes more than places of pictures: count from the end alone
                return [row for one in group for row in self._rows([one])]
            learned = np.zeros(len(widened), dtype=bool)
        answer = np.array(last.tokens[last.prompt :], dtype=np.int64)
        tokens = np.concatenate([widened, answer])
        labels = np.where(np.concatenate([learned, np.ones(len(answer), dtype=bool)]), tokens, UNLEARNED)
        per_token = {}
        for name in list(inputs):
            value = inputs[name]
            if value.shape[:2] == (1, len(widened)) and not value.is_floating_point():
                per_token[name] = np.pad(value[0].numpy(), (0, len(answer)), constant_values=_FILLS.get(name, 0))
                del inputs[name]
        return [Row(tokens, labels, per_token, inputs, len(last.images))]

    def _learned_in(self, widened: NDArray[np.int64], asked: _Asked) -> NDArray[np.bool_] | None:
        """Carry over which of a prompt's tokens are learned: only places of pictures are more of them than before."""
        mark = self._image_token
        before = np.array(asked.tokens[: asked.prompt], dtype=np.int64)
        own, wide = before != mark, widened != mark
        if not np.array_equal(before[own], widened[wide]):
            return None
        learned = np.zeros(len(widened), dtype=bool)
        learned[wide] = np.array(asked.learned[: asked.prompt], dtype=bool)[own]
        return learned

    @cached_property
    def _image_token(self) -> int:
        return int(self.processor.tokenizer.convert_tokens_to_ids(self.processor.image_token))


def _merged(asked: Sequence[_Asked]) -> list[list[_Asked]]:
    """Group answers whose tokens, with their question's, begin those of the next."""
    groups: list[list[_Asked]] = []
    for one in asked:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and one.tokens[: len(before.tokens)] == before.tokens
            and len(before.tokens) <= one.prompt
        ):
            one.learned[: len(before.tokens)] = before.learned
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def length_of(rows: Sequence[Row]) -> int:
    """Tokens of a lesson's longest sequence."""
    return max(len(row.tokens) for row in rows)


def about(encoder: LessonEncoder) -> Mapping[str, Any]:
    """Say how lessons are encoded, for the run's record."""
    end = encoder.processor.tokenizer.convert_ids_to_tokens(encoder.end_token)
    return {"max_pixels": encoder.max_pixels, "end_of_answer": end}
