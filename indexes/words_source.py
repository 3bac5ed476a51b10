"""Compile wordfreq's word-frequency tables into one memory-mapped trie over all its languages.

Source: wordfreq 3 (Robyn Speer; word lists CC BY-SA 4.0), `best` list of each of 42 languages.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from unicodedata import unidata_version

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.place_keys import normalise_name

LAYOUT = "3"  # raise it whenever a file's content or meaning, or a key's spelling, changes
RAREST_CENTIBEL = 700  # Zipf 2, one in ten million; rarer, the lists hold mostly typing errors and foreign words
# -ln P(a word is read without its accents). A judgement, about one in three: capitals and cheap signs leave accents
# out, and recognisers drop them from small lettering.
BARE_NATS = 1.0
_BARE_CENTIBEL = round(100 * BARE_NATS / np.log(10))

_ONE_SIGN_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # a Han or kana sign

_DIGIT = re.compile(r"\d")


def version_parts() -> list[str]:
    """Say all that the compiled tables depend on."""
    return [LAYOUT, version("wordfreq"), unidata_version]


def word_key(word: str) -> str:
    """Return the spelling that words are listed by: no case, one form for each letter, accents kept."""
    if word.isascii():
        return word.lower().strip()
    folded = unicodedata.normalize("NFKC", word).casefold()
    if not unicodedata.is_normalized("NFKC", folded):
        folded = unicodedata.normalize("NFKC", folded)
    return folded.replace("i\u0307", "i").replace("’", "'").replace("\u0640", "").strip()  # Turkish İ; stretched Arabic


def build_words(folder: Path) -> None:
    """Write the trie, and for each word its languages and frequencies."""
    import marisa_trie
    from wordfreq import available_languages

    lists = {language: _spellings(path) for language, path in sorted(available_languages("best").items())}
    trie = marisa_trie.Trie(key for listed in lists.values() for key in listed.split())
    ids, languages, centibels, floors = [], [], [], {}
    for number, (language, listed) in enumerate(lists.items()):
        key_ids = np.fromiter(map(trie.key_id, listed.split()), np.uint32, len(listed.rarities))
        key_ids, frequencies = _sum_by_key(key_ids, 10.0 ** (-listed.rarities / 100.0))
        ids.append(key_ids)
        languages.append(np.full(len(key_ids), number, np.uint8))
        centibels.append(np.round(900 + 100 * np.log10(frequencies)).astype(np.uint16))
        floors[language] = (900 - listed.rarest) / 100
    all_ids = np.concatenate(ids)
    order = np.argsort(all_ids, kind="stable")
    counts = np.bincount(all_ids, minlength=len(trie))
    (folder / "words.marisa").write_bytes(trie.tobytes())
    np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
    np.save(folder / "language.npy", np.concatenate(languages)[order])
    np.save(folder / "zipf.npy", np.concatenate(centibels)[order])
    (folder / "simplified.json").write_text(json.dumps(_simplified()), encoding="utf-8")
    (folder / "floors.json").write_text(json.dumps(floors), encoding="utf-8")


def _sum_by_key(
    ids: NDArray[np.uint32], frequencies: NDArray[np.float64]
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Add up the frequencies of words that share a spelling once their accents are gone."""
    unique, inverse = np.unique(ids, return_inverse=True)
    return unique, np.bincount(inverse, weights=frequencies).astype(np.float64)


class _Spellings(NamedTuple):
    """The spellings of one language, joined into one text: 80 MB for all languages, where a list of each takes 400."""

    joined: str
    rarities: NDArray[np.int64]  # -centibels: the frequency is 10 ** (-rarity / 100)
    rarest: int  # of the words as written

    def split(self) -> list[str]:
        return self.joined.split("\n")


def _spellings(path: str) -> _Spellings:
    """List each word as written and, dearer by `BARE_NATS`, without its accents."""
    from wordfreq import read_cBpack

    keys, rarities, rarest = [], [], 0
    for rarity, bucket in enumerate(read_cBpack(path)[: RAREST_CENTIBEL + 1]):  # element i: words of 10 ** (-i / 100)
        for word in bucket:
            key = word_key(word)
            if _DIGIT.search(key) or "\n" in key or (len(key) < 2 and not _ONE_SIGN_WORD.fullmatch(key)):
                continue
            keys.append(key)
            rarities.append(rarity)
            rarest = rarity
            if rarity + _BARE_CENTIBEL <= RAREST_CENTIBEL and (bare := _bare(key)):
                keys.append(bare)
                rarities.append(rarity + _BARE_CENTIBEL)
    return _Spellings("\n".join(keys), np.array(rarities), rarest)


def _bare(key: str) -> str:
    """Return a word without its accents, or "" if it has none."""
    if key.isascii() or "\u0900" <= key[0] < "\u1e00" or key[0] > "\u1fff":  # Indic, Thai, East Asian: keep their marks
        return ""
    bare = normalise_name(key)
    return bare if bare != key and len(bare) > 1 and " " not in bare else ""


def _simplified() -> dict[str, str]:
    """Return wordfreq's table from traditional to simplified Chinese characters: its list has the latter only."""
    # wordfreq's own dependency; its module for this table would need a Chinese tokeniser as well
    import msgpack
    from wordfreq.util import data_path

    with gzip.open(data_path("_chinese_mapping.msgpack.gz")) as file:
        table = msgpack.load(file, raw=False, strict_map_key=False)
    return {chr(traditional): simplified for traditional, simplified in table.items()}
