"""Locatability by a model: from what a segmenter sees in the photo, or from a vision-language model's yes or no.

`locatability(I, w) = sum over the classes k of share_k(I) * w_k` (GeoReasoner, arXiv 2406.18572). The score was made to
choose street views for training, and above 0.4 it keeps them: with the published weights (road 1.0, column 0.57, path
0.54, sidewalk 0.45, sky 0.17) that takes about a quarter of the picture being road or pavement, and a landmark, which
anyone could place, has about 0.2. So it is a filter for street views, and a soft signal about other photos: never a
gate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import class_name
from geosleuth.tools.class_weights import Weights, published_weights, read_weights
from geosleuth.tools.locatability import Locatability, score_locatability
from geosleuth.tools.vlm.model import Prompt, Turn

if TYPE_CHECKING:
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.segmentation import Shares
    from geosleuth.tools.vlm.model import VisionLanguageModel

TRAINING_THRESHOLD = 0.4  # of street views worth training on: at 0.7 too few are left, at 0.1 poor ones come in (paper)
_SHOWN_PARTS = 6  # classes named; on streets they make up nearly all of the score
_IN_SENTENCE = 3

QUESTION = (
    "Could somebody work out where in the world this photo was taken from what it shows, such as writing, signs, "
    "buildings, roads, vehicles, plants or landforms? Answer Yes or No."
)
_YES, _NO = ("Yes", "yes"), ("No", "no")
_UNSURE = 0.5  # of the probability: below, the model would rather have said something else


def locatability(shares: Shares, weights: Weights) -> float:
    """Return the sum of share times weight over the classes, in [0, 1].

    Args:
        shares: (150,) share of the photo per class of ADE20K, sum at most 1.
        weights: (150,) in [0, 1].
    """
    return min(1.0, float(shares @ weights))  # shares may sum to a rounding error above 1


def segment_locatability(photo: Photo, spec: str, *, weights: Path | None = None) -> Locatability:
    """Score a photo by what a segmenter of ADE20K's classes sees in it: a filter for street views, and a soft signal.

    Args:
        photo: The photo.
        spec: The segmenter, hf:ORG/NAME[@REV] or dir:PATH; loaded once.
        weights: A table of class weights (`class_weights.py`); None = those published with GeoReasoner.

    Raises:
        InputError: The segmenter or the weights cannot be had.
    """
    if (empty := _nothing_shown(photo, spec)) is not None:
        return empty
    from geosleuth.tools.segmentation import load_segmenter

    table = read_weights(weights) if weights is not None else published_weights()
    segmenter = load_segmenter(spec)
    shares = segmenter.class_shares(photo)
    added = shares * table
    leading = [int(index) for index in np.argsort(-added, kind="stable")[:_SHOWN_PARTS] if added[index] > 0]
    score = locatability(shares, table)
    return Locatability(
        score=score,
        parts={class_name(index): float(added[index]) for index in leading},
        backend=spec,
        weights=segmenter.weights if weights is None else f"{segmenter.weights}, class weights of {weights.name}",
        reason=_segments_reason(shares, added, leading, score),
    )


def vlm_locatability(photo: Photo, model: VisionLanguageModel) -> Locatability:
    """Score a photo by how surely a vision-language model says that its place could be told; one look, no text.

    Raises:
        InputError: The model cannot be run, or gives neither answer any probability.
    """
    if (empty := _nothing_shown(photo, model.spec)) is not None:
        return empty
    scores = model.score([Prompt((_question(photo),))], _YES + _NO)
    chances = np.exp(scores.log_probabilities[0])
    yes, no = float(chances[: len(_YES)].sum()), float(chances[len(_YES) :].sum())
    if not yes + no > 0:
        found = f"no probability for either from {model.spec}"
        raise InputError("yes or no to a question about the photo", found, "Use another model, or the embedded score.")
    score, covered = yes / (yes + no), min(yes + no, 1.0)
    reason = f"Asked whether the place could be told from the photo, the model says yes with probability {score:.2f}."
    if covered < _UNSURE:
        reason += f" It would answer so in {100 * covered:.2g} % of its replies only, so this says little."
    parts = {"yes": min(yes, 1.0), "no": min(no, 1.0)}
    return Locatability(score=score, parts=parts, backend=model.spec, weights=model.weights, reason=reason)


def _question(photo: Photo) -> Turn:
    return Turn("user", (photo.pixels, QUESTION))


def _nothing_shown(photo: Photo, spec: str) -> Locatability | None:
    """A black, blank or noisy picture: models name something in it all the same, so they are not asked."""
    embedded = score_locatability(photo)
    if embedded.flag is None:
        return None
    reason = f"{embedded.reason} The model was not asked."
    return embedded.model_copy(update={"parts": {}, "backend": spec, "reason": reason})


def _segments_reason(shares: Shares, added: Shares, leading: list[int], score: float) -> str:
    if not leading:
        return "Nothing is seen that clues about places speak of."
    named = [
        f"{class_name(index)} ({100 * shares[index]:.0f} % of the picture, +{added[index]:.2f})"
        for index in leading[:_IN_SENTENCE]
    ]
    above = "above" if score > TRAINING_THRESHOLD else "not above"
    return (
        f"The score comes mostly from {', '.join(named)}; it is {above} {TRAINING_THRESHOLD}, where street views are "
        "kept for training."
    )
