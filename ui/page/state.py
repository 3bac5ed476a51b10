"""What one person's page works with, and what it remembers between two looks: all of it in the person's own session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.store import CaseStore
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.server import Server

if TYPE_CHECKING:
    from geosleuth.agent.localization import Localization
    from geosleuth.indexes.photo import Photo

OPEN = "open_case"  # id of the case that is shown; the address of the page has it too, so that a reload shows it again
_NOTES = "notes"
_PHOTOS = "photos_of_case"
_ANSWER = "answer_of_case"


@dataclass(frozen=True)
class Page:
    """One person's view of the server."""

    server: Server
    store: CaseStore
    owner: str


@dataclass(frozen=True)
class Note:
    """Something told once, below the conversation: it is no part of the case."""

    case_id: str | None
    said: str
    words: str
    suggestions: tuple[str, ...] = ()
    error: InputError | None = None


def open_case(case_id: str | None) -> None:
    """Show this case from now on; None shows the page for a new one."""
    import streamlit as st

    st.session_state[OPEN] = case_id
    if case_id is None:
        st.query_params.clear()
    else:
        st.query_params["case"] = case_id


def the_case(page: Page) -> Case | None:
    """Return the case that is shown.

    Raises:
        InputError: It is damaged, or somebody has deleted it since.
    """
    import streamlit as st

    if OPEN not in st.session_state:  # a new tab, or the server has been restarted
        st.session_state[OPEN] = st.query_params.get("case")
    case_id = st.session_state[OPEN]
    return None if case_id is None else page.store.open(case_id)


def note(said: str, words: str, suggestions: tuple[str, ...] = (), error: InputError | None = None) -> None:
    """Tell something below the conversation of the case that is open."""
    import streamlit as st

    told = Note(st.session_state.get(OPEN), said, words, suggestions, error)
    st.session_state.setdefault(_NOTES, []).append(told)


def notes() -> list[Note]:
    """Return what is to be told about the case that is open."""
    import streamlit as st

    shown = st.session_state.get(OPEN)
    return [one for one in st.session_state.get(_NOTES, []) if one.case_id == shown]


def forget_notes() -> None:
    """Begin anew: the person has gone on."""
    import streamlit as st

    st.session_state[_NOTES] = []


def photos_of(page: Page, case: Case) -> list[Photo]:
    """Return the case's photos as the tools see them; those of the open case are kept, not read at every click.

    Raises:
        InputError: A file has gone, or is not the one that was added.
    """
    import streamlit as st

    key = (case.id, tuple((photo.sha256, photo.edit) for photo in case.photos))
    kept = st.session_state.get(_PHOTOS)
    if kept is None or kept[0] != key:
        kept = (key, page.store.photos(case))
        st.session_state[_PHOTOS] = kept
    photos: list[Photo] = kept[1]
    return photos


def answer_of(page: Page, case: Case) -> Localization | None:
    """Return the case's last answer; that of the open case is kept, not parsed at every click.

    Raises:
        InputError: Its file has gone, or was changed.
    """
    import streamlit as st

    if case.last_finished is None:
        return None
    key = (case.id, case.last_finished.number, case.last_finished.answer_sha256)
    kept = st.session_state.get(_ANSWER)
    if kept is None or kept[0] != key:
        kept = (key, page.store.answer(case))
        st.session_state[_ANSWER] = kept
    answer: Localization = kept[1]
    return answer


def forget_case() -> None:
    """Drop what is kept of the open case: it is deleted."""
    import streamlit as st

    for name in (_PHOTOS, _ANSWER):
        st.session_state.pop(name, None)


def show_error(error: InputError) -> None:
    """Say in three lines what was wanted, what was found, and what to do."""
    import streamlit as st

    from geosleuth.ui.view.words import escape_markdown

    parts = (("Wanted", error.wanted), ("Found", error.found), ("Do", error.remedy))
    st.error("  \n".join(f"**{label}:** {escape_markdown(part)}" for label, part in parts))
