"""Who finds the names of places in a clue: our own tables, spaCy with a pipeline that the user has, or a transformer.

Specs: ``tables`` (`place_mentions.py`, without any model); ``spacy:NAME_OR_FOLDER``, several of them with "+" between
(``spacy:en_core_web_sm+zh_core_web_sm``); ``hf:ORG/NAME`` or ``dir:PATH`` (`entity_model.py`). A pipeline of spaCy is
asked for texts of its own language's script alone: one for English finds nonsense in Chinese.

Tables are the default because they install with geosleuth: spaCy's own pipelines are published beside the package
index, not in it, and what bears their names there is by others (look-alikes with a version of 999 among them). Install
one as spaCy's documentation says, and name it. How the tables do on 60 invented clues, of which some of the words that
deceive were known to them, is measured by `tests/training/locatability/test_named_entities.py`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any, Protocol

from geosleuth.indexes.errors import InputError
from geosleuth.training.locatability.entity_model import load_entity_model
from geosleuth.training.locatability.place_mentions import LANGUAGES, PlaceMentions

TABLES = "tables"
# Of OntoNotes, which the pipelines for English and Chinese are trained on: countries, cities and states; other places;
# nationalities ("Dutch"), religious and political groups; buildings, airports, highways, bridges. WikiNER's LOC, of the
# multilingual one, is the same as the first two.
LABELS = frozenset({"GPE", "LOC", "NORP", "FAC"})
_REMEDY = "Name one of: tables, spacy:NAME_OR_FOLDER, spacy:ONE+OTHER, hf:ORG/NAME, dir:PATH."
_HAN = re.compile("[\u3400-\u9fff]")
_LETTERS = re.compile("[A-Za-z\u00c0-\u024f]")
_HAN_LANGUAGES = ("zh", "ja")
_LATIN_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")  # others, as "xx" of several, are asked for every text


class Recogniser(Protocol):
    """Finds names of places in texts."""

    described: str  # what finds them, for the record

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names found, as written."""


class SpacyMentions:
    """Names that spaCy's pipelines take for places."""

    def __init__(self, pipelines: Sequence[Any], described: str) -> None:
        self.described = described
        self._pipelines = tuple(pipelines)

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names found, as written, left to right, pipeline after pipeline."""
        asked = [one for one in self._pipelines if _reads(one.lang, text)]
        found = (entity.text for one in asked for entity in one(text).ents if entity.label_ in LABELS)
        return tuple(dict.fromkeys(found))


def load_recogniser(spec: str = TABLES, *, languages: Sequence[str] = LANGUAGES) -> Recogniser:
    """Load what `spec` names.

    Args:
        spec: "tables", "spacy:NAME_OR_FOLDER", "hf:ORG/NAME" or "dir:PATH".
        languages: Of the clues, ISO 639; of the tables.

    Raises:
        InputError: No such form, a package or a model that is missing, or one that recognises no places.
    """
    if spec == TABLES:
        return PlaceMentions(languages)
    kind, _, names = spec.partition(":")
    if kind in ("hf", "dir"):
        return load_entity_model(spec, LABELS)
    if kind != "spacy" or not all(names.split("+")):
        raise InputError("what recognises names of places", repr(spec), _REMEDY)
    pipelines = [_pipeline(name) for name in names.split("+")]
    return SpacyMentions(pipelines, " and ".join(map(_described, pipelines)))


def _pipeline(name: str) -> Any:
    spacy = _import_spacy()
    try:
        pipeline = spacy.load(name)
    except (OSError, ValueError, ImportError) as error:  # none of the name; no pipeline; a part of it is not installed
        found = str(error).splitlines()[0][:200]
        remedy = "Install it as spaCy's documentation says, or name its folder; `tables` needs none."
        raise InputError(f"a pipeline of spaCy, {name!r}", found, remedy) from error
    labels = {label for pipe in pipeline.pipe_names for label in pipeline.pipe_labels.get(pipe, ())}
    if not labels & LABELS:
        found = f"one with the labels {', '.join(sorted(labels)[:8]) or 'none'}"
        raise InputError(f"a pipeline that recognises places ({', '.join(sorted(LABELS))}), {name!r}", found, _REMEDY)
    return pipeline


def _import_spacy() -> Any:
    try:
        return importlib.import_module("spacy")
    except ImportError as error:
        found = f"none that can be imported ({error})"
        raise InputError("the package spacy", found, "Install it with `pip install spacy`, or use `tables`.") from error


def _described(pipeline: Any) -> str:
    meta = pipeline.meta
    return f"spaCy {meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}"


def _reads(language: str, text: str) -> bool:
    if language in _HAN_LANGUAGES:
        return _HAN.search(text) is not None
    return language not in _LATIN_LANGUAGES or _LETTERS.search(text) is not None
