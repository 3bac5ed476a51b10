"""Letters of every script stay, and what steers a terminal or turns a line is shown."""

import pytest

from geosleuth.agent.printable import printable


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
