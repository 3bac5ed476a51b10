"""The end of a review: what became of the items, how far the reviewers agree, and what is disputed."""

from __future__ import annotations

from typing import Any

from geosleuth.training.review.outcome import State, outcome_of
from geosleuth.training.review.report import Report, report
from geosleuth.training.review.scales import SCALES
from geosleuth.ui.page.review.desk import Desk
from geosleuth.ui.view.words import escape_markdown

_STATES: dict[State, str] = {
    "as_is": "kept as they are",
    "edited": "kept with an edited text",
    "rated": "rated by two",
    "rejected": "rejected",
    "disputed": "disputed, waiting for a third decision",
    "waiting": "waiting for two decisions",
}
_MOST_DISPUTED = 20  # buttons


def show_end(desk: Desk) -> None:
    """Draw what there is when nothing is left to decide."""
    import streamlit as st

    found = report(desk.review, desk.said)
    st.text("Nothing is left for you to decide. Every decision is on the disk.")
    st.subheader("What became of the items")
    counts = [(words, found.states[state]) for state, words in _STATES.items() if found.states[state]]
    st.text("\n".join(f"{count} of {found.items} {words}" for words, count in counts))
    _show_agreement(found)
    _show_disputed(desk)
    with st.container(horizontal=True):
        st.button("Look for more", key="more", icon=":material/refresh:", shortcut="S", on_click=desk.go_on)
        st.button(
            "Back",
            key="back-end",
            icon=":material/arrow_back:",
            shortcut="B",
            disabled=not desk.can_go_back(),
            on_click=desk.go_back,
        )


def _show_agreement(found: Report) -> None:
    import streamlit as st

    st.subheader("Agreement")
    if not found.agreed:
        st.text("No two reviewers have decided the same item yet: another person should review this folder as well.")
        return
    rows: list[dict[str, Any]] = [
        {
            "Reviewers": escape_markdown(" and ".join(one.reviewers)),
            "Of": "Verdict" if one.about == "verdict" else f"{one.about.capitalize()} (1 to 5)",
            "Items": str(one.figures.count),
            "The same": "–" if one.figures.share is None else f"{one.figures.share:.0%}",
            "Kappa": "not defined" if one.figures.kappa is None else escape_markdown(f"{one.figures.kappa:.2f}"),
        }
        for one in found.agreed
    ]
    st.table(rows, hide_index=True)
    st.caption("Cohen's kappa of decisions made before the other's was shown; of ratings, with quadratic weights.")
    for why in sorted({one.figures.undefined for one in found.agreed} - {""}):
        st.caption(f"Not defined: {why}.")
    if found.means:
        st.text(", ".join(f"{SCALES[name].name} {mean:.1f}" for name, mean in found.means.items()) + " on average")


def _show_disputed(desk: Desk) -> None:
    """Let a reviewer think again about what the two decided differently."""
    import streamlit as st

    mine = desk.said.mine(desk.reviewer)
    disputed = [
        number
        for number, item in enumerate(desk.review.items)
        if item.id in mine and outcome_of(item, desk.said).state == "disputed"
    ]
    if not disputed:
        return
    st.subheader("Disputed")
    st.text("A third reviewer decides, unless one of you thinks again.")
    with st.container(horizontal=True):
        for number in disputed[:_MOST_DISPUTED]:
            st.button(f"Item {number + 1}", key=f"disputed-{number}", on_click=desk.look_at, args=(number,))
    if len(disputed) > _MOST_DISPUTED:
        st.caption(f"{len(disputed) - _MOST_DISPUTED} more")
