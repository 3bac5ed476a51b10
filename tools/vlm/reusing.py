"""The fast way to run prompts about one photo: images seen once, beginnings read once, prompts read together."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.vlm import generation, scoring
from geosleuth.tools.vlm.encoded import Encoder
from geosleuth.tools.vlm.naive import Rendered, Sampling, Written
from geosleuth.tools.vlm.prefix import Reader

if TYPE_CHECKING:
    from geosleuth.tools.vlm.loaded import LoadedBase

logger = logging.getLogger(__name__)

# Model types for which tests show the same log-probabilities and the same greedy replies as `NaiveRunner` gives.
# Others attend in both directions within an image, keep a window or a state instead of keys, or place tokens otherwise.
SHOWN_EQUAL = frozenset({"qwen2_5_vl", "qwen3_vl", "llava"})


class ReusingRunner:
    """Runs prompts of one photo and one set of adapters."""

    def __init__(self, base: LoadedBase, processor: Any) -> None:
        self._base = base
        self._encoder = Encoder(base, processor)
        self._reader = Reader(base)

    def score(self, prompts: Sequence[Rendered], answers: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Log-probabilities (prompts, answers) of the answers' tokens as the beginning of the reply."""
        encoded = [self._encoder.encode(prompt) for prompt in prompts]
        batches = self._reader.read(encoded, reserve=max(map(len, answers)))
        return np.concatenate([scoring.score(self._base, batch, answers) for batch in batches])

    def write(self, prompts: Sequence[Rendered], sampling: Sampling) -> list[list[Written]]:
        """Write replies to each prompt."""
        encoded = [self._encoder.encode(prompt) for prompt in prompts]
        copies = sampling.samples if sampling.temperature > 0 else 1
        batches = self._reader.read(encoded, reserve=sampling.max_tokens, copies=copies)
        return [replies for batch in batches for replies in generation.write(self._base, batch, sampling)]


def why_not(base: LoadedBase, processor: Any) -> str | None:
    """Say why this model's prompts have to be run one by one, or return None when they need not."""
    model = base.model
    kind = model.config.model_type
    if kind not in SHOWN_EQUAL:
        return f"reuse is not shown to be equal for models of type {kind}"
    text = model.config.get_text_config()
    layers = getattr(text, "layer_types", None) or ()
    if getattr(text, "sliding_window", None) or any(layer != "full_attention" for layer in layers):
        return "some layers keep a window only"
    if "mm_encoder_outputs" not in inspect.signature(model.forward).parameters:
        return "this version of transformers takes no encoded images"
    if not hasattr(processor, "replace_image_token"):
        return "this version of transformers does not say which tokens stand for an image"
    return None
