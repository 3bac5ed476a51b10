"""The page as a whole: who answers, the photo on the desk, or the end. The truth is nowhere on it."""

from __future__ import annotations

import sys

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.human.desk import Desk, open_desk, tell, told_note
from geosleuth.ui.page.human.told import USE, Told, told_by

_PERSON = "person"  # in the address, so that a reload goes on


def show_page() -> None:
    """Draw the page; Streamlit calls this anew for every click."""
    import streamlit as st

    from geosleuth.ui.page.state import show_error

    # No page_icon: those of Streamlit would be fetched from an outside host.
    st.set_page_config(page_title="geosleuth: where was it taken?", layout="wide")
    try:
        _check_address()
        told = told_by(sys.argv[1:])
        person = st.query_params.get(_PERSON)
        desk = open_desk(told, person) if person else None
    except InputError as error:
        st.title("Where was it taken?")
        show_error(error)
        if st.query_params.get(_PERSON):
            st.button("Another name", key="other-name", on_click=_leave)
        return
    if desk is None:
        _ask_name(told)
        return
    _show_desk(desk)


def _check_address() -> None:
    """Whoever opens the page sees people's photos and answers in anybody's name: nobody but this machine may.

    Raises:
        InputError: Others could reach it.
    """
    import streamlit as st

    from geosleuth.ui.page.owner import is_loopback

    address = st.get_option("server.address")
    if not is_loopback(address):
        raise InputError("a page that only this machine reaches", f"one bound to {address or 'every address'}", USE)


def _ask_name(told: Told) -> None:
    import streamlit as st

    st.title("Where was it taken?")
    st.text(
        "You see photos one by one and say where each was taken, as exactly as you can: a place, a country, or that "
        "you cannot tell.\nUse your eyes and what you know, no search engine and no other map. You are not told "
        "whether you are right."
    )
    st.text(
        "Kept on this machine, and sent nowhere: the name that you give here, your answers, and how long each took. "
        "You can stop at any time and go on later under the same name."
    )
    with st.form("who"):
        st.text_input("Your name, or what you like to be called", max_chars=32, key="name")
        st.form_submit_button("Begin", key="begin", on_click=_enter, args=(told,))
    _show_note()


def _enter(told: Told) -> None:
    import streamlit as st

    name = str(st.session_state.get("name", "")).strip()
    try:
        open_desk(told, name)
    except InputError as error:
        tell(error)
        return
    st.query_params[_PERSON] = name


def _leave() -> None:
    """Forget this person here; nothing on the disk changes."""
    import streamlit as st

    st.query_params.clear()
    st.session_state.clear()


def _show_desk(desk: Desk) -> None:
    import streamlit as st

    from geosleuth.ui.page.human.answering import show_photo_and_form
    from geosleuth.ui.view.words import escape_markdown

    photo = desk.current()
    total = len(desk.photos)
    st.title("Where was it taken?" if photo else "Nothing is left")
    st.progress(desk.done / total, text=f"{escape_markdown(desk.person)}: {desk.done} of {total} answered")
    _show_note()
    if photo is None:
        _show_end(desk)
    else:
        show_photo_and_form(desk, photo)
    with st.container(horizontal=True):
        last = desk.last
        if last is not None and last != photo:
            st.button("Change my last answer", key="back", on_click=desk.lay, args=(last,))
        st.button("Somebody else answers", key="leave", on_click=_leave)


def _show_end(desk: Desk) -> None:
    import streamlit as st

    skipped = len(desk.photos) - desk.done
    if skipped:
        st.text(f"Skipped, and without an answer yet: {skipped}.")
        st.button("Show them again", key="again", on_click=desk.bring_back)
    else:
        st.text("You have answered every photo, and every answer is on the disk. Thank you.")


def _show_note() -> None:
    import streamlit as st

    from geosleuth.ui.page.state import show_error

    note = told_note()
    if isinstance(note, InputError):
        show_error(note)
    elif note is not None:
        st.info(note)
