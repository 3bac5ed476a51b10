"""The model on a server as one photo's investigation sees it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from geosleuth.tools.quoting import neutralised
from geosleuth.tools.vlm.data_urls import DataUrls
from geosleuth.tools.vlm.endpoint_messages import conversation, without_beginning
from geosleuth.tools.vlm.endpoint_scoring import Scorer
from geosleuth.tools.vlm.endpoint_server import Request, at_once
from geosleuth.tools.vlm.model import Prompt, Reply, Scores
from geosleuth.tools.vlm.tool_calls import parse_reply

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage
    from pydantic import BaseModel

    from geosleuth.tools.vlm.endpoint_server import Server
    from geosleuth.tools.vlm.requests_budget import RequestsBudget

# Templates that open the thought themselves leave only its end in the reply.
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)|(?:(?!<think>).)*?</think>", re.S)


class EndpointView:
    """A `VisionLanguageModel`; several threads may use it."""

    def __init__(self, spec: str, server: Server, max_pixels: int, budget: RequestsBudget) -> None:
        self.spec = spec
        self.budget = budget
        self._server = server
        self._urls = DataUrls(max_pixels)
        self._scorer = Scorer(server, self._urls, self.budget)

    @property
    def weights(self) -> str:
        """Model, server, and what the server says about the weights."""
        return self._server.described

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int = 512,
        samples: int = 1,
        temperature: float = 0.0,
        seed: int = 0,
        schema: type[BaseModel] | None = None,
    ) -> list[list[Reply]]:
        """See `VisionLanguageModel.generate`; sample i is asked for with the seed `seed` + i."""
        different = samples if temperature > 0 else min(samples, 1)
        optional = {"response_format": _response_format(schema)} if schema is not None else {}

        def reply(task: tuple[Prompt, int]) -> Reply:
            prompt, sample = task
            message = self._server.ask_prompt(
                prompt,
                self._urls,
                self.budget,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed + sample,
                optional=optional,
            )
            return _reply(message, prompt.begun)

        replies = at_once(reply, [(prompt, sample) for prompt in prompts for sample in range(different)])
        rows = [replies[i * different : (i + 1) * different] for i in range(len(prompts))]
        return [row if different == samples else row * samples for row in rows]

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        """See `VisionLanguageModel.score`; how probabilities are read is in `endpoint_scores.py`."""
        rows = self._scorer.scores(prompts, tuple(answers))
        return Scores(np.array(rows, dtype=np.float64).reshape(len(prompts), len(answers)))

    def chat(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], *, max_tokens: int = 1024
    ) -> AIMessage:
        """See `VisionLanguageModel.chat`. What a server split off as thought comes first, in `<think>` tags."""
        written = conversation(messages, self._urls)

        def build(refused: Collection[str]) -> Request:
            settings: dict[str, Any] = {"max_tokens": max_tokens, "temperature": 0.0}
            if not tools:
                return Request(written, settings)
            given = {"tools": [dict(tool) for tool in tools]}
            if "tools" in refused:  # no parser is configured there: the calls come as text
                return Request(written, {**settings, **given, "tool_choice": "none"})
            return Request(written, settings, {"tools": given})

        return _as_planned(self._server.ask(build, self.budget))


def _response_format(schema: type[BaseModel]) -> dict[str, Any]:
    """In extra_body: the client would parse the reply itself, and raise where it was cut off."""
    named = {"name": schema.__name__, "schema": schema.model_json_schema()}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": named}}}


def _reply(message: AIMessage, begun: str) -> Reply:
    """The reply without its thought: what is only considered there is no answer."""
    text = str(message.text)
    if thought := _THOUGHT.match(text.lstrip()):
        text = text.lstrip()[thought.end() :].lstrip()
    finished = message.response_metadata.get("finish_reason") != "length"
    used = message.usage_metadata or {"output_tokens": 0, "input_tokens": 0}
    return Reply(without_beginning(text, begun), finished, used["output_tokens"], used["input_tokens"])


def _named(message: AIMessage) -> AIMessage:
    """Some servers leave out the ids, by which a result says which call it answers."""
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        call["id"] = call.get("id") or f"call-{uuid4().hex}"
    return message


def _as_planned(message: AIMessage) -> AIMessage:
    """Read calls that came as text, and put the thought before the words."""
    reason = message.response_metadata.get("finish_reason")
    calls = message.tool_calls or message.invalid_tool_calls
    reply = _named(message) if calls else parse_reply(str(message.text), finished=reason != "length")
    words, thought = str(reply.text), message.additional_kwargs.get("reasoning_content")
    if thought:
        words = f"<think>\n{neutralised(thought)}\n</think>\n\n{words}".strip()
    if reason != "length":
        reason = "tool_calls" if reply.tool_calls else "stop"
    return reply.model_copy(
        update={
            "content": words,
            "usage_metadata": message.usage_metadata,
            "response_metadata": {**message.response_metadata, "finish_reason": reason},
        }
    )
