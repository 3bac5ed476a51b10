"""Letters of every script stay, and what steers a terminal or turns a line is shown."""

import logging
import sys

import pytest

from geosleuth.agent.printable import PrintableLog, printable, wordless_trace


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("第一\u3000章 10\xa0km", "第一 章 10 km"),  # wide and hard blanks are blanks
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian is spelt with a joiner
        ("👩\u200d🌾", "👩\u200d🌾"),
        ("a\u200db", r"a\u200db"),  # between Latin letters it only hides a difference
        ("\u200dب", r"\u200dب"),
        ("gpj.\u202etxt", r"gpj.\u202etxt"),
        ("\x1b[2J\x9b1m\n", r"\x1b[2J\x9b1m\n"),
        ("\u2028", r"\u2028"),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: str) -> None:
    assert printable(text) == shown


def fault(*, words: bool) -> str:
    """What the log's form makes of an error with two that led to it."""
    try:
        try:
            try:
                raise OSError("first-witness")
            except OSError:
                raise KeyError("second-witness")  # noqa: B904  its context alone
        except KeyError as error:
            raise ValueError("third\x1b-witness") from error
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a fault", None, sys.exc_info())
    record.exc_text = "as another handler wrote it: third-witness"
    return PrintableLog("%(message)s", words=words).format(record)


def test_a_trace_has_the_types_and_places_of_all_errors_and_no_words() -> None:
    said = fault(words=False)
    code = [line for line in said.split("\n") if not line.startswith("    ")]  # without the source's own lines
    assert "witness" not in "\n".join(code)
    ends = [line for line in code if line and not line.startswith(("  File", "Traceback", "which"))]
    assert ends == ["a fault", "OSError", "KeyError", "ValueError (--verbose has its words)"]
    assert said.count("test_printable.py") == 3


def test_a_trace_has_the_words_where_they_are_asked_for() -> None:
    said = fault(words=True)
    assert said.endswith(r"ValueError: third\x1b-witness")
    assert "KeyError: 'second-witness'" in said


@pytest.mark.parametrize("words", [False, True])
def test_a_trace_of_nothing_is_no_trace(words: bool) -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a fault", None, (None, None, None))
    assert PrintableLog("%(message)s", words=words).format(record) == "a fault"


def test_errors_that_led_to_each_other_end() -> None:
    first, second = OSError("a"), KeyError("b")
    first.__context__, second.__context__ = second, first
    assert wordless_trace(first).count("Traceback") == 2
