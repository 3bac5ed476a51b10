"""What a planner replied, made safe to keep, and what is wrong with it. A planner is a model: it may reply anything."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.messages.tool import invalid_tool_call, tool_call

from geosleuth.agent.prompts import CONCLUDE, CUT_OFF, NO_CALL
from geosleuth.agent.toolbox import Tool
from geosleuth.tools.vlm.tool_calls import NOT_A_CALL

MOST_CALLS = 8  # in one reply; more are not looked at, for one at a time is asked for
LONGEST_THOUGHT = 1000  # characters in the trace: what a person reads
LONGEST_WORDS = 2000  # characters of a reply that stay in the conversation, and of the closing words
_LONGEST_ARGUMENTS = 2000  # characters of JSON; the longest true ones have about 50
_DEEPEST = 16  # lists and objects inside each other
_LONGEST_PROBLEM = 300  # characters: a reason may quote what the model made up
_LONGEST_NAME = 60
_THINK = re.compile(r"</?think>")


@dataclass(frozen=True)
class PlannerReply:
    """A reply that was checked."""

    message: AIMessage  # cut and cleaned; each of its calls has an id of its own
    problem: str = ""  # "" when all calls can be made
    concluded: bool = False  # there is nothing more to call

    @property
    def words(self) -> str:
        """The model's own words, those that it concluded with included."""
        said = [str(self.message.content)]
        said += [str(call["args"].get("words", "")) for call in self.message.tool_calls if call["name"] == CONCLUDE]
        return shown(_THINK.sub("", "\n".join(filter(None, said))), LONGEST_WORDS)

    @property
    def thought(self) -> str | None:
        """The words as the trace has them."""
        return shown(self.words, LONGEST_THOUGHT) or None

    @property
    def first_name(self) -> str:
        """Name of the first tool that it meant to call, "?" where there is none."""
        calls = [*self.message.tool_calls, *self.message.invalid_tool_calls]
        return str(calls[0].get("name") or "?") if calls else "?"

    @property
    def ids(self) -> list[str]:
        """Ids of all calls, malformed ones included: chat models insist that each has its result."""
        calls = [*self.message.tool_calls, *self.message.invalid_tool_calls]
        return [str(call["id"]) for call in calls]


def read_reply(reply: object, tools: Mapping[str, Tool], *, must_conclude: bool) -> PlannerReply:
    """Check a reply against the tools.

    Args:
        reply: Whatever the planner gave.
        tools: By name.
        must_conclude: The planner ends by calling `conclude`; else it ends by calling nothing.
    """
    if not isinstance(reply, AIMessage):
        return PlannerReply(AIMessage(""), f"the planner replied with {type(reply).__name__}, not an AIMessage")
    words = shown(_text(reply.content), LONGEST_WORDS)
    calls = list(reply.tool_calls or ()) if isinstance(reply.tool_calls, list | tuple) else [reply.tool_calls]
    malformed: list[Any] = [one if isinstance(one, dict) else {} for one in reply.invalid_tool_calls or ()]
    if len(calls) + len(malformed) > MOST_CALLS:
        problem = f"{len(calls) + len(malformed)} calls in one reply, and {MOST_CALLS} are the most: make one at a time"
        return PlannerReply(_message(reply, words, [], []), problem)
    problems = [_malformed(one) for one in malformed[:1]]
    kept: list[ToolCall] = []
    for call in calls:
        found = _complaint(call, tools, must_conclude)
        problems += [found] if found else []
        kept.append(_kept(call, sound=not found))
    concludes = must_conclude and any(call["name"] == CONCLUDE for call in kept)
    if concludes and len(kept) > 1:
        problems.append(f"{CONCLUDE} stands alone: make the other calls first, and read their results")
    if not kept and not problems:
        cut_off = (reply.response_metadata or {}).get("finish_reason") == "length"
        problems += [CUT_OFF] if cut_off else [NO_CALL] if must_conclude else []
    problem = shown(problems[0], _LONGEST_PROBLEM) if problems else ""
    message = _message(reply, words, kept, malformed)
    return PlannerReply(message, problem, concluded=not problem and (concludes or not kept))


def shown(text: str, longest: int) -> str:
    """Return text without codes that steer a terminal or turn its direction, cut with the number of what is missing."""
    kept = text[: longest + 1]  # before it is looked at sign by sign: it may have millions
    kept = "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else " " for c in kept).strip()
    if len(text) <= longest:
        return kept
    cut = f"… (cut, {len(text):,} characters)"
    return kept[: longest - len(cut)] + cut


def _text(content: object) -> str:
    """Return the text of a message's content: a string, or a list of blocks of which only those of text count."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") if isinstance(block, dict) else block for block in blocks]
    return "\n".join(text for text in texts if isinstance(text, str))


def _malformed(call: dict[str, Any]) -> str:
    """Say what is wrong with a call that its backend could not read."""
    who, error = call.get("name") or "a tool", str(call.get("error") or "malformed")
    return f"{who}: {error}" if error.startswith(NOT_A_CALL) else f"{who}: the arguments are not JSON ({error})"


def _complaint(call: Any, tools: Mapping[str, Tool], must_conclude: bool) -> str:
    """Say what is wrong with a call, or return ""."""
    name, args = (call.get("name"), call.get("args")) if isinstance(call, dict) else (None, None)
    if not isinstance(name, str):
        return "a call without the name of a tool"
    if not isinstance(args, dict) or not all(isinstance(key, str) for key in args):
        return f"{name}: the arguments are {type(args).__name__}, not an object"
    if found := _unwritable(args):
        return f"{name}: the arguments {found}"
    if must_conclude and name == CONCLUDE:
        if args.keys() <= {"words"} and isinstance(args.get("words", ""), str):
            return ""
        return f"{CONCLUDE}: it takes words, one string, and nothing else"
    if name not in tools:
        return f"there is no tool {name[:_LONGEST_NAME]!r}"
    return tools[name].complaint(args) or ""


def _unwritable(args: dict[str, Any]) -> str:
    """Say why arguments cannot be kept in a trace, which is JSON; "" if they can."""
    try:
        text = json.dumps(args, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError
        return f"are no JSON ({type(error).__name__})"
    if len(text) > _LONGEST_ARGUMENTS:
        return f"have {len(text):,} characters, and {_LONGEST_ARGUMENTS:,} are allowed"
    return f"are nested deeper than {_DEEPEST} levels" if _depth(args) > _DEEPEST else ""


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level := [one for one in level if isinstance(one, dict | list | tuple)]:
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _kept(call: Any, *, sound: bool) -> ToolCall:
    name, args = (call.get("name"), call.get("args")) if isinstance(call, dict) else (None, None)
    name = shown(name, _LONGEST_NAME) if isinstance(name, str) else ""
    return tool_call(name=name or "?", args=args if sound and isinstance(args, dict) else {}, id=_new_id())


def _message(reply: AIMessage, words: str, calls: list[ToolCall], malformed: list[Any]) -> AIMessage:
    """The reply as the conversation keeps it: nothing in it is endless, or cannot be written."""
    invalid = [
        invalid_tool_call(
            name=shown(str(one.get("name") or "?"), _LONGEST_NAME),
            args=shown(str(one.get("args") or ""), _LONGEST_NAME),
            id=_new_id(),
            error=shown(str(one.get("error") or "malformed"), _LONGEST_PROBLEM),
        )
        for one in malformed
    ]
    reason = (reply.response_metadata or {}).get("finish_reason")
    about = {"finish_reason": reason} if isinstance(reason, str) else {}
    return AIMessage(words, tool_calls=calls, invalid_tool_calls=invalid, response_metadata=about)


def _new_id() -> str:
    """Ids are ours: those of a model may be missing, or the same twice."""
    return f"call-{uuid4().hex}"
