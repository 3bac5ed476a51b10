"""Whose spelling unlisted words have: runs of letters, judged by py3langid's naive Bayes model of 140 languages.

Word tables say nothing of a word that they lack, and many languages have no table. Runs of letters say something of
any word, and of garbage as well, so they count for the unlisted part of a line only, and gently.
"""

from __future__ import annotations

import numpy as np

from geosleuth.indexes.geodesy import Floats
from geosleuth.tools.word_model import MODEL, listed

TEMPER = 0.3  # of the model's log-likelihoods: its runs overlap, so each letter is counted about three times
LEAST = -4.0  # nats; no spelling speaks against a language more than this: names and loan words
SHORTEST = 8  # letters; below, the model's first choice is wrong more often than right
RARE = 10.0 ** (4.0 - 9.0)  # a word rarer than this in every list (Zipf 4) tells little by its frequency
_FOLDED = {"tl": "fil", "no": "nb", "nn": "nb", "hr": "sh", "sr": "sh", "bs": "sh"}


def spelling_probabilities(words: tuple[str, ...], languages: tuple[str, ...], right: float) -> Floats:
    """Return P(spelling | language), (n_languages,), up to a factor; all 1 where the words are short or well known."""
    letters = sum(map(len, words))
    strange = [word for word in words if max((f for _, f in listed(word)), default=0.0) < RARE]
    share = sum(map(len, strange)) / max(letters, 1)
    if letters < SHORTEST or share == 0:
        return np.ones(len(languages))
    from py3langid.langid import rank

    scores: dict[str, float] = {}
    for code, log_probability in rank(" ".join(words).lower()):
        language = _FOLDED.get(code, code)
        scores[language] = max(scores.get(language, -np.inf), float(log_probability))
    best = max(scores.get(language, -np.inf) for language in languages)
    if not np.isfinite(best):
        return np.ones(len(languages))
    nats = np.array([TEMPER * share * (scores.get(language, -np.inf) - best) for language in languages])
    spelled = np.exp(np.maximum(nats, LEAST * share))
    q = min(right, MODEL.best_score)
    return np.asarray(q * spelled / spelled.mean() + (1 - q))
