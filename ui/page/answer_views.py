"""An answer in full: the card, and views under tabs, of which only the open one is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.dialogue import checked
from geosleuth.agent.dialogue.move import Understood
from geosleuth.agent.inquiry import Hint
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.downloads import downloads, picture_of
from geosleuth.ui.page.state import Page, show_error
from geosleuth.ui.page.sun_form import sun_form
from geosleuth.ui.page.turns import switched
from geosleuth.ui.view.belief import countries_chart
from geosleuth.ui.view.candidates import candidates_list
from geosleuth.ui.view.card import answer_card
from geosleuth.ui.view.evidence import evidence_list
from geosleuth.ui.view.map import answer_map
from geosleuth.ui.view.picture import show_photo
from geosleuth.ui.view.questions import ask_person, next_steps_list
from geosleuth.ui.view.trace import trace_list

if TYPE_CHECKING:
    from geosleuth.agent.cases.case import Case
    from geosleuth.agent.localization import Localization
    from geosleuth.indexes.photo import Photo
    from geosleuth.tools.evidence import NearPlace

_FIRST = "first_view"
_TAB = "open_view"  # stays when another answer comes: who watches the evidence goes on doing so

View = Callable[[Page, "Case", "Localization", Sequence["Photo"], str], Understood | None]


def show_answer(page: Page, case: Case, answer: Localization, photos: Sequence[Photo]) -> Understood | None:
    """Draw the answer; return what the person has asked for by a click in it, once."""
    import streamlit as st

    answer_card(answer)
    views = VIEWS if answer.candidates else {name: view for name, view in VIEWS.items() if name != "Candidates"}
    number = len(case.turns)
    key = f"views_{case.id}_{number}"
    tabs = st.tabs(list(views), key=key, on_change="rerun", default=_first_view(key, views))
    asked: Understood | None = None
    for tab, (name, view) in zip(tabs, views.items(), strict=True):
        if tab.open:
            st.session_state[_TAB] = name
            with tab:
                try:
                    asked = view(page, case, answer, photos, f"{case.id}_{number}")
                except InputError as error:
                    show_error(error)
    return asked


def _first_view(key: str, views: Collection[str]) -> str | None:
    """Return the view that was open under the last answer. It must not change as long as the tabs are the same.

    Tabs with another default are new tabs to Streamlit: every second click would be lost.
    """
    import streamlit as st

    first = st.session_state.get(_FIRST)
    if first is None or first[0] != key:
        first = st.session_state[_FIRST] = (key, st.session_state.get(_TAB))
    return first[1] if first[1] in views else None


def _map(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:  # noqa: ARG001
    import streamlit as st

    wide, narrow = st.columns([3, 2])
    with wide:
        answer_map(answer, key=f"map_{key}", near=_hinted(case))
    with narrow:
        countries_chart(answer, key=f"countries_{key}")


def _photo(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:  # noqa: ARG001
    import streamlit as st

    index = 0
    if len(photos) > 1:
        names = {n: f"Photo {n + 1}" for n in range(len(photos))}
        index = st.selectbox("Photo", list(names), format_func=names.__getitem__, key=f"which_{key}")
    show_photo(photos[index], answer, index, key=f"photo_{key}_{index}")


def _evidence(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> Understood | None:  # noqa: ARG001
    return switched(evidence_list(answer, key=f"evidence_{key}"), answer)


def _candidates(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:  # noqa: ARG001
    references = page.server.agent.references
    candidates_list(answer, photos, lambda one: picture_of(references, one))


def _questions(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> Understood | None:  # noqa: ARG001
    observation = ask_person(answer, key=f"questions_{key}")
    if observation is not None:
        return checked.observe(observation.question, observation.option)
    return sun_form(photos, key=f"sun_{key}")


def _next_steps(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:  # noqa: ARG001
    from geosleuth.agent.dialogue.next_steps import next_steps

    next_steps_list(next_steps(answer))


def _trace(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:  # noqa: ARG001
    trace_list(answer.trace, answer.closing)


def _downloads(page: Page, case: Case, answer: Localization, photos: Sequence[Photo], key: str) -> None:
    import streamlit as st

    st.text("Each file is made when you ask for it; the reports may take some seconds.")
    files = downloads(answer, photos, page.server.agent.references, lambda: page.store.custody(case), case.name)
    with st.container(horizontal=True):
        for one in files:
            st.download_button(
                one.label,
                data=one.make,
                file_name=one.file_name,
                mime=one.mime,
                key=f"download_{one.key}_{key}",
                on_click="ignore",
            )


VIEWS: dict[str, View] = {
    "Map": _map,
    "Photo": _photo,
    "Evidence": _evidence,
    "Candidates": _candidates,
    "Questions": _questions,
    "Next steps": _next_steps,
    "Trace": _trace,
    "Downloads": _downloads,
}


def _hinted(case: Case) -> list[NearPlace]:
    """Return the places that the person's hints name; the map does not draw them where a cap holds."""
    from geosleuth.tools.evidence import NearPoints
    from geosleuth.tools.hints import hint_evidence

    places: list[NearPlace] = []
    for one in case.inquiry.statements:
        if isinstance(one, Hint):
            found = (item.likelihood for item in hint_evidence(one.text))
            places += [
                place for likelihood in found if isinstance(likelihood, NearPoints) for place in likelihood.places
            ]
    return places
