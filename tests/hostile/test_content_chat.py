"""What strangers wrote, on the chat's page and in a terminal: it is shown, and does nothing."""

import importlib.util
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from geosleuth.indexes.errors import InputError
from geosleuth.ui.shell import explain, logs_to_stderr
from geosleuth.ui.terminal import show

_spec = importlib.util.spec_from_file_location("hostile_answer", Path(__file__).with_name("hostile_answer.py"))
assert _spec is not None
hostile = sys.modules.setdefault("hostile_answer", importlib.util.module_from_spec(_spec))
_spec.loader.exec_module(hostile)

ALL = "\n\n".join(hostile.ATTACKS.values())
_AS_TEXT = {"text", "code"}  # elements whose words are no Markdown
_NO_WORDS = {"id", "key", "url", "user_key", "form_id", "json", "mapbox_token", "color", "icon", "tool_tip"}
_HARMLESS = {"text", "text_special", "strong_open", "strong_close", "softbreak", "hardbreak"}
# mdast-util-gfm-autolink-literal, remark-emoji and Streamlit's icons and colours search the parsed text.
_FOUND_LATER = re.compile(r"https?://|www\.|\w@\w|:[+\w-]+:|:material/|:(?:red|blue|green)\[|:image\[")


def whole_page(answer, photo):
    """Every view of an answer on one page; its source is run by Streamlit."""
    import numpy as np

    from geosleuth.agent.dialogue.next_steps import next_steps
    from geosleuth.indexes.errors import InputError
    from geosleuth.tools.evidence import NearPlace
    from geosleuth.ui.page.state import show_error
    from geosleuth.ui.view.belief import countries_chart
    from geosleuth.ui.view.candidates import candidates_list
    from geosleuth.ui.view.card import answer_card
    from geosleuth.ui.view.colours import LIGHT
    from geosleuth.ui.view.evidence import evidence_list
    from geosleuth.ui.view.map_words import legend, map_in_words
    from geosleuth.ui.view.picture import show_photo
    from geosleuth.ui.view.questions import ask_person, next_steps_list
    from geosleuth.ui.view.trace import trace_list

    answer_card(answer)
    countries_chart(answer)
    candidates_list(answer, [photo], lambda _: np.full((60, 80, 3), 9, np.uint8))
    evidence_list(answer, key="evidence")
    show_photo(photo, answer, 0, key="photo")
    trace_list(answer.trace, answer.closing)
    ask_person(answer, key="questions")
    next_steps_list(next_steps(answer))
    near = [NearPlace(lat=0.0, lon=0.0, spread_km=1.0, weight=1.0, name=answer.reason)]
    legend(answer, LIGHT, near=True)  # the map itself has no words but numbers, and a tooltip that is text
    map_in_words(answer, near)
    show_error(InputError(answer.reason, answer.reason, answer.reason))


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def words_in(proto: Any) -> Iterator[str]:
    """Every text of an element that a reader meets."""
    for field, value in proto.ListFields():
        if field.name in _NO_WORDS:
            continue
        for one in value if hasattr(value, "__len__") and not isinstance(value, str) else [value]:
            if isinstance(one, str):
                yield one
            elif hasattr(one, "ListFields"):
                yield from words_in(one)


@pytest.fixture(scope="module")
def shown() -> list[tuple[str, str]]:
    """Each text on the page, with the kind of its element."""
    testing = pytest.importorskip("streamlit.testing.v1")
    photo = hostile.neighbour("agent/report/full.py").photo()
    page = testing.AppTest.from_function(
        whole_page, args=(hostile.hostile_answer(ALL), photo), default_timeout=300
    ).run()
    assert not page.exception, page.exception
    found = [node for node in nodes(page._tree) if getattr(node, "proto", None) is not None]
    return [(node.type, text) for node in found for text in words_in(node.proto)]


def test_the_page_says_what_the_stranger_wrote(shown: list[tuple[str, str]]) -> None:
    """Else the tests below would show nothing."""
    places = [kind for kind, text in shown if "HYPERLINK" in text]
    assert len(places) > 30
    assert set(places) > {"text", "code", "markdown", "caption", "header", "warning", "error", "image", "button_group"}


def test_no_text_on_the_page_turns_its_direction_or_hides(shown: list[tuple[str, str]]) -> None:
    allowed = "\n\u2060"  # the joiner parts what would be found as a link
    steering = {(kind, char) for kind, text in shown for char in text if not char.isprintable() and char not in allowed}
    assert steering == set()


def test_markdown_on_the_page_holds_no_link_no_picture_no_html(shown: list[tuple[str, str]]) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for kind, text in shown:
        if kind in _AS_TEXT or "HYPERLINK" not in text:
            continue
        if kind in ("image", "vega_lite_chart", "deck_gl_json_chart") and "\u2060" not in text:
            continue  # a description, which is an attribute and not Markdown
        tokens = parser.parse(text)
        kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
        blocks = {"inline"} | {
            f"{name}_{end}" for name in ("paragraph", "bullet_list", "list_item") for end in ("open", "close")
        }
        assert kinds <= _HARMLESS | blocks, (kind, kinds)
        seen = "".join(child.content for token in tokens for child in token.children or ())
        assert not _FOUND_LATER.search(seen.replace(":gray[", "")), (kind, _FOUND_LATER.search(seen))


def test_the_terminal_is_not_steered(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=io.StringIO(), width=100, highlight=False, force_terminal=False)
    show(hostile.hostile_answer(ALL), console)
    text = console.file.getvalue()
    assert {char for char in text if not char.isprintable()} == {"\n"}
    assert text.count("HYPERLINK") > 10  # it was there
    explain(InputError(ALL, ALL, ALL))
    assert {char for char in capsys.readouterr().err if not char.isprintable()} == {"\n"}


def test_markup_of_the_terminals_library_stays_text() -> None:
    """Rich takes "[bold]" and "[link=...]" of a plain string for markup, and makes links of terminals' own."""
    console = Console(file=io.StringIO(), width=200, highlight=False, force_terminal=True, color_system="truecolor")
    show(hostile.hostile_answer(f"[link=http://{hostile.HOST}]x[/link][blink]y"), console)
    text = console.file.getvalue()
    assert "[blink]y" in text
    assert "\x1b]8;" not in text  # OSC 8, a link
    assert "\x1b[5m" not in text


def test_a_log_line_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    with logs_to_stderr(verbose=False):
        logging.getLogger("geosleuth.test").warning("a name: %s", ALL)
        try:
            raise ValueError(ALL)
        except ValueError:
            logging.getLogger("geosleuth.test").exception("a fault")
    text = capsys.readouterr().err
    assert {char for char in text if not char.isprintable()} == {"\n"}
    assert "\\x1b[2J" in text
