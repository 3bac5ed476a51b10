"""A case as a conversation: what was said, what was understood, the run that is at work, and the latest answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosleuth.agent.cases.case import Case, Turn
from geosleuth.agent.cases.turns import before_last_change
from geosleuth.agent.dialogue.move import Understood, Undo
from geosleuth.agent.inquiry import Inquiry
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.answer_views import show_answer
from geosleuth.ui.page.asking import ask, key_of, resume
from geosleuth.ui.page.cases_sidebar import chosen_language
from geosleuth.ui.page.photos import thumbnail
from geosleuth.ui.page.state import Note, Page, answer_of, forget_notes, note, notes, photos_of, show_error
from geosleuth.ui.page.turns import carry_out, understand
from geosleuth.ui.view.trace import step_line
from geosleuth.ui.view.words import escape_markdown

if TYPE_CHECKING:
    from geosleuth.ui.page.runs import Run

POLL_S = 0.3  # between two looks at a run: steps take tenths of a second to some seconds
# The same at one that waits for others: twenty pages that look three times a second take the time of those at work.
WAITING_POLL_S = 2.0
THUMBNAIL_PX = 240
FIRST_QUESTION = "Where was this photo taken?"
_STATUS = {"localized": "localized", "coarse": "coarse", "not_locatable": "not locatable"}


def show_case(page: Page, case: Case, run: Run | None) -> None:
    """Draw the whole conversation; the last answer in full, the earlier ones in a line.

    Args:
        page: Of the person.
        case: As it was when nothing ran any more, or while `run` did.
        run: What was at work when the case was read.
    """
    import streamlit as st

    st.title(escape_markdown(case.name))
    latest, stood = case.last_finished, None
    for turn in case.turns:
        _said(page, case, turn)
        if turn.finished:
            with st.chat_message("assistant"):
                _understood(turn)
                if turn is latest and run is None:
                    _latest(page, case, turn)
                elif turn.answer_sha256 != stood:  # words alone leave the answer as it stood
                    st.markdown(_summary(turn, page.store.precision_cap_km))
            stood = turn.answer_sha256
    if run is not None:
        with st.chat_message("assistant"):
            _understood(case.turns[-1])
            waits = page.server.runs.before(run) > 0
            st.fragment(_watch, run_every=WAITING_POLL_S if waits else POLL_S)(page, run, waits)
    elif not case.turns:  # its server ended, or its disk was full, before anything was asked
        st.button("Find the place", key="ask_now", icon=":material/search:", on_click=_ask_now, args=(page, case))
    elif not case.turns[-1].finished:
        with st.chat_message("assistant"):
            _understood(case.turns[-1])
            _interrupted(page, case)


def show_notes() -> None:
    """Draw what is told once, and is no part of the case."""
    for one in notes():
        _show_note(one)


def say(page: Page, case: Case, text: str) -> None:
    """Take a person's words about the open case."""
    try:
        act(page, case, understand(page.server, text, answer_of(page, case), photos_of(page, case)), said=text)
    except InputError as error:
        note(text, "", error=error)


def act(page: Page, case: Case, understood: Understood, said: str = "") -> None:
    """Do what was understood; what cannot be done is told, and nothing is lost."""
    forget_notes()
    try:
        reply = carry_out(page.server, page.store, case, said, understood, chosen_language())
    except InputError as error:
        note(said, "", error=error)
        return
    if reply.suggestions or not (reply.asked or reply.kept):
        note(said, reply.words, reply.suggestions)


def _said(page: Page, case: Case, turn: Turn) -> None:
    """The person's side: their words, and at first the photos."""
    import streamlit as st

    if turn.number > 1 and not turn.said:
        return  # a click: what it asked for stands in the answer
    with st.chat_message("user"):
        st.markdown(escape_markdown(turn.said or FIRST_QUESTION))
        if turn.number == 1:
            _thumbnails(page, case)


def _thumbnails(page: Page, case: Case) -> None:
    import streamlit as st

    try:
        photos = photos_of(page, case)
    except InputError as error:
        show_error(error)
        return
    with st.container(horizontal=True):
        for number, photo in enumerate(photos, start=1):  # two photos may have one name: the number tells them apart
            caption = f"{number}. {escape_markdown(photo.name)}"
            picture = thumbnail(photo, THUMBNAIL_PX)
            st.image(picture, caption=caption, width=THUMBNAIL_PX, alt=f"Photo {number} of the scene")


def _understood(turn: Turn) -> None:
    import streamlit as st

    if turn.understood:
        st.markdown(escape_markdown(turn.understood))


def _summary(turn: Turn, cap_km: float | None) -> str:
    """Say an answer in one line, no finer than a cap that may be younger than it."""
    withheld = cap_km is not None and (turn.precision_cap_km or 0.0) < cap_km
    place = turn.country if withheld else turn.place
    status = _STATUS.get(turn.status or "", "")
    return f"**{escape_markdown(place or 'No place found')}**" + (f" ({status})" if status else "")


def _latest(page: Page, case: Case, turn: Turn) -> None:
    """The last answer with all its views, and what its views ask for."""
    import streamlit as st

    try:
        answer, photos = answer_of(page, case), photos_of(page, case)
    except InputError as error:
        show_error(error)
        return
    if answer is None:
        return
    if turn is case.turns[-1] and _can_undo(case):
        st.button(
            "Undo",
            key=f"undo_{turn.number}",
            icon=":material/undo:",
            help="Take the last change back.",
            on_click=act,
            args=(page, case, Understood(move=Undo(), words="Taken back: the last change."), ""),
        )
    asked = show_answer(page, case, answer, photos)
    if asked is not None:
        act(page, case, asked)
        st.rerun()


def _can_undo(case: Case) -> bool:
    try:
        before_last_change(case.turns)
    except InputError:
        return False
    return True


def _watch(page: Page, run: Run, waits: bool) -> None:
    """The steps so far; drawn anew until the run is over, then the whole page once more, as when its turn has come."""
    import streamlit as st

    ahead = page.server.runs.before(run)
    if run.over or (waits and not ahead):
        st.rerun()
    if run.stopping:
        label = "Stopping after this step"
    elif ahead:
        label = f"Waiting, {ahead} before you"
    elif not page.server.warm:
        label = "Getting ready: tables are read, once after a start"
    else:
        label = "Looking at the photo" if not run.steps else f"At work, {len(run.steps)} steps done"
    box = st.status(label, expanded=True, state="running")  # used as a context it would call itself complete
    for step in tuple(run.steps):
        box.markdown(step_line(step))
    st.button("Stop", key="stop_run", icon=":material/stop:", on_click=run.stop, disabled=run.stopping)


def _interrupted(page: Page, case: Case) -> None:
    """A turn without an answer: why, and how to go on."""
    import streamlit as st

    run = page.server.runs.of(key_of(case))
    if run is not None and run.error is not None:
        show_error(run.error)
    elif run is not None and run.state == "stopped":
        st.info(f"Stopped after {len(run.steps)} steps. What was found is kept.")
    else:
        st.info("The server ended while this was being answered. What was found is kept.")
    st.button("Go on", key="resume_run", icon=":material/play_arrow:", on_click=_resume, args=(page, case))
    if _can_undo(case):
        back = Understood(move=Undo(), words="Taken back: the last change.")
        st.button("Take it back", key="undo_unanswered", on_click=act, args=(page, case, back, ""))


def _ask_now(page: Page, case: Case) -> None:
    try:
        ask(page.server, page.store, case, Inquiry(language=chosen_language()))
    except InputError as error:
        note("", "", error=error)


def _resume(page: Page, case: Case) -> None:
    try:
        resume(page.server, page.store, case)
    except InputError as error:
        note("", "", error=error)


def _show_note(one: Note) -> None:
    import streamlit as st

    if one.said:
        with st.chat_message("user"):
            st.markdown(escape_markdown(one.said))
    with st.chat_message("assistant"):
        if one.error is not None:
            show_error(one.error)
        else:
            st.markdown(escape_markdown(one.words))
        if one.suggestions:
            st.caption("Understood are, for example:")
            for words in one.suggestions:
                st.markdown(f"- {escape_markdown(words)}")
