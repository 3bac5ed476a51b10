"""Prompts and conversations as the text that a model reads, by its own chat template, and what it wrote as text again.

Every text part is neutralised first: only the template writes structure. A model whose template knows no tools (LLaVA,
and the published processors of Qwen2.5-VL) is told about them in the system turn, in the form of Qwen2.5's template.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.quoting import neutralised
from geosleuth.tools.vlm.model import Prompt

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

Part = str | Pixels
Turn = dict[str, Any]  # role, content (list of Part), and tool_calls where there are some

_DEFAULT_SYSTEM = "You are a helpful assistant."
# Word for word what Qwen2.5's template (Apache-2.0) writes, and its models were trained on.
_ABOUT_TOOLS = """

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{tools}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{{"name": <function-name>, "arguments": <args-json-object>}}
</tool_call>"""
_ZERO_WIDTH = "\u200b"  # parts a token from itself, and is not seen


class ChatFormat:
    """The form of one model's conversations."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor
        self._tokenizer = processor.tokenizer

    @cached_property
    def knows_tools(self) -> bool:
        """Whether the model's own template writes the list of tools."""
        template = self._processor.chat_template
        texts = template.values() if isinstance(template, Mapping) else [template]
        return any(re.search(r"\btools\b", text) for text in texts)

    def of_prompt(self, prompt: Prompt) -> tuple[str, list[Pixels]]:
        """Return the text with a mark for each image, and the images in reading order."""
        turns: list[Turn] = [{"role": turn.role, "content": list(turn.parts)} for turn in prompt.turns]
        text, images = self._rendered(turns, None)
        return text + self.harmless(prompt.begun), images

    def of_chat(self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]]) -> tuple[str, list[Pixels]]:
        """As `of_prompt`, for a conversation in which tools may be called."""
        turns = [_turn_of(message) for message in messages]
        described = [self._harmless_json(tool) for tool in tools]
        if self.knows_tools:
            return self._rendered(turns, described or None)
        return self._rendered(self._with_tools_in_words(turns, described), None)

    def text_of(self, tokens: Sequence[int]) -> str:
        """Decode a reply: what marks turns is dropped, what marks tool calls stays."""
        kept = [token for token in tokens if token not in self._dropped]
        return str(self._tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def harmless(self, text: str) -> str:
        """Neutralise a text, of this tokenizer's own tokens as well."""
        text = neutralised(text)
        for token in self.structure:
            if token in text:
                text = text.replace(token, token[0] + _ZERO_WIDTH + token[1:])
        return text

    @cached_property
    def structure(self) -> tuple[str, ...]:
        """Strings that the tokenizer turns into one token of their own, and that look like marks; long ones first."""
        added = self._tokenizer.added_tokens_decoder.values()
        marks = {str(one.content) for one in added if one.special or re.fullmatch(r"[<\[].*[>\]]", one.content)}
        return tuple(sorted((mark for mark in marks if len(mark) > 1), key=len, reverse=True))

    @cached_property
    def _dropped(self) -> frozenset[int]:
        added = self._tokenizer.added_tokens_decoder.items()
        return frozenset(token for token, one in added if one.special and "tool_call" not in one.content.lower())

    def _rendered(self, turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]] | None) -> tuple[str, list[Pixels]]:
        images: list[Pixels] = []
        conversation = []
        for turn in turns:
            content: list[dict[str, str]] = []
            # Texts side by side become one before they are looked at: a mark may be cut in two.
            for is_text, parts in groupby(turn["content"], key=lambda part: isinstance(part, str | _Structure)):
                if is_text:
                    text = self._joined(parts)  # an empty one is left out: templates ask whether there is content
                    content += [{"type": "text", "text": text}] if text else []
                else:
                    found = list(parts)
                    images += found
                    content += [{"type": "image"}] * len(found)
            conversation.append({**turn, "content": content, **self._calls(turn)})
        try:
            rendered = self._processor.apply_chat_template(
                conversation, tools=tools, add_generation_prompt=True, tokenize=False
            )
        except Exception as error:  # a template is a program of the model's, and raises what it likes
            how = f"one that fails ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
            remedy = "Fetch the model again, or name another one."
            raise InputError("a chat template that takes this conversation", how, remedy) from error
        return str(rendered), images

    def _joined(self, parts: Iterable[str | _Structure]) -> str:
        runs = groupby(parts, key=lambda part: isinstance(part, _Structure))
        return "".join(
            "".join(part.text for part in run) if ours else self.harmless("".join(run))  # type: ignore[union-attr, arg-type]
            for ours, run in runs
        )

    def _calls(self, turn: Turn) -> dict[str, Any]:
        calls = turn.get("tool_calls")
        if not calls:
            return {}
        return {"tool_calls": [{"type": "function", "function": self._call(call)} for call in calls]}

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": self.harmless(call["name"]), "arguments": self._harmless_json(call["args"])}

    def _harmless_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.harmless(value)
        if isinstance(value, Mapping):
            return {self.harmless(str(key)): self._harmless_json(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._harmless_json(one) for one in value]
        return value

    def _with_tools_in_words(self, turns: list[Turn], tools: Sequence[Mapping[str, Any]]) -> list[Turn]:
        turns = [self._call_in_words(turn) if turn["role"] == "assistant" else turn for turn in turns]
        turns = list(_results_as_user(turns))
        if not tools:
            return turns
        if not (turns and turns[0]["role"] == "system"):
            turns.insert(0, {"role": "system", "content": [_DEFAULT_SYSTEM]})
        lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
        about = _Structure(_ABOUT_TOOLS.format(tools=lines))
        return [{**turns[0], "content": [*turns[0]["content"], about]}, *turns[1:]]

    def _call_in_words(self, turn: Turn) -> Turn:
        calls = turn.get("tool_calls") or []
        content = list(turn["content"])
        for number, call in enumerate(calls):
            made = self._call(call)
            arguments = json.dumps(made["arguments"], ensure_ascii=False)
            line = "\n" if number or any(content) else ""
            content.append(
                _Structure(f'{line}<tool_call>\n{{"name": "{made["name"]}", "arguments": {arguments}}}\n</tool_call>')
            )
        return {"role": turn["role"], "content": content}


class _Structure:
    """Text that we wrote ourselves, and that is to be read as structure."""

    def __init__(self, text: str) -> None:
        self.text = text


def _results_as_user(turns: Iterable[Turn]) -> Iterable[Turn]:
    for is_result, group in groupby(turns, key=lambda turn: turn["role"] == "tool"):
        if not is_result:
            yield from group
            continue
        content: list[Any] = []
        for turn in group:
            line = "\n" if content else ""
            opened, closed = _Structure(f"{line}<tool_response>\n"), _Structure("\n</tool_response>")
            content += [opened, *turn["content"], closed]
        yield {"role": "user", "content": content}


_ROLES = {"system": "system", "human": "user", "ai": "assistant", "tool": "tool"}


def _turn_of(message: BaseMessage) -> Turn:
    if message.type not in _ROLES:
        known = ", ".join(_ROLES)
        raise InputError(f"a message of type {known}", f"one of type {message.type}", "Leave it out.")
    turn: Turn = {"role": _ROLES[message.type], "content": list(_parts(message.content))}
    calls = getattr(message, "tool_calls", None)
    if calls:
        turn["tool_calls"] = calls
    # What was no valid call stands in the trace, and its reason in the tool's answer: it must not look like a call.
    return turn


def _parts(content: str | Sequence[str | Mapping[str, Any]]) -> Iterable[Part]:
    if isinstance(content, str):
        yield content
        return
    for block in content:
        if isinstance(block, str):
            yield block
        elif block.get("type") == "text":
            yield str(block.get("text", ""))
        elif block.get("type") in ("image", "image_url"):
            yield _picture(block)
        elif block.get("type") not in ("tool_call", "invalid_tool_call", "reasoning"):  # these stand elsewhere too
            found = f"one of type {block.get('type')!r}"
            raise InputError("a content block with text or an image", found, "Leave it out, or put it into words.")


def _picture(block: Mapping[str, Any]) -> Pixels:
    encoded = block.get("base64")
    if encoded is None:
        url = block.get("image_url", block.get("url", ""))
        url = url.get("url", "") if isinstance(url, Mapping) else url
        head, comma, encoded = str(url).partition(",")
        if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
            # Nothing is fetched: an address in a conversation may be another's choice.
            raise InputError("an image in the message", f"an address: {head[:60]}", "Put the image in as base64.")
    from geosleuth.indexes.photo import load_photo

    try:
        content = base64.b64decode(str(encoded), validate=True)
    except binascii.Error as error:
        raise InputError("an image as base64", f"text that is none ({error})", "Encode it again.") from error
    return load_photo(content).pixels
