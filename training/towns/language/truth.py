"""Explanations of pairs of invented towns against the scene's own list: what they name, and what of it is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from geosleuth.training.gleam_x.record import PairRecord, Reasons
from geosleuth.training.towns.language.feature import Language
from geosleuth.training.towns.language.of_view import features_shown, judged_in
from geosleuth.training.towns.language.phrases import named_features
from geosleuth.training.towns.language.shown import shown_on_disk


@dataclass(frozen=True, slots=True)
class Named:
    """Counts of features; those of several explanations are added."""

    named: int = 0  # by the explanation, each once
    there: int = 0  # of them, in one of the pictures at least
    shown: int = 0  # by one of the pictures at least

    def __add__(self, other: Named) -> Named:
        return Named(self.named + other.named, self.there + other.there, self.shown + other.shown)

    @property
    def imagined(self) -> int:
        """Named and in neither picture."""
        return self.named - self.there

    @property
    def precision(self) -> float | None:
        """The share of what is named that is there; None where nothing is named."""
        return self.there / self.named if self.named else None

    @property
    def recall(self) -> float | None:
        """The share of what is there that is named: low by design, as three features of each kind are asked for."""
        return self.there / self.shown if self.shown else None


class SceneTruth:
    """What the pictures of a data set of towns show, each decided once.

    Args:
        root: The data set's folder, that records' paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._features = cache(self._decided)

    def features(self, file: str) -> frozenset[str]:
        """Return ids of what a picture shows.

        Raises:
            InputError: It is no picture of towns.
        """
        return self._features(file)[0]

    def judged(self, file: str) -> frozenset[str]:
        """Return ids of what a picture would show if it were there."""
        return self._features(file)[1]

    def imagined(self, record: PairRecord, reasons: Reasons) -> tuple[str, ...]:
        """Return the lines of an explanation that name a feature of neither picture: a second look by truth."""
        there = self.features(record.query_path) | self.features(record.satellite_path)
        lines = (*reasons.agreeing, *reasons.disagreeing)
        return tuple(line for line in lines if named_features(line, record.lang) - there)

    def named(self, record: PairRecord, reasons: Reasons, lang: Language | None = None) -> Named:
        """Count what an explanation names, its conclusion included.

        Args:
            record: Whose pictures are meant.
            reasons: The explanation.
            lang: In which it is written; None: as the record says.
        """
        there = self.features(record.query_path) | self.features(record.satellite_path)
        said = named_in((*reasons.agreeing, *reasons.disagreeing, reasons.conclusion), lang or record.lang)
        return Named(len(said), len(said & there), len(there))

    def _decided(self, file: str) -> tuple[frozenset[str], frozenset[str]]:
        shown = shown_on_disk(self._root / file, self._root)
        return features_shown(shown), judged_in(shown)


def named_in(lines: Iterable[str], lang: Language) -> frozenset[str]:
    """Return what several lines name, each read by itself."""
    return frozenset(one for line in lines for one in named_features(line, lang))
