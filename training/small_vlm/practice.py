"""Lessons without geography: what is in a picture, yes or no; of which colour it is; and to write JSON as one is told.

Adapters change how a model connects what it knows; a base that never wrote a country's name, nor a bracket, could not
be taught to by them. Which name goes with which picture is drawn by chance here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.photo import load_photo
from geosleuth.tools.candidate import Language
from geosleuth.tools.comparison_prompts import NO, YES
from geosleuth.tools.vlm.model import Turn
from geosleuth.training.lora.lesson import Lesson
from geosleuth.training.towns.language.of_view import features_of
from geosleuth.training.towns.language.phrases import phrase, sentence
from geosleuth.training.towns.language.shown import Shown, shown_on_disk
from geosleuth.training.towns.language.vocabulary import FEATURES
from geosleuth.training.towns.making.styles import STYLES

COLOURS = "Which colours has this picture?"
COLOURED = {
    "buildings": ("building", "house", "skyscraper"),
    "road": ("road",),
    "pavement": ("sidewalk",),
    "soil": ("earth",),
    "grass": ("grass",),
    "trees": ("tree", "plant"),
    "palms": ("palm",),
}
_LEVEL = 32  # of 256: eight levels
_LEAST_SHARE = 0.01  # of the picture
_MOST_NAMED = 3


class YesNo:
    """Is one feature in the picture? Half of the answers are yes, as far as the picture shows anything."""

    def __init__(self, pictures: Sequence[Path], *, seed: int = 0) -> None:
        self._pictures = tuple(pictures)
        self._seed = seed

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson; see `Lessons`."""
        rng = np.random.default_rng([self._seed, index, 1])
        picture = self._pictures[index]
        shown = sorted(features_of(picture))
        absent = sorted({feature.id for feature in FEATURES} - set(shown))
        there = bool(shown) and rng.random() < 0.5
        feature = str(rng.choice(shown if there else absent))
        question = f"{phrase(feature, 'en')}?"
        answer = YES[0] if there else NO[0]
        return Lesson((Turn("user", (load_photo(picture).pixels, question)), Turn("assistant", (answer,))))

    def about(self) -> Mapping[str, Any]:
        """Say what they are of."""
        return {"kind": "yes or no about invented towns (synthetic)", "pictures": len(self)}


class Colours:
    """How light and of which colour is what the picture shows? Red, green and blue of each class, in eight levels.

    The towns' countries differ in colours above all, and forty named features have few words for them.
    """

    def __init__(self, pictures: Sequence[Path]) -> None:
        self.pictures = tuple(pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson; see `Lessons`."""
        shown = shown_on_disk(self.pictures[index])
        said = [_colour(shown, name, kinds) for name, kinds in COLOURED.items() if shown.share(*kinds) >= _LEAST_SHARE]
        answer = "; ".join(said) or "nothing"
        return Lesson((Turn("user", (shown.pixels, COLOURS)), Turn("assistant", (answer,))))

    def about(self) -> Mapping[str, Any]:
        """Say what they are of."""
        return {"kind": "colours in invented towns (synthetic)", "pictures": len(self)}


def _colour(shown: Shown, name: str, kinds: tuple[str, ...]) -> str:
    levels = shown.pixels[shown.inside(*kinds)].mean(axis=0) // _LEVEL
    return " ".join([name, *(str(int(level)) for level in levels)])


class Writing:
    """Lists of words to be written as JSON, without any picture."""

    def __init__(self, number: int, cities: Sequence[str], *, seed: int = 0) -> None:
        self._number = number
        self._cities = tuple(cities)
        self._seed = seed

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, index: int) -> Lesson:
        """Return a lesson; see `Lessons`."""
        rng = np.random.default_rng([self._seed, index, 2])
        said = _place(rng, self._cities) if rng.random() < 0.5 else _comparison(rng)
        words = "; ".join(", ".join(value) if isinstance(value, list) else str(value) for value in said.values())
        answer = json.dumps(said, ensure_ascii=False)
        return Lesson((Turn("user", (f"JSON: {words}",)), Turn("assistant", (answer,))))

    def about(self) -> Mapping[str, Any]:
        """Say what they are of."""
        return {"kind": "writing JSON (made up)", "texts": self._number}


def _place(rng: np.random.Generator, cities: Sequence[str]) -> dict[str, Any]:
    country = country_name(STYLES[int(rng.integers(len(STYLES)))].country)
    said: dict[str, Any] = {"country": country, "city": str(rng.choice(list(cities)))}
    return said | ({"reasons": _some(rng, "en", sentences=True)} if rng.random() < 0.5 else {})


def _comparison(rng: np.random.Generator) -> dict[str, Any]:
    language: Language = "en" if rng.random() < 0.5 else "zh"
    return {
        "agreeing": _some(rng, language),
        "disagreeing": _some(rng, language),
        "conclusion": _some(rng, language, sentences=True)[0],
        "same_place": bool(rng.random() < 0.5),
    }


def _some(rng: np.random.Generator, language: Language, *, sentences: bool = False) -> list[str]:
    chosen = rng.choice(len(FEATURES), 1 + int(rng.integers(_MOST_NAMED)), replace=False)
    said = sentence if sentences else phrase
    return [said(FEATURES[int(one)].id, language) for one in chosen]
