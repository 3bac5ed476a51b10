"""Is a named thing in the pictures at all? A model is asked about one feature and one picture at a time.

It answers by the probability of one word. A feature that it finds in neither picture counts as imagined. Models lean to
one answer, and so does this check: read its counts beside those of the same model on features that are known to be
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geosleuth.indexes.pixels import Pixels
from geosleuth.tools.comparison_prompts import NO, YES, yes_log_odds
from geosleuth.tools.quoting import quoted
from geosleuth.tools.vlm.model import Prompt, Turn, VisionLanguageModel
from geosleuth.training.gleam_x.record import Reasons

_QUESTION = (
    "Words from a comparison of two pictures, of which this is one: {feature}. Is the thing that they name visible in "
    "this picture? Answer with one word, Yes or No."
)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a feature; ln P(yes) / P(no), NaN where the model answered neither."""

    feature: str
    photo: float
    candidate: float

    @property
    def imagined(self) -> bool:
        """Whether it is in neither picture; a model that does not answer accuses nobody."""
        return self.photo < 0.0 and self.candidate < 0.0


def looks(features: Sequence[str], pictures: tuple[Pixels, Pixels], model: VisionLanguageModel) -> tuple[Look, ...]:
    """Look for each feature in both pictures.

    Args:
        features: See `features_of`.
        pictures: The photo and the candidate.
        model: Asked by score: nothing is written.

    Raises:
        InputError: The model cannot be reached or run.
    """
    if not features:
        return ()
    # Prompts of one picture follow each other: what they have in common is computed once.
    prompts = [look_prompt(feature, picture) for picture in pictures for feature in features]
    odds = [float(one) for one in yes_log_odds(model.score(prompts, YES + NO))]
    pairs = zip(features, odds[: len(features)], odds[len(features) :], strict=True)
    return tuple(Look(feature, photo, candidate) for feature, photo, candidate in pairs)


def look_prompt(feature: str, picture: Pixels) -> Prompt:
    """Ask whether a feature is visible in a picture."""
    return Prompt((Turn("user", (picture, _QUESTION.format(feature=quoted(feature)))),))


def features_of(reasons: Reasons) -> tuple[str, ...]:
    """All features of an explanation, each once."""
    return tuple(dict.fromkeys((*reasons.agreeing, *reasons.disagreeing)))
