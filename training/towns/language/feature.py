"""One thing that can be said of a view of an invented town, in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geosleuth.training.towns.language.rules import GROUND, Rule
from geosleuth.training.towns.language.shown import Shown

Language = Literal["en", "zh"]
PICTURED = GROUND | {"satellite", "drone"}
ABOVE = frozenset({"satellite", "drone"})
EVERYWHERE = PICTURED | {"map"}


@dataclass(frozen=True, slots=True)
class Wording:
    """How a language says it."""

    phrase: str  # a noun with what belongs to it
    sentence: str
    pattern: str  # a regular expression that finds it in a text


@dataclass(frozen=True, slots=True)
class Feature:
    """What can be said."""

    id: str
    en: Wording
    zh: Wording
    views: frozenset[str]  # from which it can be seen, if it is there
    rule: Rule
    colour: bool = False  # cannot be told at night or in the infrared

    def wording(self, lang: Language) -> Wording:
        """Return its words."""
        return self.zh if lang == "zh" else self.en

    def can_be_judged(self, shown: Shown) -> bool:
        """Tell whether the view would show it if it were there."""
        return shown.view in self.views and (shown.in_daylight_colours or not self.colour)
