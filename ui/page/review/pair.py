"""A pair on the desk: both pictures, the label, the explanation; accept, edit or reject."""

from __future__ import annotations

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_x.record import Reasons
from geosleuth.training.review.decision import Accept, Edit
from geosleuth.training.review.item import PairItem
from geosleuth.training.review.label_studio_tasks import LABELS
from geosleuth.ui.page.review.desk import Desk, mode, set_mode, tell
from geosleuth.ui.page.review.pictures import show_picture
from geosleuth.ui.page.review.steps import (
    cancel_button,
    reject_button,
    show_reject,
    show_what_was_said,
    step_buttons,
)
from geosleuth.ui.page.review.words import show_explanation
from geosleuth.ui.view.words import escape_markdown

_LANGUAGES = {"en": "English", "zh": "Chinese"}
_FIELDS = {"agreeing": "Agreeing, one a line", "disagreeing": "Disagreeing, one a line", "conclusion": "Conclusion"}


def show_pair(desk: Desk, number: int, item: PairItem) -> None:
    """Draw a pair."""
    import streamlit as st

    # Text and buttons stand beside the pictures: who judges needs all of it at once, and scrolls on a phone alone.
    *beside, right = st.columns([4, 4, 3], gap="medium")
    for column, shown in zip(beside, item.pictures, strict=True):
        with column:
            show_picture(desk.review, shown)
    with right:
        _show_text(desk, number, item)


def _show_text(desk: Desk, number: int, item: PairItem) -> None:
    """Draw what is said of the pictures, and what can be done with it."""
    import streamlit as st

    label = LABELS[item.record.label]
    by = f" · written by {escape_markdown(item.record.teacher)}" if item.record.teacher else ""
    st.subheader(f"Label: {label.lower()}")
    st.caption(f"In {_LANGUAGES[item.record.lang]}{by} · {escape_markdown(item.id)}")
    if mode() == "edit":
        _show_edit(desk, number, item)
        return
    show_explanation(item.explanation)
    if mode() == "reject":
        show_reject(desk, number, item)
        return
    show_what_was_said(desk, item)
    with st.container(horizontal=True, key=f"steps-{number}"):
        st.button(
            "Accept",
            key=f"accept-{number}",
            icon=":material/check:",
            shortcut="A",
            on_click=_accept,
            args=(desk, number),
        )
        st.button("Edit", key=f"edit-{number}", icon=":material/edit:", shortcut="E", on_click=set_mode, args=("edit",))
        reject_button(number)
        _take_buttons(desk, number, item)
        step_buttons(desk, number, item)


def _take_buttons(desk: Desk, number: int, item: PairItem) -> None:
    """Let a reviewer adopt another's text word by word: two edits agree only then."""
    import streamlit as st

    for other, decision in desk.said.shown_to(desk.reviewer, item.id):
        if isinstance(decision, Edit):
            st.button(
                f"Take {escape_markdown(other)}'s text",
                key=f"take-{number}-{other}",
                icon=":material/content_copy:",
                on_click=_edit_to,
                args=(desk, number, decision.edited),
            )


def _show_edit(desk: Desk, number: int, item: PairItem) -> None:
    import streamlit as st

    mine = desk.mine(item)
    text = mine.edited if isinstance(mine, Edit) else item.explanation
    before = {
        "agreeing": "\n".join(text.agreeing),
        "disagreeing": "\n".join(text.disagreeing),
        "conclusion": text.conclusion,
    }
    with st.form(f"edit-form-{number}"):
        for name, title in _FIELDS.items():
            st.text_area(title, before[name], key=f"{name}-{number}", height="content")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save the edit",
                icon=":material/check:",
                key=f"save-edit-{number}",
                shortcut="Mod+Enter",
                on_click=_edit,
                args=(desk, number),
            )
            cancel_button(number)


def _accept(desk: Desk, number: int) -> None:
    item = desk.item(number)
    desk.decide(number, lambda at, blind: Accept(item=item.id, at=at, blind=blind))


def _edit(desk: Desk, number: int) -> None:
    """Keep the text of the fields."""
    import streamlit as st

    given = {name: str(st.session_state.get(f"{name}-{number}", "")) for name in _FIELDS}
    lines = {name: tuple(line.strip() for line in text.splitlines() if line.strip()) for name, text in given.items()}
    try:
        edited = Reasons(
            agreeing=lines["agreeing"], disagreeing=lines["disagreeing"], conclusion=" ".join(lines["conclusion"])
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        found = f"{first['loc'][0]}: {first['msg']}"
        tell(InputError("a conclusion, and lines of at most 400 characters", found, "Mend it and save again."))
        return
    item = desk.item(number)
    if isinstance(item, PairItem) and edited == item.explanation:
        tell(InputError("another text", "the text as it was", "Change it, or cancel and accept it."))
        return
    _edit_to(desk, number, edited)


def _edit_to(desk: Desk, number: int, edited: Reasons) -> None:
    item = desk.item(number)
    desk.decide(number, lambda at, blind: Edit(item=item.id, at=at, blind=blind, edited=edited))
