"""What the small model's tokenizer is trained on: the words of its lessons and of all that adapters will teach it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from geosleuth.indexes.countries import country_name
from geosleuth.indexes.gallery.reference import VIEWS
from geosleuth.tools import georeasoner_reply
from geosleuth.tools.candidate import Language
from geosleuth.tools.comparison_prompts import NO, SAME_PLACE, YES, prompt
from geosleuth.tools.gleam_x import WHY
from geosleuth.training.small_vlm.lessons import SHARED, SHOWN
from geosleuth.training.small_vlm.practice import COLOURED, COLOURS
from geosleuth.training.towns.language.phrases import phrase, sentence
from geosleuth.training.towns.language.vocabulary import FEATURES
from geosleuth.training.towns.making.styles import STYLES

_LANGUAGES: tuple[Language, ...] = ("en", "zh")
_OFTEN = 20  # a country's name stands in as many texts as make it one or two tokens


def instructions() -> list[str]:
    """Return the fixed texts that models are asked with, the longest first: one token each."""
    nothing = np.zeros((1, 1, 3), np.uint8)
    asked = [georeasoner_reply.prompt(nothing)]
    asked += [prompt(nothing, (view, nothing), question=SAME_PLACE) for view in VIEWS]
    parts = {part for one in asked for turn in one.turns for part in turn.parts if isinstance(part, str)}
    parts |= {text for questions in (WHY, SHOWN, SHARED) for text in questions.values()}
    parts.add(COLOURS)
    return sorted(parts, key=lambda part: (-len(part), part))


def texts() -> Iterator[str]:
    """Write what will be answered, in the proportions that make frequent words one token."""
    yield from (*YES, *NO)
    yield from (f"{name} {level} {level}; {name}" for name in COLOURED for level in range(8))
    names = [country_name(style.country) for style in STYLES]
    for feature in FEATURES:
        for language in _LANGUAGES:
            for said in (phrase(feature.id, language), sentence(feature.id, language)):
                both = f'"agreeing": ["{said}"], "disagreeing": ["{said}"]'
                yield f'{{{both}, "conclusion": "{said}", "same_place": true}}'
                yield f"{said}; {said}"
    for _ in range(_OFTEN):
        for name in names:
            yield f'{{"country": "{name}", "city": "unknown", "reasons": ["The roofs are red."]}}'
            yield f'{{"country": "{name}", "city": "{name}"}}'
