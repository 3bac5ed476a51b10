"""How frequent a word is in each of 42 languages: evidence for the language of a sign."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from geosleuth.indexes.compiled import compiled_folder
from geosleuth.indexes.confusions import misreadings
from geosleuth.indexes.words_source import build_words, version_parts, word_key

# Vuk Karadžić's alphabet, letter by letter: wordfreq lists Serbian in Latin letters only.
_SERBIAN = dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
_SERBIAN |= {"љ": "lj", "њ": "nj", "џ": "dž"}


def _serbian_latin(word: str) -> str:
    """Spell a Serbian word in Latin letters; a word with any other letter comes back as it is."""
    return "".join(_SERBIAN[letter] for letter in word) if all(letter in _SERBIAN for letter in word) else word


class Words:
    """The compiled tables in `folder`, memory-mapped.

    Attributes:
        languages: wordfreq's codes: ISO 639-1, and "fil"; "sh" is Bosnian, Croatian and Serbian together.
        floors: Zipf value of the rarest words that each language's list holds. A word that is missing from a language
            is rarer than this: the lists of Bulgarian or Korean end at 3, that of English at 2.
    """

    def __init__(self, folder: Path) -> None:
        import marisa_trie

        self._trie = marisa_trie.Trie().mmap(str(folder / "words.marisa"))
        self._offsets = np.load(folder / "offsets.npy", mmap_mode="r")
        self._language = np.load(folder / "language.npy", mmap_mode="r")
        self._zipf = np.load(folder / "zipf.npy", mmap_mode="r")
        simplified = json.loads((folder / "simplified.json").read_text(encoding="utf-8"))
        self._simplified: dict[int, str] = {ord(character): simple for character, simple in simplified.items()}
        self.floors: dict[str, float] = json.loads((folder / "floors.json").read_text(encoding="utf-8"))
        self.languages: tuple[str, ...] = tuple(self.floors)

    def __len__(self) -> int:
        return len(self._trie)

    def __repr__(self) -> str:
        return f"Words({len(self)} spellings, {len(self.languages)} languages)"

    def __contains__(self, word: str) -> bool:
        return word_key(word) in self._trie

    def frequencies(self, word: str) -> dict[str, float]:
        """Return the languages that have the word, with its Zipf values: log10 of occurrences per billion words.

        Case does not count. A word without its accents is found too, 0.43 (`BARE_NATS`) rarer than the words it may
        stand for. Traditional Chinese and Serbian in Cyrillic are found under "zh" and "sh". Foreign words are in each
        list ("kebab" is 3.9 in Swedish): the caller sets a floor.
        """
        key = word_key(word)
        found = self._entries(key)
        for language, written in (("zh", key.translate(self._simplified)), ("sh", _serbian_latin(key))):
            if written != key and language not in found:
                found.update({code: zipf for code, zipf in self._entries(written).items() if code == language})
        return found

    def _entries(self, key: str) -> dict[str, float]:
        if key not in self._trie:
            return {}
        key_id = self._trie.key_id(key)
        start, end = self._offsets[key_id : key_id + 2]
        languages, values = self._language[start:end].tolist(), self._zipf[start:end].tolist()
        return {self.languages[number]: value / 100 for number, value in zip(languages, values, strict=True)}

    def confusable(self, word: str, max_price: float) -> list[tuple[str, float]]:
        """Return the words that a recogniser may have read as `word`, with prices in nats, the cheapest first."""
        return misreadings(self._trie, word_key(word), max_price)


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Open the word tables, compiling them on first use (12 s)."""
    return Words(compiled_folder("words", version_parts(), build_words))
