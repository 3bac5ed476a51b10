"""What can be done with any item: take back, go back, skip, and reject with a reason."""

from __future__ import annotations

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.training.review.decision import REJECTABLE, WHY, Reject, Undo
from geosleuth.training.review.item import Item
from geosleuth.ui.page.review.desk import Desk, set_mode, tell
from geosleuth.ui.page.review.words import show_decision

REJECT_KEY = "X"  # Streamlit keeps R for itself
_NOTE_LONGEST = 500  # as decisions hold


def show_what_was_said(desk: Desk, item: Item) -> None:
    """Draw this reviewer's decision, and, once there is one, the others'."""
    import streamlit as st

    mine = desk.mine(item)
    if mine is None:
        return
    with st.container(border=True):
        show_decision("You", mine)
        others = desk.said.shown_to(desk.reviewer, item.id)
        for other, decision in others:
            show_decision(other, decision)
        if not others:
            st.caption("No other reviewer has decided this item yet. You can still change your mind.")


def step_buttons(desk: Desk, number: int, item: Item) -> None:
    """Draw the buttons that move on, inside of the row that is open."""
    import streamlit as st

    mine = desk.mine(item)
    if mine is not None:
        st.button(
            "Take back", key=f"undo-{number}", icon=":material/undo:", shortcut="U", on_click=_undo, args=(desk, number)
        )
    st.button(
        "Skip" if mine is None else "Next",
        key=f"skip-{number}",
        icon=":material/skip_next:",
        shortcut="S",
        on_click=desk.skip if mine is None else desk.go_on,
    )
    st.button(
        "Back",
        key=f"back-{number}",
        icon=":material/arrow_back:",
        shortcut="B",
        disabled=not desk.can_go_back(),
        on_click=desk.go_back,
    )


def reject_button(number: int) -> None:
    """Draw the button that asks for a reason."""
    import streamlit as st

    st.button(
        "Reject",
        key=f"reject-{number}",
        icon=":material/close:",
        shortcut=REJECT_KEY,
        on_click=set_mode,
        args=("reject",),
    )


def show_reject(desk: Desk, number: int, item: Item) -> None:
    """Ask for the reason."""
    import streamlit as st

    with st.form(f"reject-form-{number}"):
        reasons = REJECTABLE[item.kind]
        st.radio("Why is it rejected?", reasons, index=None, format_func=WHY.__getitem__, key=f"why-{number}")
        st.text_input("A note (optional)", max_chars=_NOTE_LONGEST, key=f"why-note-{number}")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Save the rejection",
                icon=":material/close:",
                key=f"save-reject-{number}",
                shortcut="Mod+Enter",
                on_click=_reject,
                args=(desk, number),
            )
            cancel_button(number)


def cancel_button(number: int) -> None:
    """Draw the button of a form that leaves all as it is."""
    import streamlit as st

    st.form_submit_button("Cancel", key=f"cancel-{number}", shortcut="Esc", on_click=set_mode, args=(None,))


def _reject(desk: Desk, number: int) -> None:
    import streamlit as st

    why, note = st.session_state.get(f"why-{number}"), st.session_state.get(f"why-note-{number}", "")
    item = desk.item(number)
    if why is None:
        tell(InputError("a reason for the rejection", "none", "Choose one of the list."))
        return
    try:
        Reject(item=item.id, at="2000-01-01T00:00:00Z", why=why, note=note)  # type: ignore[arg-type]
    except ValidationError:
        tell(InputError("what is wrong, in the note", "none", "Write it, or choose another reason."))
        return
    desk.decide(number, lambda at, blind: Reject(item=item.id, at=at, blind=blind, why=why, note=note))


def _undo(desk: Desk, number: int) -> None:
    item = desk.item(number)
    desk.decide(number, lambda at, blind: Undo(item=item.id, at=at, blind=blind))
