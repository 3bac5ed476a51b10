"""A vision-language model on this machine: any image-text-to-text model of transformers, with LoRA adapters."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.tools.vlm.chat_format import ChatFormat
from geosleuth.tools.vlm.loaded import LoadedBase, load_base
from geosleuth.tools.vlm.model import Prompt, Reply, Scores
from geosleuth.tools.vlm.model_folder import ModelFolder, open_adapter_folder, open_model_folder
from geosleuth.tools.vlm.naive import NaiveRunner, Rendered, Sampling, Written
from geosleuth.tools.vlm.pictures import Capped, limited
from geosleuth.tools.vlm.reusing import ReusingRunner, why_not

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage
    from pydantic import BaseModel

    from geosleuth.indexes.backend import Backend
    from geosleuth.tools.vlm.load import VlmOptions

logger = logging.getLogger(__name__)


class Runner(Protocol):
    """Runs rendered prompts; the model is held, and its adapters are set."""

    def score(self, prompts: Sequence[Rendered], answers: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Log-probabilities (prompts, answers)."""

    def write(self, prompts: Sequence[Rendered], sampling: Sampling) -> list[list[Written]]:
        """Replies to each prompt."""


def open_local(backend: Backend, options: VlmOptions) -> LocalModel:
    """Load a base and its adapters.

    Raises:
        InputError: As `load_vlm`.
    """
    folder = open_model_folder(replace(backend, adapters=()))
    adapters = [open_adapter_folder(part) for part in backend.adapters]
    base = load_base(folder, options.bits)
    with base.lock:
        names = tuple(base.adapters.load(adapter) for adapter in adapters)
    return LocalModel(str(backend), base, adapters, names, options)


class LocalModel:
    """A base with its adapters: what all photos share."""

    def __init__(
        self, spec: str, base: LoadedBase, folders: Sequence[ModelFolder], names: tuple[str, ...], options: VlmOptions
    ) -> None:
        self.spec = spec
        self.base = base
        self.adapters = names
        self.max_pixels = options.max_pixels
        self.processor = limited(base.processor, options.max_pixels)
        self.format = ChatFormat(self.processor)
        self._folders = [base.folder, *folders]

    @cached_property
    def weights(self) -> str:
        """Name and hash of each part, such as "Qwen/Qwen2.5-VL-3B-Instruct@1f0c9a… in 4 bits + gleam-x@77ab03…"."""
        base, *adapters = (f"{folder.name}@{folder.digest}" for folder in self._folders)
        return " + ".join([f"{base} in {self.base.bits} bits" if self.base.bits else base, *adapters])

    @cached_property
    def reuses(self) -> bool:
        """Whether what prompts share is computed once."""
        reason = why_not(self.base, self.processor)
        if reason:
            logger.warning("%s runs one prompt at a time: %s", self.base.folder.spec, reason)
        return reason is None

    def for_photo(self, *, reuse: bool = True) -> LocalVlm:
        """Open a view for one photo.

        Args:
            reuse: False runs every prompt by itself from its beginning, to compare with.
        """
        return LocalVlm(self, reuse=reuse)


class LocalVlm:
    """One photo's view of a local model: see `VisionLanguageModel`."""

    def __init__(self, shared: LocalModel, *, reuse: bool) -> None:
        self._shared = shared
        runner = ReusingRunner if reuse and shared.reuses else NaiveRunner
        self._runner: Runner = runner(shared.base, shared.processor)
        self._capped = Capped(shared.max_pixels)

    @property
    def spec(self) -> str:
        """The spec string that loads it again."""
        return self._shared.spec

    @property
    def weights(self) -> str:
        """Which model and which hash."""
        return self._shared.weights

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int = 512,
        samples: int = 1,
        temperature: float = 0.0,
        seed: int = 0,
        schema: type[BaseModel] | None = None,  # noqa: ARG002  # nothing here decodes under a grammar
    ) -> list[list[Reply]]:
        """Write replies; see `VisionLanguageModel.generate`."""
        if not prompts:
            return []
        sampling = Sampling(max_tokens, samples, temperature, seed)
        with self._shared.base.using(self._shared.adapters):
            found = self._runner.write([self._rendered(prompt) for prompt in prompts], sampling)
        return [[self._reply(one) for one in replies] for replies in found]

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> Scores:
        """Read off how likely each answer is; see `VisionLanguageModel.score`."""
        tokens = [self._tokens(answer) for answer in answers]
        if not prompts or not answers:
            return Scores(np.zeros((len(prompts), len(answers))))
        with self._shared.base.using(self._shared.adapters):
            found = self._runner.score([self._rendered(prompt) for prompt in prompts], tokens)
        return Scores(found)

    def chat(
        self, messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], *, max_tokens: int = 1024
    ) -> AIMessage:
        """Go on with a conversation; see `VisionLanguageModel.chat`."""
        from geosleuth.tools.vlm.tool_calls import parse_reply

        text, images = self._shared.format.of_chat(messages, tools)
        with self._shared.base.using(self._shared.adapters):
            [[written]] = self._runner.write(
                [(text, [self._capped.of(image) for image in images])], Sampling(max_tokens)
            )
        return parse_reply(self._shared.format.text_of(written.tokens), finished=written.finished)

    def _rendered(self, prompt: Prompt) -> Rendered:
        text, images = self._shared.format.of_prompt(prompt)
        return text, [self._capped.of(image) for image in images]

    def _reply(self, written: Written) -> Reply:
        return Reply(self._shared.format.text_of(written.tokens), written.finished, len(written.tokens))

    def _tokens(self, answer: str) -> tuple[int, ...]:
        tokens = tuple(self._shared.processor.tokenizer(answer, add_special_tokens=False)["input_ids"])
        if not tokens:
            raise InputError("an answer to score", f"{answer!r}, which has no token", "Give an answer with text.")
        return tokens
