"""Names of places by a token classifier of transformers: BERT and its kin, of any language that it was trained on."""

from __future__ import annotations

from typing import Any

from geosleuth.indexes.backend import parse_backend
from geosleuth.indexes.errors import InputError
from geosleuth.tools.pretrained import import_transformers, load_weights, open_folder, part_of

_LONGEST = 512  # tokens; a clue is cut there, as BERT's kind can read no more


class ModelMentions:
    """Names that a token classifier takes for places."""

    def __init__(self, recogniser: Any, labels: frozenset[str], described: str) -> None:
        self.described = described
        self._recogniser = recogniser  # a transformers.TokenClassificationPipeline
        self._labels = labels

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names found, as written, left to right."""
        spans = self._recogniser(text) if text.strip() else []  # the pipeline refuses an empty text
        found = (text[one["start"] : one["end"]] for one in spans if one["entity_group"] in self._labels)
        return tuple(dict.fromkeys(found))


def load_entity_model(spec: str, labels: frozenset[str]) -> ModelMentions:
    """Load a model whose tokens are labelled B-LOC, I-LOC, ... (or without the B- and I-).

    Args:
        spec: hf:ORG/NAME[@REV] or dir:PATH.
        labels: Of places.

    Raises:
        InputError: A package or weights that are missing, or a model that labels no places.
    """
    backend = parse_backend(spec)
    if backend.base not in ("hf", "dir") or backend.adapters:
        remedy = "Name one: hf:ORG/NAME[@REV] or dir:PATH, without adapters."
        raise InputError("a model that labels places", repr(spec), remedy)
    folder = open_folder(backend, "a model that labels places")
    transformers = import_transformers()
    tokenizer = part_of(transformers.AutoTokenizer.from_pretrained, folder, model_max_length=_LONGEST)
    model = load_weights(transformers.AutoModelForTokenClassification, folder)
    known = {label.removeprefix("B-").removeprefix("I-") for label in model.config.id2label.values()}
    if not known & labels:
        found = f"one with the labels {', '.join(sorted(known)[:8])}"
        raise InputError(f"a model that labels places ({', '.join(sorted(labels))}), {spec}", found, "Name another.")
    recogniser = transformers.TokenClassificationPipeline(
        model=model, tokenizer=tokenizer, aggregation_strategy="simple"
    )
    return ModelMentions(recogniser, labels, f"{folder.name}@{folder.digest}")
