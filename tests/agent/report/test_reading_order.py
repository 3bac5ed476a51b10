import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

pytest.importorskip("fpdf")

from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection

from geosleuth.agent.report.reading_order import Line, line_of

# Letters of four kinds, digits of two, a mark, a sign of currency, separators, brackets, neutral ones, the quote.
SIGNS = 'abאבשم1234٢٣\u064e$+,:-()[] .!"'


def seen(line: Line) -> str:
    """The characters from left to right."""
    return "".join(text[::-1] if leftward else text for text, leftward in line.runs())


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("plain", ["plain"]),
        ('Lines "شارع 25", "محطة" are', ['Lines "', "25", "شارع ", '", "', "محطة", '" are']),
        ('Line "شارع الكورنيش 25" in', ['Line "', "25", "شارع الكورنيش ", '" in']),
        ('"רחוב דיזנגוף 99" is the name', ['"', "99", "רחוב דיזנגוף ", '" is the name']),
        ('"12:30 محطة" now', ['"', "محطة", " ", "12:30", '" now']),  # the first letter decides, not the first digit
        ('"Rue שלום 7" now', ['"Rue ', "7", "שלום ", '" now']),
        ("محطة 25 stands", ["25", "محطة ", " stands"]),
    ],
)
def test_what_is_quoted_is_turned_and_nothing_around_it(text, order):
    line = line_of(text)
    assert line.base == 0
    pieces = [(text, leftward) for text, leftward in line.runs()]
    joined = "".join(text[::-1] if leftward else text for text, leftward in pieces)
    wanted = "".join(part[::-1] if re.search("[א-ي]", part) and not part.isascii() else part for part in order)
    assert joined == wanted


def test_a_value_begins_at_the_side_of_its_first_letter_outside_of_quotations():
    assert line_of("شارع 25", auto=True).base == 1
    assert line_of('"شارع" is a street', auto=True).base == 0
    assert line_of("12, שלום", auto=True).base == 1
    assert line_of("12", auto=True).base == 0


def test_a_line_is_a_part_of_its_paragraph():
    """A number that begins a line still belongs to the words that were spoken before it."""
    whole = line_of("محطة 25 قطار")
    assert seen(whole.part(5, 12)) == "راطق 25"
    assert seen(line_of("25 قطار")) == "25 راطق"


def test_marks_on_a_bracket_go_with_it():
    assert line_of("א[1]\u064e\u064e").levels == (
        1,
        1,
        2,
        1,
        1,
        1,
    )  # the example of rule N0: marks follow their bracket


def test_a_thousand_signs_without_direction_are_no_trouble():
    assert seen(line_of('א"' + "-" * 5000 + '"')).endswith('-"')


@given(st.text(SIGNS, max_size=14), st.booleans())
def test_fpdf2_finds_the_same_levels(text, auto):
    assume(not re.search("[^א-ي]\u064e", text))  # a mark on a bracket, say: fpdf2 takes one, where rule N0 takes all
    line = line_of(text, auto=auto)
    isolated = re.sub('"(.*?)"', '"\u2068\\1\u2069"', text)
    base = TextDirection.RTL if line.base else TextDirection.LTR
    theirs = [char for char in BidiParagraph(isolated, base).get_characters() if char.character not in "\u2068\u2069"]
    assert line.levels == tuple(char.embedding_level for char in theirs)
