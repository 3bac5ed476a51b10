"""The probability that a line was read rightly. A recogniser's own score is no such thing: textures get 0.9 too."""

from __future__ import annotations

import math

from geosleuth.tools.ppocr import Reading

# Logistic regression on rendered lines whose words are known and on false alarms of the detector, half and half
# (`python -m geosleuth.training.script_classifier.line_score`); "right" means at most one letter in six is wrong.
# Weights of: 1, logit of the mean letter probability, the least letter probability, logit of "no text", log2 of the
# number of letters. A second look at a wider cut was tried as well: its agreement told nothing more (weight -0.2).
WEIGHTS = (-3.93, 1.02, -1.34, -0.19, 0.65)
_MOST_LOGIT = 6.0  # a mean letter probability of 0.998; beyond it, certainty says no more


def features(reading: Reading, no_text: float) -> tuple[float, ...]:
    """Measure a reading: one number per weight."""
    letters = max(len(reading.text.replace(" ", "")), 1)
    return (
        1.0,
        _logit(reading.mean),
        min(reading.chars, default=0.0),
        _logit(no_text),
        math.log2(min(letters, 16)),
    )


def score_reading(reading: Reading, no_text: float) -> float:
    """Return the probability that a line of Latin, Han or digits was read rightly.

    Args:
        reading: What PP-OCR read.
        no_text: The probability that the line is no writing at all.
    """
    if not reading.text:
        return 0.0
    measured = features(reading, no_text)
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(WEIGHTS, measured, strict=True))))


def agreement(first: str, second: str) -> float:
    """Compare two readings of one line: 1 is the same letters, 0 none in common (case and spaces aside)."""
    a, b = _bare(first), _bare(second)
    return 1.0 - edit_distance(a, b) / max(len(a), len(b), 1)


def edit_distance(a: str, b: str) -> int:
    """Count the insertions, deletions and substitutions that turn one text into the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def _bare(text: str) -> str:
    return "".join(text.casefold().split())


def _logit(share: float) -> float:
    clipped = min(max(share, 1e-6), 1 - 1e-6)
    return max(min(math.log(clipped / (1 - clipped)), _MOST_LOGIT), -_MOST_LOGIT)
