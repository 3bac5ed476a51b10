"""How likely answers are on a server: by its probabilities where it shows them, else by counting replies."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.endpoint_errors import quoted, unreadable
from geosleuth.tools.vlm.endpoint_messages import prompt_messages, without_beginning
from geosleuth.tools.vlm.endpoint_scores import LISTED, SAMPLES, Table, from_samples, from_tables
from geosleuth.tools.vlm.endpoint_server import at_once
from geosleuth.tools.vlm.model import Prompt

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from geosleuth.tools.vlm.data_urls import DataUrls
    from geosleuth.tools.vlm.endpoint_server import Server
    from geosleuth.tools.vlm.requests_budget import RequestsBudget

logger = logging.getLogger(__name__)

_LOGPROBS = {"logprobs": {"logprobs": True, "top_logprobs": LISTED}}


@dataclass
class Scorer:
    """One photo's questions to a server, each asked once."""

    server: Server
    urls: DataUrls
    budget: RequestsBudget
    _known: dict[str, list[float]] = field(default_factory=dict)  # by prompt and answers

    def scores(self, prompts: Sequence[Prompt], answers: tuple[str, ...]) -> list[list[float]]:
        """Return ln of each answer's probability as the beginning of the reply, for each prompt.

        Raises:
            UnavailableError: The server is not there, or counting replies takes more requests than it may.
            InputError: There is no answer, or the answers begin alike and the server cannot go on from a beginning.
        """
        keys = [self._fingerprint(prompt, answers) for prompt in prompts]
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in self._known}
        self._read(new, answers)
        self._count({key: prompt for key, prompt in new.items() if key not in self._known}, answers)
        return [self._known[key] for key in keys]

    def _read(self, new: Mapping[str, Prompt], answers: tuple[str, ...]) -> None:
        """Learn what the server's tables say; a prompt without a table is left."""

        def read(one: tuple[str, Prompt]) -> None:
            with suppress(_NoTableError):
                self._known[one[0]] = from_tables(answers, lambda prefix: self._table(one[1], prefix))

        items = list(new.items())
        if not self.server.gives_logprobs and "logprobs" not in self.server.refused:
            for one in items[:1]:  # whether there are tables need not be asked many times at once
                read(one)
            items = items[1:]
        if "logprobs" not in self.server.refused:
            at_once(read, items)

    def _count(self, new: Mapping[str, Prompt], answers: tuple[str, ...]) -> None:
        """Learn from replies; how many are wanted is known before the first is asked for."""
        if not new:
            return
        self.budget.allow_counting(SAMPLES * len(new))
        asked = [(prompt, seed) for prompt in new.values() for seed in range(SAMPLES)]
        replies = at_once(lambda one: self._said(one[0], one[1], answers), asked)
        for number, key in enumerate(new):
            self._known[key] = from_samples(answers, replies[number * SAMPLES : (number + 1) * SAMPLES])

    def _table(self, prompt: Prompt, prefix: str) -> Table:
        """The likeliest tokens after the prompt's beginning and the prefix."""
        server = self.server
        if "logprobs" in server.refused:
            raise _NoTableError
        begun = Prompt(prompt.turns, prompt.begun + prefix)
        message = self._ask(begun, 1)
        cannot = bool(begun.begun) and "continuation" in server.refused
        if cannot and prefix:
            raise InputError(
                "answers whose first tokens differ, or a server that goes on from a beginning",
                f"answers that begin with {prefix!r}, and {server.url} that does not take continue_final_message",
                "Serve the model with vLLM or SGLang, or run it here with a backend hf: or dir:.",
            )
        if cannot:  # the model says the beginning itself: read what follows it (no token is shorter than a byte)
            message = self._ask(begun, len(begun.begun.encode()) + 1)
        shown = message.response_metadata.get("logprobs")
        places = shown.get("content") if isinstance(shown, dict) else None
        if not places:
            if not server.gives_logprobs:
                logger.info("%s shows no probabilities: estimated from %d replies each", server.url, SAMPLES)
                server.refused.add("logprobs")
            raise _NoTableError
        server.gives_logprobs = True
        try:
            return _table_after(begun.begun if cannot else "", places)
        except (KeyError, TypeError, ValueError) as error:
            said = quoted(f"probabilities of another form ({error!r})", server.key)
            raise unreadable(said, server.url) from None

    def _ask(self, prompt: Prompt, max_tokens: int) -> AIMessage:
        return self.server.ask_prompt(prompt, self.urls, self.budget, max_tokens=max_tokens, optional=_LOGPROBS)

    def _said(self, prompt: Prompt, seed: int, answers: tuple[str, ...]) -> str:
        # No token is shorter than a byte; some more for a beginning that the model repeats.
        longest = max((len(text.encode()) for text in answers), default=1) + len(prompt.begun.encode())
        message = self.server.ask_prompt(prompt, self.urls, self.budget, max_tokens=longest, temperature=1.0, seed=seed)
        return without_beginning(str(message.text), prompt.begun)

    def _fingerprint(self, prompt: Prompt, answers: tuple[str, ...]) -> str:
        messages = prompt_messages(prompt, self.urls, continued=True)
        text = json.dumps([[[one.type, one.content] for one in messages], answers])
        return hashlib.sha256(text.encode()).hexdigest()


class _NoTableError(Exception):
    """The server shows no probabilities."""


def _table_after(waiting: str, places: Sequence[Mapping[str, Any]]) -> Table:
    """The tokens listed where the reply has said what it was to begin with; none if it says something else."""
    said = ""
    for place in places:
        if said.strip() == waiting.strip():
            return _summed(place.get("top_logprobs") or [place])
        said += str(place["token"])
    return {}


def _summed(listed: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Different tokens may look the same (halves of characters)."""
    table: dict[str, float] = {}
    for one in listed:
        table[str(one["token"])] = table.get(str(one["token"]), 0.0) + math.exp(float(one["logprob"]))
    return table
