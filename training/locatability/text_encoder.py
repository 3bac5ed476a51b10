"""Texts as vectors: CLIP's text tower, or a Sentence-BERT with mean pooling, by spec string hf:ORG/NAME or dir:PATH."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.pretrained import import_transformers, load_weights, open_folder, part_of

if TYPE_CHECKING:
    from geosleuth.tools.vlm.model_folder import ModelFolder

Vectors = NDArray[np.float32]  # (n, d), unit length

_BATCH = 64  # texts at once; sentences are short, larger batches are no faster on a CPU
_LONGEST = 512  # tokens, what the models in use were trained on; some tokenizers know no limit of their own
_POSITIONS_RESERVED = 2  # RoBERTa's kind begins to count positions at 2


class TextEncoder(Protocol):
    """Puts texts into a space where those that mean alike lie close."""

    @property
    def weights(self) -> str:
        """Which model with which hash, for the record."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) unit vectors, in order."""


class TransformersText:
    """Implements `TextEncoder` over a loaded model."""

    def __init__(self, weights: str, model: Any, tokenizer: Any, longest: int, *, is_clip: bool) -> None:
        import torch

        self.weights = weights
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model, self._tokenizer, self._longest = model.to(self._device), tokenizer, longest
        self._is_clip = is_clip  # it gives one vector per text itself

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (n, d) unit vectors; texts are cut at what the model can read."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                inputs = self._tokenizer(
                    list(texts[start : start + _BATCH]),
                    padding=True, truncation=True, max_length=self._longest, return_tensors="pt",
                ).to(self._device)  # fmt: skip
                vectors = self._pooled(inputs) if self._is_clip else self._mean(inputs)
                parts.append(torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy())
        return np.concatenate(parts).astype(np.float32)

    def _pooled(self, inputs: Any) -> Any:
        found = self._model.get_text_features(**inputs)
        return getattr(found, "pooler_output", found)  # transformers 5 wraps the vectors, 4 did not

    def _mean(self, inputs: Any) -> Any:
        """The mean over a text's own tokens; padding does not count."""
        weights = inputs["attention_mask"].unsqueeze(-1).float()
        return (self._model(**inputs).last_hidden_state * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)


def load_text_encoder(spec: str) -> TextEncoder:
    """Load the model that `spec` names: a CLIP, or a model whose tokens are averaged as Sentence-BERT does.

    Raises:
        InputError: No such form, a package or weights that are missing, a model without a tokenizer.
    """
    backend = parse_backend(spec) if spec.strip().startswith(("hf:", "dir:")) else None
    if backend is None or backend.adapters:
        remedy = "Name one: hf:ORG/NAME[@REV] or dir:PATH, without adapters; `words` needs no model."
        raise InputError("a text encoder", repr(spec), remedy)
    return _load(open_folder(backend, "a text encoder"))


def _load(folder: ModelFolder) -> TransformersText:
    transformers = import_transformers()
    config = part_of(transformers.AutoConfig.from_pretrained, folder)
    tokenizer = part_of(transformers.AutoTokenizer.from_pretrained, folder)
    if tokenizer.pad_token is None:
        raise InputError("a text encoder", f"{folder.spec}, which cannot pad texts", "Name a CLIP or a Sentence-BERT.")
    is_clip = config.model_type == "clip"
    kind = transformers.CLIPModel if is_clip else transformers.AutoModel
    model = load_weights(kind, folder, unused="pooler.")  # BERT's, which the mean does not use
    positions = getattr(config.get_text_config(), "max_position_embeddings", _LONGEST)
    reserved = 0 if is_clip else _POSITIONS_RESERVED
    longest = min(_LONGEST, tokenizer.model_max_length, positions - reserved)
    return TransformersText(f"{folder.name}@{folder.digest}", model, tokenizer, longest, is_clip=is_clip)
