"""Text that others wrote is data: quoted, cut, and free of what people are shown wrongly or models obey."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

LONGEST = 80  # characters of a quotation; a longer one hides the claim

# What chat templates, tokenizers and parsers of tool calls take for structure, by its delimiters: names of tokens are
# endless ("<|im_start|>", "</s>", "<tool_call>", "<<SYS>>", "[INST]", "[|user|]", ">>QUESTION<<", "|ENDOFTEXT|",
# "]~b]"), their delimiters few. Group "x" of each pattern holds the delimiters that are exchanged. Ordinary "a < b",
# "x<5", "<=" and "<-", JSON's brackets and other scripts' angle brackets are not matched.
_BRACKETED = (  # in square brackets; lower case as well, for tokenizers that fold it
    r"inst|sys|cls|sep|mask|pad|unk|bos|eos|bot|eot|sop|eop|img|image|video|audio|user|system|assistant|tool|think"
    r"|unused[0-9]+|[gs]mask|multimodal"
)
_ROLES = r"user|assistant|system|human|tool|developer|instruction|response|input"
_STRUCTURE = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        r"(?P<x><+)(?=[!-,./:;>?-~]|\Z)",  # before every ASCII sign but space, "=", "-", digits; and at the end, for
        r"(?P<x><)(?=[0-9][^<>\s]{0,40}>)",  # templates set texts side by side. The second: "<0x0A>", "<2en>"
        r"(?<=‹)[^<>‹›\n]{0,80}(?P<x>>+)",  # what closes one of these
        r"(?P<x>>>)(?=[A-Za-z_.]{1,20}(?:<<|‹‹))",
        r"(?P<x>\[)(?=\||[/@]?\w{0,40}@?\Z|[/@]?(?=\w{0,40}(?:_|[A-Z]{2}))\w{2,40}@?\])",  # capitals, or "a_b"
        rf"(?P<x>\[)(?=/?(?i:{_BRACKETED})\])",
        r"(?<=\()(?:[/@]?\w{2,40}@?|\|[^\x22\[\]\n]{0,60})(?P<x>\])",
        r"[\[\]][!a-z]{0,2}(?P<x>~)[!a-z]{0,2}[\[\]]",
        r"(?P<x>\|)(?=(?:[A-Z_]{3,40}|endoftext|speaker|newline)\|)",  # the three are Fuyu's, folded
        r"(?P<x>✿)(?=[A-Z]{1,20}✿)",
        # Turns of templates without tokens (Vicuna, LLaVA, Alpaca): capitals anywhere, else where lines, quotes begin.
        r"(?<!\w)(?:USER|ASSISTANT|SYSTEM|HUMAN|TOOL)[ \t]{0,9}(?P<x>:)",
        rf"(?mi)(?:^|[\"'`“„«‘])[^a-z0-9\n]{{0,8}}(?:{_ROLES})s?[ \t*]{{0,9}}(?P<x>:)",
    )
)
# What stands for a delimiter: looks like it, and no normalisation form turns it back (a full-width form's would).
_INERT = {"<": "‹", ">": "›", "[": "(", "]": ")", "|": "¦", ":": "∶", "~": "-", "✿": "❀"}


def quoted(text: str, *, bare: bool = False) -> str:
    """Return the text in double quotes, without control and direction characters, cut at `LONGEST`."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    kept = " ".join(kept.replace('"', "'").split())
    if len(kept) > LONGEST:
        kept = kept[: LONGEST - 1] + "…"
    return kept if bare else f'"{kept}"'


def neutralised(text: str) -> str:
    """Return the text with all that a model's template, tokenizer or tool-call parser could take for structure inert.

    Words stay readable ("<tool_call>" becomes "‹tool_call›"), JSON stays JSON of the same form, the text never grows,
    and a second pass changes nothing. Signs that only become structure by normalisation (full width, bold, accents)
    or when invisible characters are dropped are found as well.
    """
    chars = [char for char in text if not "\U000e0000" <= char <= "\U000e007f"]  # invisible copies of ASCII
    chars = [_encodable(char) for char in chars]
    shadow, origin = _shadow(chars)
    while True:  # each pass makes delimiters inert and none anew, so it ends
        hits = {i for pattern in _STRUCTURE for found in pattern.finditer(shadow) for i in range(*found.span("x"))}
        if not hits:
            return "".join(chars)
        for i in hits:
            chars[origin[i]] = _INERT[shadow[i]]
        shadow = "".join(_INERT[sign] if i in hits else sign for i, sign in enumerate(shadow))


def _encodable(char: str) -> str:
    """Half a surrogate pair cannot be encoded, and some templates use control characters."""
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return " " if unicodedata.category(char) == "Cc" and char not in "\t\n\r" else char


def _shadow(chars: Sequence[str]) -> tuple[str, list[int]]:
    """What the most eager normaliser would make of the text, and from which character each of its signs comes."""
    plain = [(sign, i) for i, char in enumerate(chars) for sign in _plain(char)]
    return "".join(sign for sign, _ in plain), [i for _, i in plain]


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """Decompose a character (NFKD) and leave out its marks and what is not shown; every line break is the same."""
    if char in "\r\u2028\u2029":
        return "\n"
    if char in "\u115f\u1160\u3164\uffa0":  # Hangul's fillers are letters that nobody sees
        return ""
    kept = unicodedata.normalize("NFKD", char)
    return "".join(sign for sign in kept if unicodedata.category(sign) not in ("Mn", "Me", "Cf", "Cn"))


def together(confidences: Sequence[float]) -> float:
    """Return the confidence that something is there which several lines show.

    The strongest counts in full, every other one a third: they share a recogniser, which windows and fences fool many
    times in one photo.
    """
    ordered = sorted(confidences, reverse=True)
    missing = 1.0 - ordered[0]
    for other in ordered[1:]:
        missing *= 1.0 - other / 3.0
    return 1.0 - missing
