"""A vision-language model that writes what it was given to write, and keeps what it was told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from geosleuth.agent.planner_vlm import VlmPlanner
from geosleuth.tools.vlm.tool_calls import parse_reply


class SpeakingModel:
    """`VisionLanguageModel.chat` over texts; it reads its own tool calls as the local backend does."""

    spec = "dir:speaking"
    weights = "speaking"

    def __init__(self, replies: Iterable[str | tuple[str, bool] | BaseException]) -> None:
        self.replies: Iterator[Any] = iter(replies)
        self.heard: list[list[BaseMessage]] = []
        self.tools: list[str] = []
        self.said = 0  # replies that it gave

    def chat(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], *, max_tokens: int = 1024
    ) -> AIMessage:
        assert max_tokens > 0
        self.heard.append(list(messages))
        self.tools = [tool["function"]["name"] for tool in tools]
        reply = next(self.replies)
        self.said += 1
        if isinstance(reply, BaseException):
            raise reply
        text, finished = reply if isinstance(reply, tuple) else (reply, True)
        return parse_reply(text, finished=finished)


def call(name: str, arguments: str = "{}", words: str = "") -> str:
    return f'{words}\n<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'


def conclude(words: str = "") -> str:
    return call("conclude", f'{{"words": "{words}"}}')


def planner(*replies: str | tuple[str, bool] | BaseException) -> VlmPlanner:
    return VlmPlanner(model=SpeakingModel(replies))
