"""How probable a written word is in each language: word tables, letters, and a noise that is the same for all.

P(word | language) = q [ (1 - b - o) f_language + b mean(f) + o g l_language ] + (1 - q) g, where q is the probability
that the line was read right, f the frequency of the word, its mean over all languages that of a brand or a person's
name, g the probability of the string as garbage, and l the share of its letters' marks that the language has.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from geosleuth.indexes.geodesy import Floats
from geosleuth.indexes.words import load_words
from geosleuth.tools.letters import load_letters


@dataclass(frozen=True)
class WordModel:
    """Constants of the model; judgements, checked on both halves of the labelled street photos."""

    brand: float = 0.15  # b: words that stand on signs of any country: brands, people's names, loan words
    unlisted: float = 0.2  # o: words of the language that its table lacks: compounds, inflections, small names
    letters: float = 12.0  # effective alphabet of garbage: misread strings look like words, so fewer than 26
    han_letters: float = 2000.0  # the same for Han characters; the recogniser has 16,000, a few hundred come up
    strange_letter: float = 0.05  # P(a marked letter is seen in a language without it): misread accents, foreign names
    longest_price: float = 5.0  # nats that a misread word may cost; dearer ones are other words
    long_word: int = 8  # letters from which a word has few enough neighbours for any one letter to be wrong
    long_word_price: float = 9.5  # nats that such a word may cost
    best_score: float = 0.95  # no line is surer than this: script and segmentation may be wrong too


MODEL = WordModel()


def split_words(text: str) -> list[str]:
    """Cut a line into runs of letters and marks, apostrophes inside; runs of Han or kana are cut by the tables."""
    words: list[str] = []
    current = ""
    for char in unicodedata.normalize("NFC", text) + " ":
        if unicodedata.category(char)[0] in "LM" or (char in "'’" and current):
            current += char
        elif current:
            words.append(current.rstrip("'’"))
            current = ""
    return [part for word in words if word for part in (_cut_han(word) if _is_han(word[0]) else [word])]


def _is_han(char: str) -> bool:
    return "\u3040" <= char <= "\u30ff" or "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff"


def _cut_han(run: str) -> list[str]:
    """Cut a run without spaces greedily into the longest listed words."""
    words, start = [], 0
    table = load_words()
    while start < len(run):
        length = next((n for n in range(min(6, len(run) - start), 1, -1) if run[start : start + n] in table), 1)
        words.append(run[start : start + length])
        start += length
    return words


@lru_cache(maxsize=4096)
def listed(word: str) -> tuple[tuple[str, float], ...]:
    """Return (language, probability) where tables have the word, or what it may be a misreading of, at its price."""
    found = load_words().frequencies(word)
    short = load_letters().words.get(word.casefold(), ())
    if not found and not short:
        return _misread(word)
    out = {language: 10.0 ** (zipf - 9) for language, zipf in found.items()}
    out.update({language: load_letters().word_probability for language in short if language not in out})
    return tuple(out.items())


def _misread(word: str) -> tuple[tuple[str, float], ...]:
    out: dict[str, float] = {}
    if len(word) >= 6:
        most = MODEL.long_word_price if len(word) >= MODEL.long_word else MODEL.longest_price
        for other, price in load_words().confusable(word, most)[:20]:
            for language, zipf in load_words().frequencies(other).items():
                out[language] = max(out.get(language, 0.0), 10.0 ** (zipf - 9) * math.exp(-price))
    return tuple(out.items())


def garbage(word: str) -> float:
    """Return the probability that a recogniser's noise is just this string."""
    han = sum(map(_is_han, word))
    return MODEL.letters ** -(len(word) - han) * MODEL.han_letters**-han


def word_probabilities(word: str, languages: tuple[str, ...], right: float) -> Floats:
    """Return P(word | language) for each language, shape (n_languages,).

    Args:
        word: One of `split_words`.
        languages: Codes; those without a table get the mean of the others, and what letters and few words say.
        right: Probability that the line says what was read.
    """
    found = dict(listed(word))
    tables = len(load_words().languages)
    mean = sum(found.values()) / tables
    noise = garbage(word)
    frequency = np.array([found.get(language, 0.0) for language in languages])
    known = np.array([language in load_words().languages for language in languages])
    frequency = np.where(known | (frequency > 0), frequency, mean)
    has = np.array([load_letters().share(word, language, MODEL.strange_letter) for language in languages])
    q = min(right, MODEL.best_score)
    own = (1 - MODEL.brand - MODEL.unlisted) * frequency + MODEL.brand * mean + MODEL.unlisted * noise * has
    return np.asarray(q * own + (1 - q) * noise)
