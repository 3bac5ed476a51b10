"""The page as a whole: whose it is, the sidebar, a new case or an open one, and where a person writes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.owner import owner_of
from geosleuth.ui.page.photos import PHOTO_SUFFIXES, VIDEO_SUFFIXES

if TYPE_CHECKING:
    from geosleuth.agent.cases.case import Case
    from geosleuth.ui.page.state import Page

NEW_WORDS = "Drop a photo here, or write what you know of it"
CASE_WORDS = 'What do you know? "It is in Portugal", "not Lisbon", "why not Spain?"'
BUSY_WORDS = "Wait for the answer, or stop it"


def show_page() -> None:
    """Draw the page; Streamlit calls this anew for every click."""
    import streamlit as st

    from geosleuth.ui.page.state import Page, show_error

    # No page_icon: those of Streamlit would be fetched from an outside host.
    st.set_page_config(page_title="geosleuth", layout="wide")
    try:
        owner = _owner()
        if owner is None:
            _show_login()
            return
        from geosleuth.ui.page.server import the_server

        server = the_server(*script_arguments(sys.argv[1:]))
        server.begin_warm_up()
        page = Page(server, server.store(owner), owner)
    except InputError as error:
        st.title("geosleuth")
        show_error(error)
        return
    _show_cases(page)


def script_arguments(arguments: Sequence[str]) -> tuple[str | None, str | None]:
    """Read what follows "--": a settings file and a folder for cases; what else stands there is not ours."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--settings")
    parser.add_argument("--cases")
    try:
        given, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        remedy = "Use: streamlit run ui/chat.py -- --settings FILE --cases FOLDER."
        raise InputError("the chat's arguments", str(error), remedy) from error
    return given.settings, given.cases


def _owner() -> str | None:
    """Whose page this is; None while a login is needed."""
    import streamlit as st

    user = st.user.to_dict()
    # Streamlit says "is_logged_in" exactly where a login is configured.
    return owner_of(st.get_option("server.address"), login="is_logged_in" in user, user=user)


def _show_login() -> None:
    import streamlit as st

    st.title("geosleuth")
    st.text("Log in to see your cases.")
    st.button("Log in", key="log_in", icon=":material/login:", on_click=st.login)


def _show_cases(page: Page) -> None:
    import streamlit as st

    from geosleuth.ui.page.asking import busy
    from geosleuth.ui.page.cases_sidebar import show_sidebar
    from geosleuth.ui.page.conversation import show_case, show_notes
    from geosleuth.ui.page.new_case import show_new_case
    from geosleuth.ui.page.state import forget_case, open_case, show_error, the_case

    case, run, error = None, None, None
    try:
        case = the_case(page)
        while case is not None:
            run, read = busy(page.server, case), case
            if run is None and read.turns and read.turns[-1].finished:
                break
            case = the_case(page)  # its run may have begun, or stored an answer and ended, since it was read
            if case == read:
                break
    except InputError as why:
        case, error = None, why
        forget_case()
        open_case(None)
    with st.sidebar:
        show_sidebar(page, case)
        if page.owner != "local":
            st.button("Log out", key="log_out", on_click=st.logout)
    if error is not None:
        show_error(error)
    if case is None:
        show_new_case(page)
    else:
        show_case(page, case, run)
    show_notes()
    _write(page, case, waiting=run is not None)


def _write(page: Page, case: Case | None, *, waiting: bool) -> None:
    """The line at the bottom: words, photos, or both."""
    import streamlit as st

    from geosleuth.ui.page.handed_in import take

    words = BUSY_WORDS if waiting else (NEW_WORDS if case is None else CASE_WORDS)
    given = st.chat_input(
        words,
        key="say",
        accept_file="multiple",
        file_type=[*PHOTO_SUFFIXES, *VIDEO_SUFFIXES],
        max_chars=500,
        disabled=waiting,
    )
    if given is not None:
        take(page, case, given.text.strip(), given.files)
        st.rerun()
