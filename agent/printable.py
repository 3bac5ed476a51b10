"""Text that is safe to print: text from photos, file names and errors may hold codes that steer a terminal."""

from __future__ import annotations

import json
import re
import unicodedata

_JOINERS = "\u200c\u200d"  # Persian and the scripts of India are spelt with them, and so are many emoji
_HIDDEN = re.compile(r"[\x7f-\U0010ffff]")  # JSON's own escapes have all below


def printable(text: str) -> str:
    """Replace control and format characters by visible escapes; letters of every script stay.

    Escaped are ESC, which starts terminal commands, and the marks that turn the direction of writing.
    """
    return "".join(c if c.isprintable() else _shown(text, at) for at, c in enumerate(text))


def _shown(text: str, at: int) -> str:
    """Show a character that Python calls unprintable: wide blanks are blanks, and joiners of letters are letters."""
    character, around = text[at], (*text[:at][-1:], *text[at + 1 : at + 2])
    if unicodedata.category(character) == "Zs":
        return " "
    if character in _JOINERS and len(around) == 2 and not any(one.isascii() for one in around):
        return character
    return repr(character)[1:-1]


def printable_json(text: str) -> str:
    """Write control and format characters of JSON as JSON's escapes: whoever reads it gets the very same texts.

    Without this a file name in a program's output on a terminal could steer it: U+009B alone begins a command.
    """
    return _HIDDEN.sub(lambda hit: hit[0] if hit[0].isprintable() else json.dumps(hit[0])[1:-1], text)
