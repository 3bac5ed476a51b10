"""A photo on the desk with the reasons that a model gave: three ratings, or a rejection."""

from __future__ import annotations

from geosleuth.agent.printable import printable
from geosleuth.training.review.decision import Rate
from geosleuth.training.review.item import ReasonsItem
from geosleuth.training.review.scales import HIGHEST, LOWEST, SCALES, Measure
from geosleuth.ui.page.review.desk import Desk, mode
from geosleuth.ui.page.review.pictures import show_picture
from geosleuth.ui.page.review.steps import reject_button, show_reject, show_what_was_said, step_buttons
from geosleuth.ui.page.review.words import show_titled
from geosleuth.ui.view.words import escape_markdown


def show_reasons(desk: Desk, number: int, item: ReasonsItem) -> None:
    """Draw a photo and its reasons."""
    import streamlit as st

    left, right = st.columns([3, 2], gap="medium")
    with left:
        for shown in item.pictures:
            show_picture(desk.review, shown)
    with right:
        _show_answer(item)
        if mode() == "reject":
            show_reject(desk, number, item)
            return
        given = _ask(desk, number, item)
        show_what_was_said(desk, item)
        with st.container(horizontal=True, key=f"steps-{number}"):
            st.button(
                "Save the ratings",
                key=f"rate-{number}",
                icon=":material/check:",
                shortcut="A",
                disabled=len(given) < len(SCALES),
                on_click=_rate,
                args=(desk, number, given),
            )
            reject_button(number)
            step_buttons(desk, number, item)


def _show_answer(item: ReasonsItem) -> None:
    import streamlit as st

    place = ", ".join(part for part in (item.city, item.country) if part)
    st.subheader(escape_markdown(place or "No place is named"))
    by = f"Answered by {escape_markdown(item.model)} · " if item.model else ""
    st.caption(f"{by}{escape_markdown(item.id)}")
    show_titled("Reasons", "\n".join(f"• {printable(reason)}" for reason in item.reasons))


def _ask(desk: Desk, number: int, item: ReasonsItem) -> dict[Measure, int]:
    """Draw the three measures; return those that have a value."""
    import streamlit as st

    mine = desk.mine(item)
    given: dict[Measure, int] = {}
    values = list(range(LOWEST, HIGHEST + 1))
    for name, scale in SCALES.items():
        before = getattr(mine, name) - LOWEST if isinstance(mine, Rate) else None
        value = st.radio(
            f"{scale.name}: {scale.question}", values, index=before, horizontal=True, key=f"{name}-{number}"
        )
        if value is not None:
            given[name] = value
        st.caption("1 is the lowest, 5 the highest" if value is None else f"{value}: {scale.values[value - LOWEST]}")
    with st.expander("What the values mean"):
        for scale in SCALES.values():
            words = "\n".join(f"{value}: {meaning}" for value, meaning in enumerate(scale.values, start=LOWEST))
            show_titled(scale.name, words)
    return given


def _rate(desk: Desk, number: int, given: dict[Measure, int]) -> None:
    item = desk.item(number)
    desk.decide(number, lambda at, blind: Rate.model_validate({"item": item.id, "at": at, "blind": blind, **given}))
