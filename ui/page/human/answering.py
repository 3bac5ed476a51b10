"""A photo, and what is asked about it: where, how sure, by which clues."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from PIL import Image

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.training.evaluate.human.answer import CLUES, SURE, Answer, Clue, in_words
from geosleuth.training.evaluate.human.reading import Reading, at_point, readings
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.ui.page.human.desk import Desk
from geosleuth.ui.page.human.map import click_map, forget_click, picked
from geosleuth.ui.view.picture import reduced
from geosleuth.ui.view.words import escape_markdown

logger = logging.getLogger(__name__)

_EXAMPLES = "Lyon, France; Peru; Springfield, Illinois; 45.76, 4.84"


def show_photo_and_form(desk: Desk, photo: LabelledPhoto) -> None:
    """Draw a photo, and beside it the form. Neither its name nor its metadata is shown: they may tell."""
    import streamlit as st

    try:
        picture, sha256 = _picture(photo.path, photo.path.stat().st_mtime_ns)
    except (InputError, OSError) as error:  # whose words name the file
        logger.warning("Photo %d cannot be shown: %s", desk.number(photo), type(error).__name__)
        logger.info("It is %s: %s", photo.path, error)
        st.error("This photo cannot be read. The terminal names its file with --verbose.")
        st.button("Skip", key=f"skip-{desk.number(photo)}", on_click=desk.skip, args=(photo,))
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.image(picture, width="stretch", output_format="JPEG", alt="The photo")
    with right:
        _show_form(desk, photo, sha256)


@lru_cache(maxsize=8)  # a page is drawn anew at each click, and decoding 12 MP takes 0.2 s
def _picture(path: Path, _changed_ns: int) -> tuple[Image.Image, str]:
    photo = open_photo(path)
    return reduced(photo)[0], photo.sha256


def _show_form(desk: Desk, photo: LabelledPhoto, sha256: str) -> None:
    import streamlit as st

    n = desk.number(photo)
    before = desk.said(photo)
    if before is not None:
        st.info(escape_markdown(f"You said: {in_words(before)}. A new answer takes its place."))
    place = _ask_where(n)
    sure = st.radio(
        "How sure are you of the country?", list(SURE), index=None, format_func=SURE.__getitem__, key=f"sure-{n}"
    )
    with st.container():  # right in a column, Streamlit would set them on one line that is scrolled sideways
        clues = st.pills(
            "What did you go by?", list(CLUES), selection_mode="multi", format_func=CLUES.__getitem__, key=f"clues-{n}"
        )
    whole = place is not None and sure is not None and bool(clues)
    with st.container(horizontal=True):
        st.button(
            "Save the answer",
            key=f"save-{n}",
            type="primary",
            disabled=not whole,
            on_click=_keep,
            args=(desk, photo, sha256, place, sure, tuple(clues)),
        )
        st.button("I cannot tell", key=f"nothing-{n}", on_click=_keep, args=(desk, photo, sha256, None, None, ()))
        st.button("Skip for now", key=f"skip-{n}", on_click=desk.skip, args=(photo,))
    if not whole:
        st.caption("An answer needs a place, how sure you are, and at least one clue.")


def _ask_where(n: int) -> Reading | None:
    """Ask for a place in words or on the map; what was said last counts."""
    import streamlit as st

    words = st.text_input(
        "Where was it taken?", key=f"words-{n}", placeholder=_EXAMPLES, on_change=forget_click, args=(n,)
    )
    click = picked(n)
    found = [at_point(*click.point, "map")] if click else readings(words)
    if words and not found:
        st.warning("No place, country or coordinates are known by these words.")
    # By the words: other words have other meanings, of which the first is chosen again.
    place = _which(found, key=f"which-{n}-{words}")
    click_map(n, place.point if place else None)
    if place is not None:
        st.text(f"Your answer: {place.words}")
    return place


def _which(found: Sequence[Reading], key: str) -> Reading | None:
    import streamlit as st

    if len(found) < 2:
        return found[0] if found else None
    number = st.selectbox("Which one?", range(len(found)), format_func=lambda i: found[i].words, key=key)
    return found[number]


def _keep(
    desk: Desk,
    photo: LabelledPhoto,
    sha256: str,
    place: Reading | None,
    sure: float | None,
    clues: tuple[Clue, ...],
) -> None:
    """Keep what the form held; without a place, that the person cannot tell."""

    def made(at: datetime, seconds: float) -> Answer:
        return Answer(
            data=desk.data,
            person=desk.person,
            file=photo.file,
            photo=sha256,
            at=at,
            seconds=round(seconds, 1),
            given=place.given if place else "nothing",
            point=place.point if place else None,
            country=place.country if place else None,
            city=place.city if place else None,
            sure=sure,
            clues=clues,
        )

    desk.keep(photo, made)
