"""Prompts and conversations as messages of the OpenAI protocol: every text inert, every image inside the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import tool_call

from geosleuth.indexes.errors import InputError
from geosleuth.tools.quoting import neutralised
from geosleuth.tools.vlm.data_urls import is_image_block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.messages import BaseMessage

    from geosleuth.tools.vlm.data_urls import DataUrls
    from geosleuth.tools.vlm.model import Prompt, Turn

# vLLM, SGLang and llama.cpp: the last message is the beginning of the reply, and no new turn is opened.
CONTINUED = {"extra_body": {"continue_final_message": True, "add_generation_prompt": False}}


def prompt_messages(prompt: Prompt, urls: DataUrls, *, continued: bool) -> list[BaseMessage]:
    """Write a prompt; where the server cannot go on from `begun`, the model is asked to begin its reply so."""
    messages = [_turn_message(turn, urls) for turn in prompt.turns]
    if not prompt.begun:
        return messages
    if continued:
        return [*messages, AIMessage(prompt.begun)]  # ours, word for word: it must be what is scored
    asked = {"type": "text", "text": f"Begin your reply with: {neutralised(prompt.begun)}"}
    if isinstance(messages[-1], HumanMessage):
        return [*messages[:-1], HumanMessage([*messages[-1].content, asked])]
    return [*messages, HumanMessage([asked])]


def without_beginning(text: str, begun: str) -> str:
    """Remove the beginning that the reply was to have: some servers repeat it, and some models do as they are told."""
    wanted = begun.strip()
    if wanted and text.lstrip().startswith(wanted):
        return text.lstrip()[len(wanted) :]
    return text


def conversation(messages: Sequence[BaseMessage], urls: DataUrls) -> list[BaseMessage]:
    """Write a conversation with tools.

    Raises:
        InputError: It holds an image that is none.
    """
    return [_message(message, urls) for message in messages]


def _turn_message(turn: Turn, urls: DataUrls) -> BaseMessage:
    texts = [neutralised(part) for part in turn.parts if isinstance(part, str)]
    if turn.role == "user":
        blocks: list[str | dict[Any, Any]] = [
            {"type": "text", "text": neutralised(part)} if isinstance(part, str) else urls.block(part)
            for part in turn.parts
        ]
        return HumanMessage(blocks)
    if turn.images:
        raise InputError("images in the user's turns", f"one in a turn of the {turn.role}", "Move it to a user's turn.")
    return SystemMessage("\n".join(texts)) if turn.role == "system" else AIMessage("\n".join(texts))


def _message(message: BaseMessage, urls: DataUrls) -> BaseMessage:
    content = _content(message.content, urls)
    if isinstance(message, AIMessage):
        return AIMessage(content, tool_calls=[*map(_inert_call, message.tool_calls), *_malformed(message)])
    if isinstance(message, ToolMessage):
        return ToolMessage(content, tool_call_id=message.tool_call_id)
    return SystemMessage(content) if isinstance(message, SystemMessage) else HumanMessage(content)


def _content(content: Any, urls: DataUrls) -> Any:
    if isinstance(content, str):
        return neutralised(content)
    blocks = []
    for block in content:
        if is_image_block(block):
            blocks.append(urls.recoded(block))
        elif isinstance(block, str) or block.get("type") == "text":
            blocks.append({"type": "text", "text": neutralised(block if isinstance(block, str) else block["text"])})
    return blocks


def _inert_call(call: Any) -> Any:
    return tool_call(name=neutralised(call["name"]), args=_inert(call["args"]), id=call["id"])


def _inert(value: Any) -> Any:
    """The strings inside JSON values made inert: a template writes them into the text."""
    if isinstance(value, str):
        return neutralised(value)
    if isinstance(value, dict):
        return {neutralised(str(key)): _inert(inner) for key, inner in value.items()}
    return [_inert(inner) for inner in value] if isinstance(value, list | tuple) else value


def _malformed(message: AIMessage) -> list[Any]:
    """Calls that could not be read, as calls that can: the message that answers one needs it, and servers parse it."""
    return [
        tool_call(
            name=neutralised(call.get("name") or "unknown"),
            args={"malformed": neutralised(str(call.get("args") or ""))},
            id=call.get("id"),
        )
        for call in message.invalid_tool_calls
    ]
