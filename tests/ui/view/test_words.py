"""Strangers' words in Markdown, checked against a CommonMark parser and the patterns of Streamlit's page."""

import re

import pytest

from geosleuth.ui.view.words import escape_markdown

WORD_JOINER = "\u2060"


def plain(markdown: str) -> str:
    """What a reader sees: without the backslashes and the joiners."""
    return re.sub(r"\\(.)", r"\1", markdown).replace(WORD_JOINER, "")


def test_the_reader_sees_the_text_itself(hostile: str) -> None:
    assert plain(escape_markdown(hostile)) == hostile


def test_a_commonmark_parser_finds_nothing_but_text(hostile: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    kinds = [token.type for token in parser.parse(escape_markdown(hostile))]
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    children = parser.parseInline(escape_markdown(hostile))[0].children
    assert {token.type for token in children} <= {"text", "text_special"}
    assert "".join(token.content for token in children).replace(WORD_JOINER, "") == hostile


@pytest.mark.parametrize("found", [r"https?://", r"www\.", r"\w@\w", r":[+\w-]+:", r":material/", r":\w+\["])
def test_what_the_page_looks_for_after_the_backslashes_is_parted(hostile: str, found: str) -> None:
    """mdast-util-gfm-autolink-literal, remark-emoji and Streamlit's icons search the parsed text."""
    assert not re.search(found, re.sub(r"\\(.)", r"\1", escape_markdown(hostile)))


def test_lines_and_control_characters_are_shown_on_one_line() -> None:
    assert escape_markdown("a\n\n> b\x1b") == "a \\> b\\\\x1b"
    assert escape_markdown("right\u202eleft") == "right\\\\u202eleft"


def test_letters_of_all_scripts_stay() -> None:
    assert escape_markdown("Größe 日本語 العربية 12") == "Größe 日本語 العربية 12"
