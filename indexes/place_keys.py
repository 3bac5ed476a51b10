"""One spelling for a place name, however it is written: the key that the gazetteer is searched by."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Letters that Unicode does not decompose, as painters without them write them; Persian and Urdu forms as in Arabic.
_LETTERS = {
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n",
    "ə": "e", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɛ": "e", "ɔ": "o",
    "ی": "ي", "ى": "ي", "ې": "ي", "ک": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه",
}  # fmt: skip

# Marks that are dropped: accents of Latin, Greek and Cyrillic, Arabic vowel signs, Hebrew points. Signs leave them out
# and recognisers lose them. Thai, Indic and kana marks make other syllables, so they stay. Dropping the breve of й
# and the dots of ё and ї is the same on both sides of a search.
_DROPPED_MARKS = [
    (0x0300, 0x036F), (0x0483, 0x0487), (0x0591, 0x05BD), (0x05BF, 0x05BF), (0x05C1, 0x05C2), (0x05C4, 0x05C5),
    (0x05C7, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED),
]  # fmt: skip
_DROPPED = "\u0640\u200b\u200c\u200d\u2060\ufeff\u00ad\u00b7ʹʺ"  # stretched Arabic, joiners, Catalan dot, soft sign
_APOSTROPHES = "ʻʼʽʾʿˈˊˋꞌ՚"  # letters to Unicode, apostrophes to a sign painter


@lru_cache(maxsize=1)
def _table() -> dict[int, str | None]:
    """Map code points for str.translate: punctuation and symbols to a space, dropped marks to nothing."""
    table: dict[int, str | None] = {
        code: " "
        for code in range(0x10000)
        if unicodedata.category(chr(code))[0] in "PSZC"  # none of use lies above
    }
    table.update({code: None for first, last in _DROPPED_MARKS for code in range(first, last + 1)})
    table.update({ord(letter): plain for letter, plain in _LETTERS.items()})
    table.update({ord(letter): " " for letter in _APOSTROPHES})
    table.update({ord(letter): None for letter in _DROPPED})
    return table


def normalise_name(name: str) -> str:
    """Reduce a name to its key: no case, accents, punctuation or doubled spaces; "Saint-Étienne" is "saint etienne".

    Names and queries both pass through it; an empty result means that nothing of a name was there.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name)
    folded = name.casefold().translate(_table())
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded)  # brings Hangul and kana back together
    return " ".join(folded.split())
