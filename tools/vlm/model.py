"""What a vision-language model is to the tools: prompts in, replies and probabilities out.

Two backends keep to it: `local.py` (transformers, LoRA adapters by PEFT) and `endpoint.py` (a server that speaks the
OpenAI protocol). Tools hold the protocol alone, and never learn which one they talk to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage
    from pydantic import BaseModel

    from geosleuth.indexes.pixels import Pixels

Role = Literal["system", "user", "assistant"]


class UnavailableError(InputError):
    """The model does not answer now, and asking it again does not help: a caller with more questions gives up.

    Its server cannot be reached or refuses the key, or the photo's budget of requests does not suffice.
    """


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Turn:
    """One turn of a conversation: texts and images in the order in which the model reads them."""

    role: Role
    parts: tuple[str | Pixels, ...]

    @property
    def images(self) -> tuple[Pixels, ...]:
        """The images alone."""
        return tuple(part for part in self.parts if not isinstance(part, str))


@dataclass(frozen=True, eq=False)
class Prompt:
    """A question to the model.

    What prompts about one photo have in common (the system's words, the photo, the instructions) comes first and what
    differs (a candidate, the question) last: the common beginning is computed once.
    """

    turns: tuple[Turn, ...]
    begun: str = ""  # how the reply begins; the model goes on from there, and the reply does not repeat it

    @property
    def images(self) -> tuple[Pixels, ...]:
        """All images in reading order."""
        return tuple(image for turn in self.turns for image in turn.images)


@dataclass(frozen=True)
class Reply:
    """What the model wrote."""

    text: str
    finished: bool  # False: cut off at the limit of tokens
    tokens: int = 0
    prompt_tokens: int = 0  # as a server counts them; 0 where nobody says


@dataclass(frozen=True, eq=False)
class Scores:
    """How likely each given answer is as the beginning of the reply."""

    log_probabilities: NDArray[np.float64]  # (prompts, answers), natural logarithm, summed over an answer's tokens

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Shares among the given answers, rows sum to 1."""
        shifted = np.exp(self.log_probabilities - self.log_probabilities.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    @property
    def covered(self) -> NDArray[np.float64]:
        """How much of all that the model might have said the answers are, in [0, 1]; low: it would not answer so."""
        return np.asarray(np.minimum(np.exp(self.log_probabilities).sum(axis=1), 1.0))


class VisionLanguageModel(Protocol):
    """A model as one photo's investigation sees it: weights are shared, cache and request budget are the photo's."""

    @property
    def spec(self) -> str:
        """The spec string that loads it again."""

    @property
    def weights(self) -> str:
        """Which model and which hash, for the record: what `Evidence.weights` holds."""

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
        """Write `samples` replies to each prompt; greedy at temperature 0, where all samples are one and the same.

        A reply with `schema` should be JSON of that form: a server that can, decodes under it. Nothing is guaranteed:
        see `structured.py`, which checks and asks once more.

        Raises:
            InputError: The model cannot be reached or run, or the photo's budget of requests is spent.
        """

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        """Read off how likely each answer is as the beginning of the reply; nothing is generated.

        Raises:
            InputError: As above, or the server gives no probabilities.
        """

    def chat(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], *, max_tokens: int = 1024
    ) -> AIMessage:
        """Go on with a conversation, images in it included, in which the model may call tools.

        The reply has `tool_calls` and `invalid_tool_calls` (malformed ones with the reason), the model's own words as
        content, and `response_metadata["finish_reason"]` ("stop", "length" or "tool_calls").

        Raises:
            InputError: As above.
        """
