"""Quotations of what a sign says, for people and logs."""

import pytest

from geosleuth.tools.quoting import LONGEST, quoted, together


def test_a_quotation_keeps_its_quotes():
    assert quoted('Café "Luna"') == "\"Café 'Luna'\""
    assert quoted("bare", bare=True) == "bare"


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\u202eb", "a \u2028 b", " a\tb "])
def test_what_changes_how_text_is_shown_becomes_one_space(text):
    assert quoted(text) == '"a b"'


def test_a_long_text_is_cut_and_says_so():
    assert quoted("x" * 81, bare=True) == "x" * (LONGEST - 1) + "…"
    assert quoted("x" * 80, bare=True) == "x" * 80


def test_the_strongest_counts_in_full_and_others_a_third():
    assert together([0.9]) == pytest.approx(0.9)
    assert together([0.6, 0.9]) == pytest.approx(1 - 0.1 * (1 - 0.2))
