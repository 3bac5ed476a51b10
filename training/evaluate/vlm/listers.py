"""Who says which features a text names and a picture shows: the lists of invented towns, or a model's second look.

A feature is a word or a phrase of the lister's own vocabulary; only equal ones count as the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.tools.candidate import Language
from geosleuth.tools.comparison_prompts import NO, YES, yes_log_odds
from geosleuth.training.gleam_x.second_look import look_prompt

if TYPE_CHECKING:
    from geosleuth.tools.vlm.load import SharedModel

Features = frozenset[str]


class Lister(Protocol):
    """Finds features in texts and in pictures."""

    name: str  # for the report
    lists_all: bool  # `all_of` returns lists; without them there is no recall

    def named(self, text: str, language: Language) -> Features:
        """Return what a line of an explanation names."""

    def shown(self, picture: Path, asked: Features) -> Features:
        """Return which of these features a picture shows.

        Raises:
            InputError: The picture is not one that the lister knows, or cannot be read.
        """

    def all_of(self, picture: Path) -> Features:
        """Return all that a picture shows; empty where `lists_all` is False.

        Raises:
            InputError: As above.
        """


class TownLister:
    """The lists of things that towns write beside their pictures: exact, and synthetic."""

    name = "the lists of things of the invented towns"
    lists_all = True

    def __init__(self) -> None:
        self._lists: dict[Path, Features] = {}

    def named(self, text: str, language: Language) -> Features:
        """Return what a line names."""
        from geosleuth.training.towns.language.phrases import named_features

        return named_features(text, language)

    def shown(self, picture: Path, asked: Features) -> Features:
        """Return which of these a picture shows."""
        return asked & self.all_of(picture)

    def all_of(self, picture: Path) -> Features:
        """Return all that a picture shows."""
        from geosleuth.training.towns.language.of_view import features_of

        if picture not in self._lists:  # a mask is decoded for each, and a query has several pairs
            self._lists[picture] = features_of(picture)
        return self._lists[picture]


class SecondLook:
    """A model looks at one picture alone, and says of every line of an explanation whether the picture shows it.

    It may err as the first did, and worse where it is the same model: name another one.
    """

    lists_all = False

    def __init__(self, model: SharedModel) -> None:
        self._model = model
        self.name = f"a second look by {model.weights}"
        self._seen: dict[tuple[Path, str], bool] = {}

    def named(self, text: str, language: Language) -> Features:  # noqa: ARG002  # a line is its own feature
        """Return the line itself."""
        line = " ".join(text.split()).strip(" .;,。；，").casefold()
        return frozenset({line} if line else ())

    def shown(self, picture: Path, asked: Features) -> Features:
        """Ask of each feature whether it can be seen."""
        unknown = sorted(feature for feature in asked if (picture, feature) not in self._seen)
        if unknown:
            pixels = open_photo(picture).pixels
            prompts = [look_prompt(feature, pixels) for feature in unknown]
            odds = yes_log_odds(self._model.for_photo().score(prompts, YES + NO))
            self._seen |= {(picture, one): bool(value >= 0) for one, value in zip(unknown, odds, strict=True)}
        return frozenset(feature for feature in asked if self._seen[picture, feature])

    def all_of(self, picture: Path) -> Features:  # noqa: ARG002  # nobody can ask for all
        """Return nothing: a model is asked about what is named, not for a list."""
        return frozenset()


def load_lister(spec: str) -> Lister:
    """Return the lister that `spec` names: "towns", or a vision-language model for a second look.

    Raises:
        InputError: The model cannot be loaded, or the package of towns cannot tell features.
    """
    if spec == "towns":
        return TownLister()
    from geosleuth.tools.vlm.load import load_vlm

    try:
        return SecondLook(load_vlm(spec))
    except InputError as error:
        raise InputError(f'"towns" or a model for a second look ({error.wanted})', error.found, error.remedy) from error
