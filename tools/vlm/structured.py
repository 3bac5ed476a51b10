"""Replies that follow a pydantic schema: asked for, read leniently, checked, and asked for once more where wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.lenient_json import objects_in
from geosleuth.tools.vlm.model import Prompt, Turn

if TYPE_CHECKING:
    from geosleuth.tools.vlm.model import VisionLanguageModel

logger = logging.getLogger(__name__)

Schema = TypeVar("Schema", bound=BaseModel)

_MOST_PROBLEMS = 5  # named to the model; it rarely mends more in one turn
_QUOTED = 4000  # characters of a bad reply that the model is shown again


@dataclass(frozen=True)
class Unreadable:
    """A reply that holds no object of the schema, also when asked once more."""

    text: str  # the model's words
    problem: str


def answer_as(
    model: VisionLanguageModel,
    prompts: Sequence[Prompt],
    schema: type[Schema],
    *,
    max_tokens: int = 512,
    samples: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[Schema | Unreadable]]:
    """Ask for `samples` objects per prompt; each reply that is none gets one repair turn, all of them in one batch.

    A bad reply never raises: it comes back as `Unreadable`.

    Args:
        model: Asked with the schema, which servers that can decode under.
        prompts: Should say what the object is to look like: not every backend can enforce it.
        schema: The last object of a reply that validates counts.
        max_tokens: Per reply.
        samples: Replies per prompt.
        temperature: Of the replies; repairs are greedy.
        seed: Of the replies.

    Raises:
        InputError: The model cannot be reached or run, or the photo's budget of requests is spent.
    """
    replies = model.generate(
        prompts, max_tokens=max_tokens, samples=samples, temperature=temperature, seed=seed, schema=schema
    )
    rows = [
        [read_as(prompt.begun + reply.text, schema) for reply in row]
        for prompt, row in zip(prompts, replies, strict=True)
    ]
    # Greedy samples are one and the same: mended once.
    broken = {(i, one): one for i, row in enumerate(rows) for one in row if isinstance(one, Unreadable)}
    if not broken:
        return rows
    repairs = [_repair(prompts[i], one) for i, one in broken]
    mended = dict(zip(broken, _mended(model, repairs, schema, max_tokens), strict=True))
    return [
        [mended[i, one] or one if isinstance(one, Unreadable) else one for one in row] for i, row in enumerate(rows)
    ]


def read_as(text: str, schema: type[Schema]) -> Schema | Unreadable:
    """Return the last object in the text that validates; whatever the text, nothing is raised."""
    problem = "there is no JSON object in it"
    for found in reversed(list(objects_in(text))):
        try:
            return schema.model_validate(found)
        except ValidationError as error:
            if problem.startswith("there is no"):
                problem = _in_words(error)
    return Unreadable(text, problem)


def _mended(
    model: VisionLanguageModel, repairs: Sequence[Prompt], schema: type[Schema], max_tokens: int
) -> list[Schema | Unreadable | None]:
    try:
        replies = model.generate(repairs, max_tokens=max_tokens, schema=schema)
    except InputError as error:  # what was readable is not to be lost with the rest
        logger.warning("%d replies could not be mended: %s", len(repairs), type(error).__name__)
        logger.info("The model said: %s", error)
        return [None] * len(repairs)
    logger.info("%d replies were no JSON of %s, and asked for again", len(repairs), schema.__name__)
    return [read_as(prompt.begun + row[0].text, schema) for prompt, row in zip(repairs, replies, strict=True)]


def _repair(prompt: Prompt, broken: Unreadable) -> Prompt:
    """The conversation so far, what was wrong with the reply, and what is wanted instead."""
    said = Turn("assistant", (broken.text[:_QUOTED].strip() or "(nothing)",))
    asked = f"That reply cannot be read: {broken.problem}. Reply with the JSON object only, complete and corrected."
    return Prompt((*prompt.turns, said, Turn("user", (asked,))), begun=prompt.begun)


def _in_words(error: ValidationError) -> str:
    """Name the fields with what is wrong, such as: country: field required; score: input should be an integer."""
    problems = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]:
        where = ".".join(str(part)[:40] for part in one["loc"]) or "the object"
        problems.append(f"{where}: {one['msg'][0].lower()}{one['msg'][1:200]}")
    return "; ".join(problems)
