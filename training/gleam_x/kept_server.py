"""A server as a second look asks it: each of its answers is in the ledger before the next step, and is paid for once.

A look at one feature takes a request where the server shows probabilities, and sixteen replies where it does not; a run
that ends between them goes on with the next.
"""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.endpoint_server import Server
from geosleuth.tools.vlm.requests_budget import RequestsBudget
from geosleuth.training.gleam_x.ledger import Answer, Asked, Ledger
from geosleuth.training.gleam_x.limits import NO_LIMIT, Limits, OneQuestion

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from geosleuth.tools.vlm.data_urls import DataUrls
    from geosleuth.tools.vlm.endpoint import Endpoint
    from geosleuth.tools.vlm.endpoint_view import EndpointView
    from geosleuth.tools.vlm.model import Prompt


@dataclass
class KeptServer(Server):
    """The server, with what it knows, for the pictures of one pair."""

    ledger: Ledger = field(kw_only=True)
    limits: Limits = field(kw_only=True)
    digests: Mapping[int, str] = field(kw_only=True)  # as of `Asked`

    def ask_prompt(
        self,
        prompt: Prompt,
        urls: DataUrls,
        budget: RequestsBudget,  # noqa: ARG002  # of one question is each request's here
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        optional: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> AIMessage:
        """See `Server.ask_prompt`; the request is drawn from the run's limits under its own hash."""
        asked = Asked(self.model, prompt, self.digests, max_tokens, temperature, seed)
        digest = asked.digest
        if known := self.ledger.answers.get(digest):
            return _message(known)
        self.ledger.request(asked)
        started = time.perf_counter()
        try:
            message = super().ask_prompt(
                prompt,
                urls,
                OneQuestion(self.limits, digest),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                optional=optional,
            )
        except InputError as error:
            self.ledger.fail(digest, str(error))
            raise
        self.ledger.answer(digest, _answer(message, round(time.perf_counter() - started, 3)))
        return message


@contextlib.contextmanager
def kept_view(model: Endpoint, ledger: Ledger, limits: Limits, digests: Mapping[int, str]) -> Iterator[EndpointView]:
    """Open a view of a model on a server for one pair; what it learns about the server is kept for the next."""
    known = {one.name: getattr(model.server, one.name) for one in fields(Server)}
    server = KeptServer(**known, ledger=ledger, limits=limits, digests=digests)
    kept = copy.copy(model)
    kept.server = server
    yield kept.for_photo(RequestsBudget(NO_LIMIT))
    model.server.gives_logprobs |= server.gives_logprobs


def _answer(message: AIMessage, seconds: float) -> Answer:
    used = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    said = message.response_metadata
    return Answer(
        text=str(message.text),
        finish="length" if said.get("finish_reason") == "length" else "stop",
        prompt_tokens=used["input_tokens"],
        tokens=used["output_tokens"],
        seconds=seconds,
        logprobs=said.get("logprobs"),
    )


def _message(answer: Answer) -> AIMessage:
    from langchain_core.messages import AIMessage

    told = {"finish_reason": answer.finish, "logprobs": answer.logprobs}
    return AIMessage(content=answer.text, response_metadata=told)
