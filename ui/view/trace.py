"""The trace: which tool was called, what it found, how long it took, what a planner that is a model said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from geosleuth.agent.inquiry import INVESTIGATOR
from geosleuth.agent.state import PERCEIVE
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.localization import Closing, TraceStep

_NO_MODELS = {PERCEIVE: "always done first", "RulePlanner": "chosen by the rules", INVESTIGATOR: "asked for by you"}


def step_line(step: TraceStep) -> str:
    """Return one step as Markdown in which nothing that strangers wrote is markup; for streaming.

    A thought stands below it, quoted, as a model's words. A step that failed says so first.
    """
    tool = escape_markdown(step.tool.replace("_", " "))
    failed = "" if step.ok else "**did not run**: "
    line = f"**{tool}** · {failed}{escape_markdown(step.result)} · {step.seconds:.1f} s"
    if step.note:
        line += f"  \n{escape_markdown(step.note)}"
    if step.thought:
        line += f"  \nA model's words, no evidence: “{escape_markdown(step.thought)}”"
    return line


def trace_list(trace: Sequence[TraceStep], closing: Closing | None = None) -> None:
    """Draw every step, by turn; then the planner's closing words, and what of them nothing bears out."""
    import streamlit as st

    turns = {step.turn for step in trace}
    several = len({step.photo for step in trace}) > 1
    for turn, steps in groupby(trace, key=lambda step: step.turn):
        if len(turns) > 1:
            st.markdown(f"**Turn {turn}**")
        lines = []
        for step in steps:
            photo = f"photo {step.photo + 1}, " if several else ""
            by = escape_markdown(_NO_MODELS.get(step.by, step.by))
            lines.append(f"{step.step}\\. {step_line(step)}  \n:gray[{photo}{by}{_arguments(step)}]")
        st.markdown("\n\n".join(lines))
    if closing is not None:
        _closing(closing)


def _arguments(step: TraceStep) -> str:
    told = ", ".join(f"{name} = {value}" for name, value in step.args.items())
    return f": {escape_markdown(told)}" if told else ""


def _closing(closing: Closing) -> None:
    import streamlit as st

    if closing.words:
        st.caption(f"The words of {escape_markdown(closing.by)}, no evidence")
        with st.container(border=True):
            st.text(plain(closing.words))
    if closing.unbacked:
        told = escape_markdown("; ".join(closing.unbacked))
        st.warning(f"No tool's finding bears out, of these words: {told}", icon=":material/warning:")
    if closing.unbacked_thoughts:
        st.caption(
            f"Guesses along the way that came to nothing: {escape_markdown('; '.join(closing.unbacked_thoughts))}"
        )
