"""Judges of pairs for the ablation: one order only, as the paper asks; and a count of how often the right one wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.tools.comparison_prompts import PREFERENCE, PREFERENCE_BEGUN, Pictures, prompt

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.candidate import Candidate
    from geosleuth.tools.pairwise import Judge, Preference
    from geosleuth.tools.vlm.model import VisionLanguageModel


@dataclass
class OneOrderJudge:
    """Ask a model once per pair, the champion as candidate 1: a favour for a position then decides with it."""

    model: VisionLanguageModel
    pictures: Pictures
    asked: int = 0

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        """Ask in the order given.

        Raises:
            InputError: A picture is gone, the model cannot be asked, or it finds no answer possible.
        """
        shown = [(one.view, self.pictures(one)) for one in (first, second)]
        self.asked += 1
        question = prompt(photo.pixels, *shown, question=PREFERENCE, begun=PREFERENCE_BEGUN)
        logs = self.model.score([question], ("1", "2")).log_probabilities
        ahead = float(logs[0, 0] - logs[0, 1])
        if ahead != ahead:  # NaN: neither was possible
            raise InputError("a preference for 1 or 2", "neither possible", "Use another model as the judge.")
        if ahead == 0.0:
            return "tie"
        return "first" if ahead > 0 else "second"


@dataclass
class Counted:
    """A judge whose preferences between a right and a wrong candidate are counted; ties are half."""

    judge: Judge
    right: frozenset[str]
    decided: int = 0
    won: float = 0.0

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        """As the judge says."""
        said = self.judge.prefer(photo, first, second)
        one, other = first.reference_id in self.right, second.reference_id in self.right
        if one != other:
            self.decided += 1
            self.won += 0.5 if said == "tie" else float((said == "first") == one)
        return said

    @property
    def share(self) -> float | None:
        """Of the comparisons between a right and a wrong candidate, those that the right one won."""
        return self.won / self.decided if self.decided else None
