"""Text that is safe to print: text from photos, file names and errors may hold codes that steer a terminal."""

from __future__ import annotations

import copy
import json
import logging
import re
import traceback
import unicodedata
from typing import Any

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


def printable_lines(text: str) -> str:
    """Do the same for each line of a text, whose line ends are the program's own."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """Write control and format characters of JSON as JSON's escapes: whoever reads it gets the very same texts.

    Without this a file name in a program's output on a terminal could steer it: U+009B alone begins a command.
    """
    return _HIDDEN.sub(lambda hit: hit[0] if hit[0].isprintable() else json.dumps(hit[0])[1:-1], text)


class PrintableLog(logging.Formatter):
    """Names of files and columns reach the log as anybody wrote them: they must not steer the terminal.

    Args:
        form: Of a line.
        words: Traces end with the words of their errors, which may quote a photo's name or a sign. Else with their
            types alone: logs are kept, and sent to others.
    """

    def __init__(self, form: str, *, words: bool) -> None:
        super().__init__(form)
        self._words = words

    def format(self, record: logging.LogRecord) -> str:
        """Write a record and its own trace."""
        own = copy.copy(record)
        own.exc_text = None  # the trace as another handler has written it, which may have the words
        return super().format(own)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        """Write the message without codes that steer."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802  the same
        """Write the trace; nothing where there is no error."""
        if ei[1] is None:  # `exc_info=True` where nothing is being handled
            return ""
        trace = super().formatException(ei) if self._words else wordless_trace(ei[1])
        return printable_lines(trace)

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  the same
        """Write the stack, whose paths are anybody's."""
        return printable_lines(stack_info)


def wordless_trace(error: BaseException) -> str:
    """Say where an error was raised, and before it those that led to it, each by its type alone."""
    chain = [error]
    while (earlier := _earlier(chain[-1])) is not None and earlier not in chain:
        chain.append(earlier)
    return "\n\nwhich led to\n\n".join(map(_frames, reversed(chain))) + " (--verbose has its words)"


def _earlier(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _frames(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__name__}"
