"""A planner's conversation within a budget of tokens: what is old is shortened, and the beginning stays as it is.

A model computes the beginning that two requests share only once. So what is shortened once stays shortened in the same
way, and much is shortened at a time, seldom.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

_BYTES_PER_TOKEN = 3.0  # of UTF-8; English has about 4, JSON 3, Chinese 3: more tokens are counted than there are
_TURN_TOKENS = 8  # what a template puts around each turn
_LOW = 0.6  # of the budget: down to this it is shortened, so that the next shortening is some steps away
_OLD_RESULT = 240  # characters that stay of an old result, its summary as a rule
_OLD_WORDS = 160  # characters that stay of an old thought
_MARK = "… (shortened)"
_ROOM = 1000  # tokens: the last message is counted in these, for it changes, and what is shortened is not to
_NEWEST = 3  # messages at the end that are shortened last: the last call, its result, its picture

_Counted = tuple[BaseMessage, int]  # a message and its tokens


def shortened(messages: Sequence[BaseMessage], budget: int, *, image_tokens: int) -> list[BaseMessage]:
    """Return the conversation within `budget` tokens: without old pictures, with old results and thoughts cut.

    The opening (system turn and question, with the photo) and the last message (what is known) always stay whole.

    Args:
        messages: The opening, then calls with their results, then the situation.
        budget: Tokens, estimated from above.
        image_tokens: Of one image.
    """
    opening, steps, last = _parted(messages)
    around = sum(tokens(one, image_tokens) for one in opening)
    around += math.ceil(sum(tokens(one, image_tokens) for one in last) / _ROOM) * _ROOM
    room = budget - around
    kept: list[_Counted] = []
    dropped = 0
    for message in steps:  # as the conversation grew, so that each length of it is shortened as the one before
        kept.append((message, tokens(message, image_tokens)))
        # The newest are spared if that suffices.
        for spared, goal in ((_NEWEST, _LOW * budget - around), (0, room)):
            if _total(kept) > room:
                dropped += _shorten(kept, goal, spared, image_tokens)
    note = [HumanMessage(f"({dropped} earlier results were left out; all calls are listed below.)")] if dropped else []
    return [*opening, *note, *(message for message, _ in kept), *last]


def _shorten(kept: list[_Counted], goal: float, spared: int, image_tokens: int) -> int:
    """Shorten from the oldest on until `goal` is met; return how many results had to be left out as well."""
    for shorten in (_without_pictures, _with_short_result, _with_short_words):
        for i in range(len(kept) - spared):
            if _total(kept) <= goal:
                return 0
            shorter = shorten(kept[i][0])
            kept[i] = (shorter, tokens(shorter, image_tokens))
    gone = 0
    while len(kept) > spared and _total(kept) > goal:
        end = _first_exchange([message for message, _ in kept])
        gone += sum(isinstance(message, ToolMessage) for message, _ in kept[:end])
        del kept[:end]
    return gone


def _total(kept: Sequence[_Counted]) -> int:
    return sum(count for _, count in kept)


def tokens(message: BaseMessage, image_tokens: int) -> int:
    """Estimate the tokens of a message, from above."""
    count = _TURN_TOKENS
    for part in [message.content] if isinstance(message.content, str) else message.content:
        count += image_tokens if _is_image(part) else text_tokens(_text(part))
    if isinstance(message, AIMessage):
        count += sum(text_tokens(json.dumps(call["args"])) + text_tokens(call["name"]) for call in message.tool_calls)
        count += sum(text_tokens(str(call)) for call in message.invalid_tool_calls)
    return count


def text_tokens(text: str) -> int:
    """Estimate the tokens of a text, from above."""
    return int(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN) + 1


def _parted(messages: Sequence[BaseMessage]) -> tuple[list[BaseMessage], list[BaseMessage], list[BaseMessage]]:
    """The opening (up to the first reply), the steps, and the last message."""
    body, last = list(messages[:-1]), list(messages[-1:])
    opening = list(takewhile(lambda one: isinstance(one, SystemMessage | HumanMessage), body[:2]))
    return opening, body[len(opening) :], last


def _first_exchange(messages: Sequence[BaseMessage]) -> int:
    """Length of the first reply with all that answers it: a result without its call is no conversation."""
    following = (i for i, one in enumerate(messages) if i and isinstance(one, AIMessage))
    return next(following, len(messages))


def _without_pictures(message: BaseMessage) -> BaseMessage:
    """Name the pictures that were there, by their captions."""
    if isinstance(message.content, str) or not any(_is_image(part) for part in message.content):
        return message
    texts = [_text(part) for part in message.content if not _is_image(part)]
    return HumanMessage("(Pictures shown earlier, left out now.) " + " ".join(filter(None, texts)))


def _with_short_result(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, ToolMessage) or len(str(message.content)) <= _OLD_RESULT:
        return message
    return message.model_copy(update={"content": _cut(str(message.content), _OLD_RESULT)})


def _with_short_words(message: BaseMessage) -> BaseMessage:
    if isinstance(message, ToolMessage) or len(str(message.content)) <= _OLD_WORDS:
        return message
    if not isinstance(message.content, str):
        return message
    return message.model_copy(update={"content": _cut(message.content, _OLD_WORDS)})


def _cut(text: str, longest: int) -> str:
    return text[: longest - len(_MARK)] + _MARK if len(text) > longest else text


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in ("image", "image_url")


def _text(part: Any) -> str:
    return part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else ""
