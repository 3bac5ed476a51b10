"""Self-consistency: of several explanations of one pair, what most of them name (after arXiv 2203.11171).

Two features are the same where their words are: letters folded, words without content dropped, a plural's "s" too; in
Chinese, where words are not parted, pairs of neighbouring characters stand for words. Their Jaccard similarity is to be
more than one half: "red roof on the left" and "the red roofs" share 2 of 3 words, "red tiled roof" and "grey tiled
roof" 2 of 4. Where one denies the other (`opposed.py`) they are never the same. Synonyms ("church", "chapel") are not
recognised, so that the filter errs towards dropping.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from geosleuth.training.gleam_x.opposed import opposed
from geosleuth.training.gleam_x.record import Reasons

_SAME = 0.5  # Jaccard similarity of two short phrases; see above
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_WORD = re.compile(r"[^\W\d_]+|\d+")
# Words that say nothing of a thing.
_EMPTY = frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "at",
        "in",
        "on",
        "to",
        "by",
        "with",
        "and",
        "or",
        "its",
        "is",
        "are",
        "has",
        "have",
        "there",
        "this",
        "that",
        "one",
        "some",
        "both",
        "same",
        "also",
        "near",
        "next",
        "beside",
        "between",
        "from",
        "into",
        "over",
        "under",
        "picture",
        "pictures",
        "image",
        "images",
        "photo",
        "candidate",
        "scene",
    )
)
_EMPTY_HAN = re.compile("[的了在和与有是个一着]|两张图|照片|候选图|图中|都有")


def consistent(samples: Sequence[Reasons], *, of: int | None = None) -> Reasons | None:
    """Keep the features that more than half of the samples name.

    Args:
        samples: Explanations of one pair in one language.
        of: How many were asked for; those that were no use name nothing. None: as many as there are.

    Returns:
        The kept features in their best wording, those that most name first, with the conclusion that names the fewest
        of the others; None where no feature is kept.
    """
    needed = (len(samples) if of is None else of) / 2
    agreeing = _kept([one.agreeing for one in samples], needed)
    disagreeing = _kept([one.disagreeing for one in samples], needed)
    if not (agreeing or disagreeing):
        return None
    dropped = [feature for one in samples for feature in _others(one, agreeing, disagreeing)]
    best = min(samples, key=lambda one: (_mentioned(one.conclusion, dropped), len(_others(one, agreeing, disagreeing))))
    return Reasons(agreeing=agreeing, disagreeing=disagreeing, conclusion=best.conclusion)


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of two phrases' words, in [0, 1]."""
    a, b = words_of(one), words_of(other)
    return len(a & b) / len(a | b) if a | b else 1.0


def words_of(phrase: str) -> frozenset[str]:
    """The words that say something; all words where none does."""
    folded = unicodedata.normalize("NFKC", phrase).casefold()
    pairs: set[str] = set()
    for run in _HAN.findall(_EMPTY_HAN.sub(" ", folded)):
        pairs |= {run[i : i + 2] for i in range(len(run) - 1)} or {run}
    words = _WORD.findall(_HAN.sub(" ", folded))
    said = {_singular(word) for word in words if word not in _EMPTY}
    return frozenset((said | pairs) or words or [folded.strip()])


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word


def _kept(samples: Sequence[Sequence[str]], needed: float, most: int = 3) -> tuple[str, ...]:
    """Group features by likeness; a sample has one vote in a group."""
    groups: list[dict[int, str]] = []  # number of the sample -> its wording
    for number, features in enumerate(samples):
        for feature in features:
            near = [
                (max(similarity(feature, one) for one in group.values()), i)
                for i, group in enumerate(groups)
                if not any(opposed(feature, one) for one in group.values())
            ]
            likeness, best = max(near, key=lambda one: (one[0], -one[1]), default=(0.0, -1))
            if likeness <= _SAME:
                groups.append({number: feature})
            else:
                groups[best].setdefault(number, feature)
    voted = sorted((group for group in groups if len(group) > needed), key=lambda group: -len(group))
    return tuple(_middle(list(group.values())) for group in voted[:most])


def _middle(wordings: Sequence[str]) -> str:
    """The wording that is most like the others; the first of several."""
    return max(wordings, key=lambda one: sum(similarity(one, other) for other in wordings))


def _others(sample: Reasons, agreeing: Sequence[str], disagreeing: Sequence[str]) -> list[str]:
    """What a sample names that was not kept."""
    return [
        one
        for features, kept in ((sample.agreeing, agreeing), (sample.disagreeing, disagreeing))
        for one in features
        if all(similarity(one, other) <= _SAME or opposed(one, other) for other in kept)
    ]


def _mentioned(conclusion: str, features: Sequence[str]) -> int:
    """How many features a conclusion names, by all of their words."""
    said = words_of(conclusion)
    return sum(words_of(one) <= said for one in features)
