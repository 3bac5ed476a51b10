"""What the small model learns first: to say what an invented town's picture shows, and what two pictures share.

No country is named here: what it learns is to look, so that adapters have something to go on. Synthetic throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.candidate import Language
from geosleuth.tools.comparison_prompts import prompt
from geosleuth.tools.vlm.model import Turn
from geosleuth.training.lora.lesson import Lesson
from geosleuth.training.towns.language.of_view import features_of
from geosleuth.training.towns.language.phrases import phrase

SHOWN: dict[Language, str] = {
    "en": "What does this picture show? Name the things, separated by semicolons.",
    "zh": "这张图里有什么？请用分号隔开列出。",
}
SHARED: dict[Language, str] = {
    "en": "What do both pictures show? Name the things, separated by semicolons.",
    "zh": "两张图都有什么？请用分号隔开列出。",
}
_NONE: dict[Language, str] = {"en": "nothing", "zh": "没有"}
_BETWEEN: dict[Language, str] = {"en": "; ", "zh": "；"}
_ENGLISH = 0.7  # of the lessons; the rest are Chinese


@dataclass(frozen=True)
class Pair:
    """A photo and a picture of perhaps the same place."""

    photo: Path
    candidate: Path
    view: View


class Descriptions:
    """Lessons on single pictures and on pairs; which language is drawn by the lesson's number."""

    def __init__(self, pictures: Sequence[Path], pairs: Sequence[Pair], *, seed: int = 0) -> None:
        self._all: tuple[Path | Pair, ...] = (*pictures, *pairs)
        self._seed = seed
        self._counts = len(pictures), len(pairs)

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson; see `Lessons`."""
        rng = np.random.default_rng([self._seed, index])
        language: Language = "en" if rng.random() < _ENGLISH else "zh"
        of = self._all[index]
        if isinstance(of, Pair):
            shared = features_of(of.photo) & features_of(of.candidate)
            question = prompt(_pixels(of.photo), (of.view, _pixels(of.candidate)), question=SHARED[language])
            return Lesson((*question.turns, Turn("assistant", (listed(shared, language),))))
        question_turn = Turn("user", (_pixels(of), SHOWN[language]))
        return Lesson((question_turn, Turn("assistant", (listed(features_of(of), language),))))

    def about(self) -> Mapping[str, Any]:
        """Say what they are of."""
        pictures, pairs = self._counts
        return {"kind": "descriptions of invented towns (synthetic)", "pictures": pictures, "pairs": pairs}


def listed(features: frozenset[str], language: Language) -> str:
    """Write features in one order, so that there is one right answer."""
    return _BETWEEN[language].join(phrase(one, language) for one in sorted(features)) or _NONE[language]


def _pixels(path: Path) -> Any:
    return load_photo(path).pixels
