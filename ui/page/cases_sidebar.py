"""The sidebar: a person's cases, to open, name, export and delete; and the language of explanations."""

from __future__ import annotations

from typing import Literal, cast

from geosleuth.agent.cases.case import Case, CaseSummary
from geosleuth.agent.cases.checkpoints import DamagedStateError
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.asking import ask_anew, busy, state_is_damaged
from geosleuth.ui.page.state import Page, forget_case, forget_notes, note, notes, open_case
from geosleuth.ui.view.words import escape_markdown

LANGUAGES = {"As in the settings": None, "English": "en", "中文": "zh"}
LANGUAGE = "language"
_NAME_CHARACTERS = 40  # of a case's name on its button


def show_sidebar(page: Page, case: Case | None) -> None:
    """Draw the list of cases, the newest first, and what can be done with the open one."""
    import streamlit as st

    st.header("Cases")
    st.button("New case", key="new_case", icon=":material/add:", width="stretch", on_click=_go_to, args=(None,))
    listed = page.store.list()
    if not listed:
        st.caption("Your cases will be listed here.")
    for one in listed:
        _entry(one, shown=case is not None and case.id == one.id)
    if case is not None:
        st.header("This case")
        _damaged(page, case)
        _rename(page, case)
        _export(page, case)
        _delete(page, case)
    st.header("Language")
    st.selectbox("Explanations", list(LANGUAGES), key=LANGUAGE, help="Of a model that explains why two pictures match.")


def chosen_language() -> Literal["en", "zh"] | None:
    """Return the language of explanations that the person has chosen; None is the settings' own."""
    import streamlit as st

    return cast("Literal['en', 'zh'] | None", LANGUAGES.get(st.session_state.get(LANGUAGE, "")))


def _go_to(case_id: str | None) -> None:
    forget_notes()
    open_case(case_id)


def _entry(one: CaseSummary, *, shown: bool) -> None:
    import streamlit as st

    name = one.name if len(one.name) <= _NAME_CHARACTERS else one.name[: _NAME_CHARACTERS - 1] + "…"
    st.button(
        escape_markdown(name),
        key=f"open_{one.id}",
        type="primary" if shown else "secondary",
        width="stretch",
        on_click=_go_to,
        args=(one.id,),
    )
    words = one.damaged or one.place or ("no place found" if one.status else "not answered yet")
    st.caption(f"{escape_markdown(words)}, {one.changed.astimezone():%Y-%m-%d %H:%M}")


def _damaged(page: Page, case: Case) -> None:
    """Where the stored state was refused: the way out, which costs time and nothing else."""
    import streamlit as st

    told = any(
        isinstance(one.error, DamagedStateError) for one in notes()
    )  # "why not ...?" reads the state without a run
    if not (told or state_is_damaged(page.server, case)):
        return
    st.button(
        "Forget the stored state and ask anew",
        key=f"forget_{case.id}",
        icon=":material/restart_alt:",
        help="Photos, words and answers stay; the photos are looked at afresh.",
        width="stretch",
        on_click=_ask_anew,
        args=(page, case),
    )


def _ask_anew(page: Page, case: Case) -> None:
    forget_notes()
    try:
        ask_anew(page.server, page.store, case)
    except InputError as error:
        note("", "", error=error)


def _rename(page: Page, case: Case) -> None:
    import streamlit as st

    with st.expander("Rename", key=f"rename_box_{case.id}"), st.form(f"rename_{case.id}", border=False):
        name = st.text_input("Name of the case", value=case.name, max_chars=200, key=f"name_{case.id}")
        if st.form_submit_button("Save the name", key=f"save_name_{case.id}") and name.strip():
            try:
                page.store.rename(case.id, name.strip())
            except InputError as error:
                note("", "", error=error)
            st.rerun()


def _export(page: Page, case: Case) -> None:
    import streamlit as st

    originals = page.store.precision_cap_km is None and st.checkbox(  # under a cap no photo is given out
        "Export the photos as well",
        key=f"originals_{case.id}",
        help="Untouched, with all that cameras wrote into them: often the position and the camera's own number.",
    )
    st.download_button(
        "Export as zip",
        data=lambda: page.store.export(case.id, originals=originals),
        file_name=f"geosleuth-case-{case.id[:8]}.zip",
        mime="application/zip",
        key=f"export_{case.id}",
        on_click="ignore",
        width="stretch",
    )


def _delete(page: Page, case: Case) -> None:
    import streamlit as st

    with st.expander("Delete", key=f"delete_box_{case.id}"):
        st.text("Photos, answers and all that was said are removed from the disk. This cannot be undone.")
        sure = st.checkbox("Yes, delete this case", key=f"sure_{case.id}")
        if not st.button("Delete for good", key=f"delete_{case.id}", disabled=not sure):
            return
        run = busy(page.server, case)
        try:
            if run is not None:
                run.stop()
                raise InputError("a case at rest", "one that is being answered", "It is being stopped: try again.")
            page.store.delete(case.id)
        except InputError as error:
            note("", "", error=error)
        else:
            page.server.runs.forget((case.owner, case.id))
            forget_case()
            _go_to(None)
        st.rerun()
