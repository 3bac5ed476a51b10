"""Text that is safe to print: text from photos, file names and errors may hold codes that steer a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace control and format characters by visible escapes; letters of every script stay.

    Among them are ESC, which starts terminal commands, and the marks that turn the direction of writing.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
