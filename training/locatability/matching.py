"""Which of ADE20K's classes a clue speaks of: by meaning, in a text encoder's space, or by the words alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.ade20k import CLASSES, class_name, class_names
from geosleuth.training.locatability.text_encoder import TextEncoder

Similarities = NDArray[np.float32]  # (clues, 150), at most 1; not above 0: no match

_OTHER_WORDS = frozenset(  # names of classes that are mostly other words: "you can see" is no toilet
    (
        *("can", "bill", "card", "notice", "press", "range", "cover", "case", "base", "stand", "span", "mount"),
        *("cycle", "falls", "machine", "bar", "step", "light", "screen", "tank", "throne", "soul", "body", "beast"),
        *("picture", "counter", "soil", "individual", "someone", "somebody", "mortal", "stall", "life", "wheel"),
    )
)


class Matcher(Protocol):
    """Compares clues with classes."""

    @property
    def weights(self) -> str:
        """What compares them, for the record."""

    def similarities(self, clues: Sequence[str]) -> Similarities:
        """Return how close each clue is to each class."""


class MeaningMatcher:
    """Cosine of a clue's vector and that of the class's usual name."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.weights = encoder.weights
        self._encoder = encoder
        self._classes = encoder.encode([class_name(index) for index in range(CLASSES)])

    def similarities(self, clues: Sequence[str]) -> Similarities:
        """Return cosines, (clues, 150)."""
        return np.asarray(self._encoder.encode(clues) @ self._classes.T, np.float32)


class WordMatcher:
    """1 where a clue has a name of the class in it, in the singular or the plural, else 0; English only, no weights."""

    weights = "words"

    def similarities(self, clues: Sequence[str]) -> Similarities:
        """Return ones and zeros, (clues, 150)."""
        patterns = [_pattern(index) for index in range(CLASSES)]
        found = [[pattern.search(clue) is not None for pattern in patterns] for clue in clues]
        return np.array(found, np.float32).reshape(len(clues), CLASSES)


def _pattern(index: int) -> re.Pattern[str]:
    names = [name for name in class_names()[index] if name not in _OTHER_WORDS]
    # The longest first; a space may be a hyphen or nothing: "street light" and "streetlights".
    ordered = sorted(names or [class_name(index)], key=len, reverse=True)
    spelled = "|".join(re.escape(name).replace(r"\ ", "[ -]?") for name in ordered)
    return re.compile(rf"\b(?:{spelled})(?:s|es)?\b", re.IGNORECASE)
