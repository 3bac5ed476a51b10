"""Sentences without what people add out of politeness, so that rules see what is asked for."""

from __future__ import annotations

import difflib
import re
import unicodedata

LONGEST = 500  # characters: as long as a hint may be; a longer text says more than one thing

_OPENING = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|well|so|now|then|and|but|also|actually|please|pls|plz|sorry|thanks|thank you|great"
    r"|hm+|um+|geosleuth|let us|let's|lets|just|try to|go ahead and|i want you to|i(?: would|'d) like you to"
    r"|(?:could|can|would|will) you(?: please)?)\b[\s,;:.!]*|(?:no|nope|yes|yeah|yep)\s*[,;:.!]\s*)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\s,]+(?:please|pls|plz|thanks|thank you|thx|if you can|for me|right now|instead|then)$", re.IGNORECASE
)
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b4": "'", "`": "'"})
_PAIRS = {'"': '"', "'": "'", "\u00ab": "\u00bb", "\u201e": '"'}
NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            *("one first", "two second", "three third", "four fourth", "five fifth", "six sixth", "seven seventh"),
            *("eight eighth", "nine ninth", "ten tenth"),
        ),
        start=1,
    )
    for word in words.split()
}
# Words that open or name a command; a word one or two letters off is taken for one of them.
_COMMANDS = (
    "search everything everywhere whole entire gallery compare candidate candidates verify ignore without forget"
    " exclude again evidence restore undo revert phone number plate language currency postcode domain metadata"
)
_COMMAND_WORDS = tuple(_COMMANDS.split())
_CLOSE = 0.8  # of difflib's ratio: one letter wrong or two swapped in a word of five or more


def plain(text: str) -> str:
    """Return the sentence on one line without greetings, thanks, quotation marks and full stop; case and "?" stay."""
    shown = "".join(char if _is_shown(char) else " " for char in text)
    sentence = " ".join(unicodedata.normalize("NFC", shown).translate(_QUOTES).split())
    while sentence:  # each pass takes something off, so it ends
        shorter = _CLOSING.sub("", _OPENING.sub("", sentence).rstrip(" .!;,")).strip()
        shorter = re.sub(r"[\s.!]+\?", "?", shorter)
        if len(shorter) > 1 and _PAIRS.get(shorter[0]) == shorter[-1]:
            shorter = shorter[1:-1].strip()
        if shorter == sentence:
            break
        sentence = shorter
    return sentence


def _is_shown(char: str) -> bool:
    """Whether it is more than a control, a mark of direction or half a surrogate pair; some scripts need joiners."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs") or char in "\u200c\u200d"


def respelled(sentence: str) -> str:
    """Return the sentence with words that are nearly a command's put right: "serach everthing" is a command."""
    return re.sub(r"[A-Za-z]{5,}", lambda found: _nearest(found[0]), sentence)


def numbers_in(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as "2, 3 and five" or "2-4", in its order; empty where it is none."""
    words = re.sub(r"\b(?:and|or|the|clues?|number|no\.)(?!\w)|[#&,]", " ", text.casefold())
    found: list[int] = []
    for word in re.sub(r"\s*(?:-|\u2013|\bto\b|\bthrough\b)\s*", "-", words).split():
        first, dash, last = word.partition("-")
        low, high = _number(first), _number(last) if dash else _number(first)
        if low is None or high is None or high - low > _MOST:
            return ()
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


_MOST = 100  # an answer has fewer clues


def _number(word: str) -> int | None:
    if word.isascii() and word.isdigit() and len(word) <= 4:
        return int(word)
    return NUMBERS.get(word)


def _nearest(word: str) -> str:
    close = difflib.get_close_matches(word.casefold(), _COMMAND_WORDS, n=1, cutoff=_CLOSE)
    return close[0] if close and word.casefold() not in _COMMAND_WORDS else word
