"""Pairwise reranking: which of two candidates shows the photo's place better, and the best three by such comparisons.

`InlierJudge` compares what verification found, `VlmJudge` has a vision-language model look at three pictures at once.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.comparison_prompts import (
    PREFERENCE,
    PREFERENCE_BEGUN,
    REASONING_TOKENS,
    Pictures,
    answering,
    prompt,
    reasoning,
)
from geosleuth.tools.verification import is_match
from geosleuth.tools.vlm.model import UnavailableError

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.indexes.pixels import Pixels
    from geosleuth.tools.vlm.model import VisionLanguageModel

logger = logging.getLogger(__name__)

Preference = Literal["first", "second", "tie"]
_MIRRORED: dict[Preference, Preference] = {"first": "second", "second": "first", "tie": "tie"}

# Counts of inliers scatter like counts do: their difference has a standard deviation of sqrt(a + b). On the pairs of a
# walk the reference with more inliers is the nearer in 60 % of the cases up to one such deviation, in 80 % from one to
# three, and in 96 % beyond (833 comparisons).
_CLEAR_DEVIATIONS = 1.0

# How seldom chance alone sets one similarity so far apart from the next ones. Comparing is skipped where the first
# stands out so: of the photos whose true reference is not the first, 1 in 100 then goes without its comparisons. By the
# embedded encoder none of 301 street views of other places stands out from the rest; of 184 true references put among
# them one at a time 165 come first and 36 stand out, all of these among the 165.
WIDE_MARGIN_CHANCE = 0.01


class Judge(Protocol):
    """Compares two candidates with the photo."""

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        """Say which of the two shows the photo's place.

        Raises:
            InputError: It cannot say (a server is away, an answer is unreadable); counted, and taken for a tie.
        """


@dataclass(frozen=True)
class InlierJudge:
    """Decide by what verification found: a match before none, then the clearly larger number of inliers.

    A tie where both or neither match and their numbers of inliers may differ by chance, and where one could not be
    checked and the other does not match.
    """

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        """Compare the verdicts; the photo itself is not looked at again."""
        del photo
        if is_match(first) != is_match(second):
            return "first" if is_match(first) else "second"
        if not is_match(first) or first.verification is None or second.verification is None:
            return "tie"  # inliers below the bound are chance
        a, b = first.verification.inliers, second.verification.inliers
        if abs(a - b) <= _CLEAR_DEVIATIONS * math.sqrt(a + b):
            return "tie"
        return "first" if a > b else "second"


@dataclass
class VlmJudge:
    """Have a model look at the photo and both candidates, in both orders at once; where its two answers differ, a tie.

    Models favour a position: which candidate is called 1 must not decide. What the model is asked is in
    `comparison_prompts.py`; with `reasoned` it writes its reasons first.
    """

    model: VisionLanguageModel
    pictures: Pictures
    reasoned: bool = False
    asked: int = 0  # prompts given to the model: 2 a comparison, 4 with reasons
    _known: dict[str, Pixels | InputError] = field(default_factory=dict)

    def prefer(self, photo: Photo, first: Candidate, second: Candidate) -> Preference:
        """Ask both orders in one batch.

        Raises:
            InputError: A picture is gone, the model cannot be asked, or it finds no answer possible.
        """
        shown = [(one.view, self._picture(one)) for one in (first, second)]
        orders = (shown, shown[::-1])
        if self.reasoned:
            begun = [reasoning(photo.pixels, *order) for order in orders]
            self.asked += len(begun)
            reasons = self.model.generate(begun, max_tokens=REASONING_TOKENS)
            prompts = [
                answering(one, said[0].text, question=PREFERENCE, begun=PREFERENCE_BEGUN)
                for one, said in zip(begun, reasons, strict=True)
            ]
        else:
            prompts = [prompt(photo.pixels, *order, question=PREFERENCE, begun=PREFERENCE_BEGUN) for order in orders]
        self.asked += len(prompts)
        logs = self.model.score(prompts, ("1", "2")).log_probabilities
        ahead = np.array([logs[0, 0] - logs[0, 1], logs[1, 1] - logs[1, 0]])  # of `first`, in both orders
        if np.isnan(ahead).any():
            raise InputError("a preference for 1 or 2", "neither possible", "Use another model for the role pairwise.")
        if (ahead > 0).all():
            return "first"
        return "second" if (ahead < 0).all() else "tie"

    def _picture(self, candidate: Candidate) -> Pixels:
        """Read a picture once: a champion is looked at many times."""
        if candidate.reference_id not in self._known:
            try:
                self._known[candidate.reference_id] = self.pictures(candidate)
            except InputError as error:
                self._known[candidate.reference_id] = error
        known = self._known[candidate.reference_id]
        if isinstance(known, InputError):
            raise known
        return known


@dataclass
class Comparisons:
    """One photo's comparisons by one judge, each pair asked once."""

    photo: Photo
    judge: Judge
    asked: int = 0  # pairs; of the judge, until it is unavailable
    ties: int = 0
    failures: int = 0
    _unavailable: bool = False
    _kinds: Counter[str] = field(default_factory=Counter)  # of failures, since the log told of them
    _known: dict[tuple[str, str], Preference] = field(default_factory=dict)

    def prefer(self, first: Candidate, second: Candidate) -> Preference:
        """As the judge says; a failure is a tie, and a judge that is unavailable is not asked again."""
        key = (first.reference_id, second.reference_id)
        if key not in self._known:
            answer = self._ask(first, second)
            self._known[key] = answer
            self._known[second.reference_id, first.reference_id] = _MIRRORED[answer]
        return self._known[key]

    def _ask(self, first: Candidate, second: Candidate) -> Preference:
        self.asked += 1
        if self._unavailable:
            return self._failed(UnavailableError)
        try:
            preference = self.judge.prefer(self.photo, first, second)
        except InputError as error:
            self._unavailable = isinstance(error, UnavailableError)
            return self._failed(type(error))
        self.ties += preference == "tie"
        return preference

    def _failed(self, kind: type[InputError]) -> Preference:
        self.failures += 1
        self._kinds[kind.__name__] += 1
        return "tie"

    def log_failures(self) -> None:
        """Tell the log once how many failed; not in which words, for these may name files of references."""
        if self._kinds:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self._kinds.items()))
            logger.warning("Comparisons failed (%s): there the order of retrieval stands", kinds)
            self._kinds.clear()


def select_best(
    candidates: Sequence[Candidate], comparisons: Comparisons, *, best: int = 3, early_stop: bool = False
) -> tuple[Candidate, ...]:
    """Bring the best few to the front by selection, and renumber the ranks; the others keep their order.

    Takes (N-1) + (N-2) + (N-3) comparisons for three of N, less those of pairs that were met before. A champion is only
    replaced by a candidate that the judge prefers: ties and failures leave the order of retrieval (arXiv 2603.27251,
    which has no ties).

    Args:
        candidates: In the order of retrieval.
        comparisons: The judge, and what it has said before.
        best: How many are brought to the front.
        early_stop: Take the first of those left without asking where it `stands_out`; for judges that cost something.
    """
    left = list(candidates)
    chosen: list[Candidate] = []
    while left and len(chosen) < best:
        champion = left[0]
        if not (early_stop and stands_out(left)):
            for challenger in left[1:]:
                if comparisons.prefer(champion, challenger) == "second":
                    champion = challenger
        left.remove(champion)
        chosen.append(champion)
    comparisons.log_failures()
    return tuple(one.model_copy(update={"rank": rank}) for rank, one in enumerate([*chosen, *left], start=1))


def stands_out(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the first is so much more similar than the next that chance alone hardly does it.

    Similarities of wrong references are the upper tail of one distribution. In such a tail the gaps s(i) - s(i+1),
    times i, are independent and exponential with one mean (Renyi 1953), so that the share of the first among n - 1 of
    them exceeds t / (1 + t) with probability (1 + t)^-(n-2). No scale comes in: encoders differ in theirs. A
    normal tail is lighter than that exponential one, and lets the first stand out more seldom.

    False where it cannot be told: fewer than three, or views that are compared on different scales; where another one
    is more similar, so that something else than similarity ranked; and where verification speaks against the first.
    """
    first = candidates[0]
    rejected = first.verification is not None and first.verification.verdict == "no_match"
    if len(candidates) < 3 or rejected or any(one.view != first.view for one in candidates):
        return False
    similarity = np.sort([one.similarity for one in candidates])[::-1]
    gaps = np.arange(1, len(similarity)) * (similarity[:-1] - similarity[1:])
    others = float(gaps[1:].sum())
    if first.similarity < similarity[0] or others <= 0.0:  # copies of one picture have no gaps, and tell nothing
        return False
    return bool((1.0 + gaps[0] / others) ** -float(len(gaps) - 1) < WIDE_MARGIN_CHANCE)
