"""What a person can add: answers to questions, and steps that they can take themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.inquiry import Observation
from geosleuth.ui.view.words import escape_markdown, plain

if TYPE_CHECKING:
    from geosleuth.agent.dialogue.next_steps import NextStep
    from geosleuth.agent.localization import AskedQuestion, Localization

_PILLS = 6  # options; more are easier to read in a list


def ask_person(answer: Localization, *, key: str) -> Observation | None:
    """Draw `answer.questions`; return the answer of the question that was just answered, once, else None."""
    import streamlit as st

    rounds = f"{key}-rounds"
    asked = st.session_state.get(rounds, 0)
    said = None
    for question in answer.questions:
        chosen = _ask(question, key=f"{key}-{asked}-{question.key}")
        st.caption(f"Worth about {question.expected_bits:.1f} bits. Source: {escape_markdown(question.source)}")
        if chosen is not None and said is None:
            said = Observation(question=question.key, option=chosen)
            # A widget keeps what was chosen; under a new key the next run draws it empty, and tells nothing twice.
            st.session_state[rounds] = asked + 1
    return said


def _ask(question: AskedQuestion, *, key: str) -> str | None:
    """Draw one question; return the key of the option that is chosen."""
    import streamlit as st

    texts = {option.key: option.text for option in question.options}
    label = escape_markdown(question.text)
    if len(texts) <= _PILLS:
        return st.pills(label, list(texts), format_func=lambda one: escape_markdown(texts[one]), key=key)
    return st.selectbox(
        label, list(texts), index=None, format_func=texts.__getitem__, placeholder="Choose what you see", key=key
    )


def next_steps_list(steps: Sequence[NextStep]) -> None:
    """Draw what to check next: the step, why, and the text to copy. Nothing is sent."""
    import streamlit as st

    if not steps:
        st.caption("There is nothing further to suggest.")
        return
    for step in steps:
        with st.container(border=True):
            st.text(plain(step.text))
            if step.copy:
                st.code(plain(step.copy), language=None, wrap_lines=True)
            if step.why:
                st.caption(escape_markdown(step.why))
    st.caption("geosleuth sends none of this anywhere: copy it to where you search.")
