"""Decisions in words, as text: what reviewers and models wrote does nothing here but stand there."""

from __future__ import annotations

from geosleuth.agent.printable import printable
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.decision import WHY, Accept, Decision, Edit, Reject
from geosleuth.training.review.scales import SCALES


def show_explanation(explanation: Reasons) -> None:
    """Draw an explanation."""
    for title, features in (("Agreeing", explanation.agreeing), ("Disagreeing", explanation.disagreeing)):
        show_titled(title, "\n".join(f"• {printable(one)}" for one in features) or "Nothing is named.")
    show_titled("Conclusion", printable(explanation.conclusion))


def show_titled(title: str, text: str) -> None:
    """Draw a text below its title, which is ours."""
    import streamlit as st

    with st.container(gap=None):
        st.markdown(f"**{title}**")
        st.text(text)


def show_decision(who: str, decision: Decision) -> None:
    """Draw what somebody decided.

    Args:
        who: A reviewer's name, or "You".
        decision: The decision.
    """
    import streamlit as st

    st.text(f"{who}: {in_words(decision)}")
    if isinstance(decision, Edit):
        with st.container(border=True):
            show_explanation(decision.edited)


def in_words(decision: Decision) -> str:
    """Return a decision on one line."""
    if isinstance(decision, Accept):
        said = "accepted"
    elif isinstance(decision, Edit):
        said = "edited, it should read as below"
    elif isinstance(decision, Reject):
        said = f"rejected: {WHY[decision.why]}"
    else:
        said = ", ".join(f"{scale.name} {getattr(decision, name)}" for name, scale in SCALES.items())
    note = printable(" ".join(decision.note.split()))
    return f"{said} ({note})" if note else said
