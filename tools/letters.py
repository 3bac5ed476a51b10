"""Which marked letters a language uses, and a few words of languages that have no frequency table.

Sources: the 3,000 commonest words of each of wordfreq's languages; for all other languages the names of countries,
languages, months and days in CLDR (babel), some 800 words each.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geosleuth.indexes.compiled import compiled_folder

_LAYOUT = "1"
_COMMON = 3000  # words per list: the letters of a language are all there, few foreign ones are
_RARE = 2e-4  # a letter with a smaller share of the letters is foreign to the language ("é" in German names)
_CLDR_ZIPF = 4.0  # of the names of months, days, countries: between 3 and 5 in the languages that have a table


@dataclass(frozen=True)
class Letters:
    """The tables."""

    of: dict[str, frozenset[str]]  # language -> its letters beyond a to z
    words: dict[str, tuple[str, ...]]  # word -> languages without a frequency table that have it
    word_probability: float = 10.0 ** (_CLDR_ZIPF - 9)

    def share(self, word: str, language: str, strange: float) -> float:
        """Return the probability of the marked letters of `word`: `strange` for each that the language lacks."""
        own = self.of.get(language)
        if own is None or word.isascii():
            return 1.0
        return float(strange ** len({char for char in word.casefold() if char > "\x7f"} - own))


@lru_cache(maxsize=1)
def load_letters() -> Letters:
    """Open the tables, compiling them on first use (a few seconds)."""
    parts = [_LAYOUT, version("wordfreq"), version("babel")]
    text = (compiled_folder("letters", parts, _build) / "letters.json").read_text(encoding="utf-8")
    data = json.loads(text)
    return Letters(
        {language: frozenset(letters) for language, letters in data["letters"].items()},
        {word: tuple(languages) for word, languages in data["words"].items()},
    )


def _build(folder: Path) -> None:
    from wordfreq import available_languages

    letters: dict[str, str] = {}
    words: dict[str, list[str]] = {}
    listed = available_languages("best")
    for language, path in listed.items():
        letters[language] = _letters(_commonest(path))
    for language, locale in _locales():
        if language in listed or language in letters:
            continue
        own = _names(locale)
        letters[language] = _letters((name, 1.0) for name in own)
        for word in sorted({part for name in own for part in name.split() if len(part) > 3 and part.isalpha()}):
            words.setdefault(word, []).append(language)
    (folder / "letters.json").write_text(json.dumps({"letters": letters, "words": words}), encoding="utf-8")


def _letters(words: Any) -> str:
    counts: Counter[str] = Counter()
    for word, weight in words:
        for char in unicodedata.normalize("NFC", word):
            if char.isalpha():
                counts[char] += weight
    total = sum(counts.values()) or 1.0
    return "".join(sorted(char for char, count in counts.items() if char > "\x7f" and count / total > _RARE))


def _commonest(path: str) -> Iterator[tuple[str, float]]:
    from wordfreq import read_cBpack

    seen = 0
    for rarity, bucket in enumerate(read_cBpack(path)):
        for word in bucket:
            seen += 1
            yield word, 10.0 ** (-rarity / 100)
        if seen > _COMMON:
            return


def _locales() -> Iterator[tuple[str, Any]]:
    from babel import Locale
    from babel.localedata import locale_identifiers

    for identifier in sorted(locale_identifiers()):
        if identifier.isalpha():  # languages, without countries and scripts
            yield {"nb": "nb", "tl": "fil"}.get(identifier, identifier), Locale.parse(identifier)


def _names(locale: Any) -> list[str]:
    """The names of one locale, casefolded."""
    found = [*locale.territories.values(), *locale.languages.values()]
    for names in (locale.months["format"]["wide"], locale.days["format"]["wide"]):
        found += list(names.values())
    return [str(name).casefold() for name in found]
