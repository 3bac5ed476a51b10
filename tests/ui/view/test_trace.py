from types import ModuleType
from typing import Any

import pytest

from geosleuth.agent.localization import Closing, TraceStep
from geosleuth.ui.view.trace import step_line

STEP = {"step": 2, "tool": "read_text", "result": "2 lines", "seconds": 1.54, "by": "RulePlanner"}


def script(trace, closing):
    from geosleuth.ui.view.trace import trace_list

    trace_list(trace, closing)


def test_a_step_is_tool_finding_and_seconds() -> None:
    assert step_line(TraceStep(**STEP)) == "**read text** · 2 lines · 1.5 s"


def test_a_step_that_failed_says_so() -> None:
    step = TraceStep(**(STEP | {"ok": False, "result": "no such tool", "note": "the rules took over"}))
    assert step_line(step) == "**read text** · **did not run**: no such tool · 1.5 s  \nthe rules took over"


def test_a_thought_is_quoted_as_a_models_words() -> None:
    line = step_line(TraceStep(**(STEP | {"thought": "It is Rome"})))
    assert line.endswith("  \nA model's words, no evidence: “It is Rome”")


@pytest.mark.parametrize("part", ["tool", "result", "note", "thought"])
def test_strangers_words_are_inert_in_every_part(hostile: str, part: str) -> None:
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(step_line(TraceStep(**(STEP | {part: hostile}))))
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "hardbreak"}


def test_turns_photos_and_who_asked(page: Any) -> None:
    asked = {"step": 3, "turn": 2, "photo": 1, "by": "investigator", "args": {"rank": 2}, "tool": "compare"}
    shown = page(script, [TraceStep(**STEP), TraceStep(**(STEP | asked))], None)
    assert [one.value for one in shown.markdown] == [
        "**Turn 1**",
        "2\\. **read text** · 2 lines · 1.5 s  \n:gray[photo 1, chosen by the rules]",
        "**Turn 2**",
        "3\\. **compare** · 2 lines · 1.5 s  \n:gray[photo 2, asked for by you: rank \\= 2]",
    ]


def test_closing_words_are_text_and_what_nothing_bears_out_is_flagged(page: Any, answers: ModuleType) -> None:
    closing = Closing(words="It is :red[Rome].", by="VlmPlanner(x)", unbacked=("Rome",), unbacked_thoughts=("Oslo",))
    shown = page(script, answers.answer().trace, closing)
    assert [one.value for one in shown.text] == ["It is :red[Rome]."]
    assert shown.warning[0].value == "No tool's finding bears out, of these words: Rome"
    assert shown.caption[-1].value == "Guesses along the way that came to nothing: Oslo"
