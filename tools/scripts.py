"""Which script a letter belongs to (ISO 15924), for the scripts that stand on streets today."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

# First and last code point of the letters' blocks, from the Unicode standard's Blocks.txt. Punctuation and digits that
# scripts share are not here. Han, Hiragana and Katakana stay apart here: kana tells Japan.
_BLOCKS = (
    (0x0041, 0x005A, "Latn"), (0x0061, 0x007A, "Latn"), (0x00AA, 0x00AA, "Latn"), (0x00BA, 0x00BA, "Latn"),
    (0x00C0, 0x00D6, "Latn"), (0x00D8, 0x00F6, "Latn"), (0x00F8, 0x02AF, "Latn"), (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"), (0x0531, 0x058F, "Armn"), (0x0591, 0x05F4, "Hebr"), (0x0600, 0x065F, "Arab"),
    (0x066E, 0x06EF, "Arab"), (0x06FA, 0x06FF, "Arab"), (0x0750, 0x077F, "Arab"), (0x0900, 0x0965, "Deva"),
    (0x0970, 0x097F, "Deva"), (0x0980, 0x09E5, "Beng"), (0x09F0, 0x09FE, "Beng"), (0x0A01, 0x0A76, "Guru"),
    (0x0A81, 0x0AFF, "Gujr"), (0x0B01, 0x0B77, "Orya"), (0x0B82, 0x0BFA, "Taml"), (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CF3, "Knda"), (0x0D00, 0x0D7F, "Mlym"), (0x0D81, 0x0DF4, "Sinh"), (0x0E01, 0x0E5B, "Thai"),
    (0x0E81, 0x0EDF, "Laoo"), (0x0F00, 0x0FDA, "Tibt"), (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"), (0x1200, 0x139F, "Ethi"), (0x1780, 0x17F9, "Khmr"), (0x1C90, 0x1CBF, "Geor"),
    (0x1D00, 0x1DBF, "Latn"), (0x1E00, 0x1EFF, "Latn"), (0x1F00, 0x1FFF, "Grek"), (0x3005, 0x3007, "Hani"),
    (0x3041, 0x309F, "Hira"), (0x30A1, 0x30FA, "Kana"), (0x30FD, 0x30FF, "Kana"), (0x3131, 0x318E, "Hang"),
    (0x3400, 0x4DBF, "Hani"), (0x4E00, 0x9FFF, "Hani"), (0xAC00, 0xD7A3, "Hang"), (0xF900, 0xFAFF, "Hani"),
    (0xFB50, 0xFDFF, "Arab"), (0xFE70, 0xFEFC, "Arab"), (0xFF21, 0xFF3A, "Latn"), (0xFF41, 0xFF5A, "Latn"),
    (0xFF66, 0xFF9D, "Kana"),
)  # fmt: skip
_STARTS = [first for first, _, _ in _BLOCKS]


def script_of_letter(letter: str) -> str:
    """Return the letter's script, or "Zyyy" for digits, punctuation and signs."""
    block = bisect_right(_STARTS, ord(letter)) - 1
    if block >= 0 and ord(letter) <= _BLOCKS[block][1]:
        return _BLOCKS[block][2]
    return "Zyyy"


def count_scripts(text: str) -> Counter[str]:
    """Count the letters of each script; digits and punctuation are left out."""
    return Counter(script for letter in text if (script := script_of_letter(letter)) != "Zyyy")


def script_of_text(text: str) -> str:
    """Return the script of most letters; "Jpan" where any kana stands, "Zyyy" where there are no letters."""
    counts = count_scripts(text)
    if counts["Hira"] + counts["Kana"]:
        return "Jpan" if counts["Hira"] + counts["Kana"] + counts["Hani"] >= counts["Latn"] else "Latn"
    return max(counts, key=lambda script: (counts[script], script)) if counts else "Zyyy"
