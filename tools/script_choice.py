"""Weigh what tells a line's script: its picture, what PP-OCR made of it, and the other lines of the photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geosleuth.tools.ppocr import Reading
from geosleuth.tools.script_classifier import CLASSES, NO_TEXT
from geosleuth.tools.scripts import count_scripts, script_of_letter

Shares = NDArray[np.float64]  # (n, len(CLASSES)) probabilities, or one row of them

# How often each class was drawn in training: the prior inside the classifier's probabilities. It must equal
# training/script_classifier/samples.py; a test holds the two together.
TRAINED = {"Latn": 4.0, "Cyrl": 2.0, "Grek": 2.0, "Hani": 2.0, "Zyyy": 1.5, NO_TEXT: 5.0}
# How often a box that the detector finds on a street shows each class. A judgement, not a count: many boxes are no
# writing; among scripts, by the number of people who live with them and the street imagery of their countries. The
# unnamed have _SELDOM each.
ON_STREETS = {
    "Latn": 0.34, NO_TEXT: 0.40, "Zyyy": 0.12, "Hani": 0.04, "Cyrl": 0.02, "Arab": 0.010, "Thai": 0.010, "Hang": 0.008,
    "Grek": 0.006, "Hebr": 0.005, "Deva": 0.006, "Beng": 0.004,
}  # fmt: skip
_SELDOM = 0.002
_PRIOR_LINES = 3.0  # the street prior weighs as much as so many lines of the same photo
# What PP-OCR makes of 150 rendered lines of each class (`python -m geosleuth.training.script_classifier.outcomes`),
# one added to each cell. "other" is the mean of Hebrew, Arabic, Thai, Devanagari, Hangul and Georgian.
OUTCOMES = ("sure Latin", "Latin", "short", "han", "number", "mixed", "dull")
RATES: dict[str, tuple[float, ...]] = {
    "Latn": (0.777, 0.127, 0.019, 0.006, 0.006, 0.013, 0.051),
    "Cyrl": (0.083, 0.261, 0.032, 0.006, 0.051, 0.064, 0.503),
    "Grek": (0.089, 0.217, 0.032, 0.006, 0.006, 0.446, 0.204),
    "Armn": (0.013, 0.338, 0.019, 0.006, 0.013, 0.019, 0.592),
    "Hani": (0.006, 0.006, 0.006, 0.682, 0.057, 0.013, 0.229),
    "Zyyy": (0.006, 0.006, 0.108, 0.006, 0.841, 0.006, 0.025),
    NO_TEXT: (0.006, 0.013, 0.013, 0.013, 0.045, 0.006, 0.904),
    "other": (0.006, 0.045, 0.019, 0.013, 0.032, 0.019, 0.866),
}
_TRUST = (
    0.7  # picture and reading are not independent: a blurred line misleads both. 1 would count them as if they were
)
_PPOCR_READS = frozenset({"Latn", "Hani", "Zyyy"})


def street_prior() -> Shares:
    """The share of each class among detected boxes, before a photo is seen."""
    prior = np.array([ON_STREETS.get(script, _SELDOM) for script in CLASSES])
    return np.asarray(prior / prior.sum())


def training_shares() -> Shares:
    """The share of each class among the classifier's training lines."""
    shares = np.array([TRAINED.get(script, 1.0) for script in CLASSES])
    return np.asarray(shares / shares.sum())


def choose_scripts(pictures: Shares, readings: Sequence[Reading]) -> Shares:
    """Give each line's script probabilities, (n, len(CLASSES)).

    Lines of one photo tend to share a script: the prior of each is the street's and what its neighbours look like.
    """
    if not len(pictures):
        return pictures
    odds = pictures / training_shares() * np.stack([reading_odds(reading) for reading in readings])
    alone = _normalise(odds * street_prior())
    written = alone.copy()
    written[:, CLASSES.index(NO_TEXT)] = 0  # noise beside a line does not make the line noise
    beside = written.sum(0) - written
    free = street_prior()
    none = CLASSES.index(NO_TEXT)
    prior = _PRIOR_LINES * free + beside
    prior /= prior.sum(1, keepdims=True)
    prior *= (1 - free[none]) / (1 - prior[:, [none]])
    prior[:, none] = free[none]
    return _normalise(odds * prior)


def outcome(reading: Reading) -> str:
    """Sort what PP-OCR made of a line into one of OUTCOMES."""
    counts = count_scripts(reading.text)
    letters = sum(counts.values())
    sure = reading.mean
    if mixed_words(reading.text):
        return "mixed"
    if sure < 0.7:
        return "dull"
    if letters and counts["Hani"] + counts["Hira"] + counts["Kana"] >= 0.6 * letters:
        return "han"
    if not letters:
        return "number"
    if letters < 3:
        return "short"
    return "sure Latin" if sure > 0.95 else "Latin"


def reading_odds(reading: Reading) -> Shares:
    """Likelihood of what PP-OCR read under each class, from RATES."""
    column = OUTCOMES.index(outcome(reading))
    return np.array([RATES.get(script, RATES["other"])[column] for script in CLASSES]) ** _TRUST


def mixed_words(text: str) -> bool:
    """Tell whether a word mixes Latin letters with others: what PP-OCR makes of scripts that it does not know."""
    for word in text.split():
        scripts = {script for letter in word if (script := script_of_letter(letter)) != "Zyyy"}
        if "Latn" in scripts and len(scripts) > 1:
            return True
    return "Grek" in count_scripts(text)


def readable_by_ppocr(script: str) -> bool:
    """Tell whether PP-OCR knows the letters of a class."""
    return script in _PPOCR_READS


def _normalise(odds: Shares) -> Shares:
    return np.asarray(odds / odds.sum(1, keepdims=True))
