"""Words that the recogniser may have meant: a search of a trie at the price of its confusions.

A price is -ln P(read so | written so), in nats, for lettering too small or blurred to be read faultlessly. Counted on
4,000 words and place names in Latin letters, drawn from this package's tables in 34 fonts (Noto, DejaVu), letters 5.5
to 12 pixels high, blurred, tilted by up to 3 degrees, noisy, JPEG-compressed, and read by PP-OCR at twice the size.
Of these, 1,641 lines with two letters in three right, or better, were aligned letter by letter: 15,422 letters, 671
substituted (4.4 %), 210 lost, 43 added. (Letters of 9 to 26 pixels had 0.6 % substituted: those prices would be 2 nats
more, and the order much the same.)
"""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

# Of ordinary English words that are no place name, 85 % of five letters, 57 % of six, 27 % of seven and 8 % of eight
# are one letter from a place name (600 words each). So shorter strings match exactly only, and those of six and
# seven letters by known confusions only.
MIN_LETTERS = 6
MIN_LETTERS_FREE = 8

ANY_LETTER = 7.3  # a letter read as a certain other one, a pair not in the table: 268 of 15,422, over 25 letters
LOST_LETTER = 6.3  # a letter not in `_LOST` was not read
ADDED_LETTER = 9.1  # a certain letter was read that is not there: 43, over 26 letters
LOST_SPACE = 3.1  # "SANFRANCISCO": 18 of 416
LOOK_ALIKE = 4.5  # not counted, since names have no digits and shapes vary by font: the middle of the counted pairs
ADDED_SPACE = 6.0  # a judgement between a letter and a lost space: signs set letters wide, the drawn lines do not
WRONG_ACCENT = (
    4.5  # "asìgurari"; a judgement, as a look-alike. A dropped accent is free, for keys without it are listed
)

# What was read -> what was written, of at least four counts.
_COUNTED: dict[str, dict[str, float]] = {
    "a": {"o": 4.6, "s": 5.0, "u": 5.0, "e": 5.9},
    "b": {"h": 4.7},
    "c": {"g": 3.9, "o": 5.1},
    "d": {"a": 6.2},
    "e": {"a": 4.3, "o": 4.5, "k": 4.6, "u": 4.8, "r": 5.3, "i": 5.6},
    "f": {"p": 4.1},
    "h": {"m": 4.8},
    "i": {"l": 4.1, "h": 4.3, "b": 4.4, "u": 5.0, "t": 5.1, "r": 5.3, "e": 5.4, "a": 5.5},
    "l": {"i": 4.1, "k": 4.6, "u": 4.8},
    "m": {"w": 3.3, "n": 5.1},
    "n": {"m": 3.7, "r": 4.7, "s": 5.4, "a": 6.2},
    "o": {"d": 3.9, "u": 4.0, "a": 4.4, "c": 4.6, "e": 5.9},
    "r": {"k": 4.1, "n": 4.8},
    "s": {"b": 4.0, "n": 5.0, "a": 5.1, "o": 5.5},
    "t": {"f": 3.0, "y": 3.8, "i": 4.4, "d": 4.5, "l": 4.8, "r": 5.3},
    "u": {"a": 5.1, "o": 5.1},
    "v": {"y": 3.8},
    "x": {"k": 4.4},
    "y": {"u": 5.0},
}  # fmt: skip
_LOST = {
    "i": 2.5,
    "j": 2.6,
    "l": 3.7,
    "s": 4.3,
    "r": 4.4,
    "t": 4.6,
    "u": 4.6,
    "n": 4.7,
    "a": 5.0,
    "e": 5.2,
}  # six counts

# Of like shape, in capitals or small letters; TRADUCERI was read as "CRADUCERI" on a shop sign.
_SHAPES = {
    "0": "o", "1": "il", "2": "z", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g", "|": "il",
    "rn": "m", "m": ["rn"], "vv": "w", "w": ["vv"], "cl": "d", "d": ["cl"], "li": "hu", "ii": "u",
    "c": "te", "e": "cf", "f": "e", "g": "cq", "q": "og", "o": "q", "u": "v", "v": "u", "l": "t", "b": "d", "p": "b",
    "h": "n", "x": "y",
}  # fmt: skip

# Free edits try the letters of the word's own script. Han, kana and Hangul have too many for one, and match exactly.
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяђєіјљњћќўџґ",
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "ءابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگ",
)
_STATES = 4_000  # a search ends here (about 0.2 s); prices up to 10 nats stay below it


def misreadings(trie: Any, read: str, max_price: float) -> list[tuple[str, float]]:
    """Return the trie's words that may have been read as `read`, with their prices, the cheapest first.

    Args:
        trie: A marisa_trie.Trie.
        read: The string, normalised as the trie's keys are.
        max_price: In nats. Strings of fewer than `MIN_LETTERS` letters are looked up as they are.
    """
    letters = sum(map(str.isalnum, read))
    if max_price <= 0 or letters < MIN_LETTERS:
        return [(read, 0.0)] if read in trie else []
    found: dict[str, float] = {}
    alphabet = _alphabet(read) if letters >= MIN_LETTERS_FREE else ""
    queue: list[tuple[float, int, str]] = [(0.0, 0, "")]  # cheapest first: (price, letters of `read` used, word so far)
    seen: set[tuple[int, str]] = set()
    while queue and len(seen) < _STATES:
        price, used, word = heapq.heappop(queue)
        if (used, word) in seen:
            continue
        seen.add((used, word))
        if used == len(read) and word in trie:
            found.setdefault(word, price)
        for step, next_used, written in _steps(read, used, alphabet):
            if price + step <= max_price and begins_a_key(trie, word + written):
                heapq.heappush(queue, (price + step, next_used, word + written))
    return list(found.items())


def begins_a_key(trie: Any, prefix: str) -> bool:
    """Say whether some key of the trie begins with `prefix` (0.5 us)."""
    return next(trie.iterkeys(prefix), None) is not None


def _steps(read: str, used: int, alphabet: str) -> Iterator[tuple[float, int, str]]:
    """Yield what may be written next: (price, letters of `read` used after it, letters written)."""
    for letter, price in _LOST.items():
        yield price, used, letter
    for letter in alphabet:
        yield LOST_LETTER, used, letter
    if used == len(read):
        return
    if used:
        yield LOST_SPACE, used, " "
    here = read[used]
    yield 0.0, used + 1, here
    for seen in {here, read[used : used + 2]}:  # the last letter has no pair
        for written, price in _confusions().get(seen, {}).items():
            yield price, used + len(seen), written
    if (bare := unicodedata.normalize("NFD", here)[0]) != here:
        yield WRONG_ACCENT, used + 1, bare
    if here == " ":
        yield ADDED_SPACE, used + 1, ""
    elif alphabet:
        yield ADDED_LETTER, used + 1, ""
        for letter in alphabet:
            yield ANY_LETTER, used + 1, letter


@lru_cache(maxsize=1)
def _confusions() -> dict[str, dict[str, float]]:
    """Return what was read -> what may have been written, with the counted price where there is one."""
    table = {read: dict.fromkeys(written, LOOK_ALIKE) for read, written in _SHAPES.items()}
    for read, written in _COUNTED.items():
        table.setdefault(read, {}).update(written)
    return table


def _alphabet(read: str) -> str:
    """Return the alphabet that holds most letters of `read`; "" where there is none to try."""
    best = max(_ALPHABETS, key=lambda alphabet: sum(letter in alphabet for letter in read))
    return best if any(letter in best for letter in read) else ""
