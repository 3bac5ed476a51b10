"""Qwen's way to call a tool, read strictly: `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` in plain text.

Nothing is guessed. A call that is nearly right is invalid, and its reason goes back to the model, which repairs it for
the price of one turn. "arguments" as a string that holds JSON, which some models write, is invalid as well: text inside
text is where quoted words of a sign would hide.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

NOT_A_CALL = "not a call: "  # how each reason begins
MOST_READ = 16  # calls of one reply that are read; a planner is to make one at a time, and a babbling one never ends
_LONGEST = 8000  # characters inside one pair of tags; the longest true call has about 100
_DEEPEST = 16  # objects and lists inside each other; no tool takes more than 2
_QUOTED = 200  # characters of a malformed call that are kept

_TAG = re.compile(r"</?(?:tool_call|think)>")
_KEYS = {"name", "arguments"}


class NotACallError(ValueError):
    """Says what is wrong with the text between two tags."""


def parse_reply(text: str, *, finished: bool) -> AIMessage:
    """Split what a model wrote into its words and its calls; whatever the text, nothing is raised.

    What stands outside the tags is the content, `<think>...</think>` included; tags inside a thought are words.

    Args:
        text: The reply, decoded without the tokens that end a turn.
        finished: False where the reply was cut off at the limit of tokens.
    """
    words: list[str] = []
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for kind, part in _parts(_encodable(text), finished):
        if kind == "words":
            words.append(part)
        elif len(calls) + len(invalid) >= MOST_READ:
            invalid.append(_invalid(f"a reply has more than {MOST_READ} calls", part))
            break
        elif kind == "call":
            _read_call(part, calls, invalid)
        else:
            invalid.append(_invalid(kind, part))
    reason = "length" if not finished else "tool_calls" if calls else "stop"
    return AIMessage(
        "".join(words).strip(),
        tool_calls=calls,
        invalid_tool_calls=invalid,
        response_metadata={"finish_reason": reason},
    )


def _encodable(text: str) -> str:
    """Half of a surrogate pair, which a server's JSON may hold, could not be written anywhere."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _parts(text: str, finished: bool) -> list[tuple[str, str]]:
    """("words", text), ("call", body), or (what is wrong, body), in order."""
    parts: list[tuple[str, str]] = []
    tags = list(_TAG.finditer(text))
    thinks = [tag[0] for tag in tags if "think" in tag[0]]
    # A chat template may open the thought itself: then the reply holds only its end.
    inside = "thought" if thinks[:1] == ["</think>"] else "words"
    begin = 0  # of what is not yet in `parts`
    for tag in tags:
        found = tag[0]
        if inside == "thought":
            inside = "words" if found == "</think>" else inside
        elif inside == "call":
            if "think" in found:
                continue  # its JSON decides
            wrong = "the tag was opened again before it was closed"
            parts.append(("call" if found == "</tool_call>" else wrong, text[begin : tag.start()]))
            begin, inside = tag.end(), "call" if found == "<tool_call>" else "words"
        elif found == "<think>":
            inside = "thought"
        elif "tool_call" in found:
            parts.append(("words", text[begin : tag.start()]))
            begin = tag.end()
            if found == "<tool_call>":
                inside = "call"
            else:
                parts.append(("a tag was closed that was never opened", ""))
    if inside == "call":
        unclosed = "the tag was never closed" + ("" if finished else ", as the reply was cut off")
        parts.append((unclosed, text[begin:]))
    else:
        parts.append(("words", text[begin:]))
    return parts


def _read_call(body: str, calls: list[ToolCall], invalid: list[InvalidToolCall]) -> None:
    name = None
    try:
        data = _read_json(body)
        name = data.get("name") if isinstance(data.get("name"), str) else None
        calls.append(_checked(data))
    except NotACallError as error:
        invalid.append(_invalid(str(error), body, name))


def _read_json(body: str) -> dict[str, Any]:
    if len(body) > _LONGEST:
        raise NotACallError(f"it has {len(body)} characters, and {_LONGEST} are allowed")
    try:
        data = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except NotACallError:
        raise
    except RecursionError:
        raise NotACallError(f"it is nested deeper than {_DEEPEST} levels") from None
    except ValueError as error:  # also an integer of more digits than Python reads
        raise NotACallError(f"it is no JSON ({error})") from None
    if not isinstance(data, dict):
        raise NotACallError(f"it is a JSON {_kind(data)}, not an object")
    _check_writable(data)
    return data


def _checked(data: dict[str, Any]) -> ToolCall:
    if missing := sorted(_KEYS - data.keys()):
        raise NotACallError(f'the key "{missing[-1]}" is missing')
    if extra := sorted(data.keys() - _KEYS):
        raise NotACallError(f'the key "{extra[0][:40]}" does not belong there')
    name, arguments = data["name"], data["arguments"]
    if not isinstance(name, str) or not name:
        raise NotACallError(f'"name" is a {_kind(name)}, not the name of a tool')
    if not isinstance(arguments, dict):
        raise NotACallError(f'"arguments" is a {_kind(arguments)}, not an object')
    return tool_call(name=name, args=arguments, id=_new_id())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotACallError(f'the key "{twice[:40]}" stands there twice')
    return found


def _no_constant(name: str) -> float:
    raise NotACallError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotACallError(f"{digits[:40]} is too large a number")
    return value


def _check_writable(data: object) -> None:
    """Refuse what could be read but not written again: deep nesting, halves of surrogate pairs."""
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise NotACallError(f"it is nested deeper than {_DEEPEST} levels")
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, str) and one != _encodable(one):
                raise NotACallError("it holds half of a surrogate pair")
        level = inner


def _kind(value: object) -> str:
    kinds = {str: "string", list: "list", dict: "object", bool: "truth value", type(None): "null"}
    return kinds.get(type(value), "number")


def _invalid(reason: str, body: str, name: str | None = None) -> InvalidToolCall:
    return invalid_tool_call(name=name, args=body[:_QUOTED], id=_new_id(), error=NOT_A_CALL + reason)


def _new_id() -> str:
    return f"call-{uuid4().hex}"  # a result is told by it which call it answers; models never see it
