"""The page without a case: photos in, turned and cropped if need be, and what is known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from geosleuth.agent.cases.case import Case
from geosleuth.agent.dialogue.move import AddHint, Observe, StateSun, Understood, after
from geosleuth.agent.inquiry import Inquiry
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_edit import Edit, edited
from geosleuth.ui.page.asking import ask
from geosleuth.ui.page.cases_sidebar import chosen_language
from geosleuth.ui.page.photos import (
    PHOTO_SUFFIXES,
    VIDEO_SUFFIXES,
    Upload,
    check_count,
    edit_of,
    preview,
    turned_words,
    uploads_of,
)
from geosleuth.ui.page.state import Page, forget_notes, note, open_case, photos_of, show_error
from geosleuth.ui.page.sun_form import sun_form
from geosleuth.ui.page.turns import understand
from geosleuth.ui.view.words import escape_markdown

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_PREPARED = "prepared"  # per file: its photos, or why there are none; a video is taken apart once
_ROUND = "upload_round"  # the uploader's key ends in it: another number empties it
_SUN = "new_sun"
Chosen = tuple[Upload, Edit]


def show_new_case(page: Page) -> None:
    """Draw the uploader, the pictures to turn and crop, what is known already, and the button that asks."""
    import streamlit as st

    st.title("Where was this photo taken?")
    st.markdown(
        "Give one or more photos of **one scene**, or a video of it. Photos stay on this machine unless a model "
        "elsewhere is configured."
    )
    upload_round = st.session_state.setdefault(_ROUND, 0)
    files = st.file_uploader(
        "Photos or a video of one scene",
        type=[*PHOTO_SUFFIXES, *VIDEO_SUFFIXES],
        accept_multiple_files=True,
        key=f"photos_{upload_round}",
    )
    uploads = prepared(files, turn=page.server.settings.turn_photos)
    hashes = [upload.sha256 for upload in uploads]
    chosen = [
        # By what it is, not by its place in the list: where one is taken out, the next must not inherit its turn.
        (upload, _edited(upload, f"{upload_round}_{upload.sha256[:12]}_{hashes[:n].count(upload.sha256)}"))
        for n, upload in enumerate(uploads)
    ]
    hint = st.text_input(
        "What do you know already? (optional)", key=f"hint_{upload_round}", placeholder="in Portugal, not Lisbon ..."
    )
    _sun(chosen)
    # No primary button: in the dark its white words cannot be read on a blue that is a text's colour too.
    if st.button("Find the place", icon=":material/search:", key="find_place", disabled=not chosen):
        try:
            begin_case(page, chosen, hint.strip(), st.session_state.get(_SUN))
        except InputError as error:
            show_error(error)
            return
        st.session_state[_ROUND] += 1
        st.session_state.pop(_SUN, None)
        st.session_state.pop(_PREPARED, None)
        st.rerun()


def prepared(files: Sequence[UploadedFile], *, turn: bool) -> list[Upload]:
    """Return the photos of the files; what is wrong with the others is said, and they are left out.

    With `turn` it is looked which photos lie on their side or head.
    """
    import streamlit as st

    kept = st.session_state.setdefault(_PREPARED, {})
    uploads: list[Upload] = []
    for file in files:
        if file.file_id not in kept:
            try:
                kept[file.file_id] = uploads_of(file.name, file.getvalue(), turn=turn)
            except InputError as error:
                kept[file.file_id] = error
        found = kept[file.file_id]
        if isinstance(found, InputError):
            show_error(found)
        else:
            uploads += cast("list[Upload]", found)
    return uploads


def begin_case(page: Page, chosen: Sequence[Chosen], said: str, sun: Understood | None = None) -> None:
    """Make a case of these photos and ask about them; a photo that cannot be read is told, and the others go on.

    Raises:
        InputError: There are too many photos, or none of them can be read.
    """
    check_count(len(chosen))
    case = page.store.create(chosen[0][0].scene, page.server.settings)
    try:
        case, refused = add_photos(page, case, chosen)
        told = _told(chosen, kept_of(case, chosen), len(refused))
    except InputError:
        page.store.delete(case.id)  # an empty case would only be in the way
        raise
    inquiry, words = Inquiry(language=chosen_language()), [told]
    for understood in (sun, understand(page.server, said, None, photos_of(page, case)) if said else None):
        if understood is not None and isinstance(understood.move, AddHint | Observe | StateSun):
            inquiry = after(inquiry, understood.move)
            words.append(understood.words)
        elif understood is not None:
            words.append(f"Your words were not understood: {understood.words}")
    forget_notes()
    open_case(case.id)
    for error in refused:
        note("", "", error=error)
    ask(page.server, page.store, case, inquiry, said=said, understood=" ".join(words))


def add_photos(page: Page, case: Case, chosen: Sequence[Chosen]) -> tuple[Case, list[InputError]]:
    """Put photos into a case; return it, and what was wrong with those that could not be read.

    Raises:
        InputError: None of them can be read.
    """
    refused: list[InputError] = []
    for upload, edit in chosen:
        try:
            case = page.store.add_photo(case.id, upload.content, upload.name, edit)
        except InputError as error:
            refused.append(error)
    if len(refused) == len(chosen):
        raise refused[0]
    return case, refused


def kept_of(case: Case, chosen: Sequence[Chosen], since: int = 0) -> list[Chosen]:
    """Return what the case has of these; of what it had before, `since` photos, nothing."""
    kept = {photo.sha256: photo.edit for photo in case.photos[since:]}
    return [(upload, edit) for upload, edit in chosen if kept.get(upload.sha256) == edit]


def _told(chosen: Sequence[Chosen], kept: Sequence[Chosen], refused: int) -> str:
    """Say what was handed over, and what was done to it."""
    origins = list(dict.fromkeys(upload.origin for upload, _ in kept if upload.origin))
    count = len(chosen)
    words = f"{count} photos of one scene." if count > 1 else "One photo."
    if refused:
        words = f"{count - refused} of {count} files could be read."
    said = [f"{origin[:1].upper()}{origin[1:]}." for origin in origins]
    return " ".join([words, *said, *turned_words(kept)])


def _edited(upload: Upload, key: str) -> Edit:
    """Draw a picture with what turns and crops it; return the edit."""
    import streamlit as st

    with st.expander(f"Turn or crop {escape_markdown(upload.name)}", key=f"edit_{key}", on_change="rerun") as box:
        turns = (0, 90, 180, 270)
        turn = st.selectbox("Turn clockwise (degrees)", turns, turns.index(upload.turn_deg), key=f"turn_{key}")
        across = st.slider("Left and right edge (% of the width)", 0, 100, (0, 100), key=f"across_{key}")
        down = st.slider("Upper and lower edge (% of the height)", 0, 100, (0, 100), key=f"down_{key}")
        try:
            edit = upload.turned(edit_of(turn, across, down))
            if box.open:  # decoding takes a moment
                picture = preview(upload.content, upload.name, edit)
                st.image(picture, caption="As it will be looked at", alt="The photo, turned and cropped so")
        except InputError as error:
            show_error(error)
            edit = upload.turned(edit_of(turn, (0, 100), (0, 100)))
    for words in turned_words([(upload, edit)]):
        st.info(f"{escape_markdown(words)} If it stood upright, choose 0 there.")
    return edit


def _sun(chosen: Sequence[Chosen]) -> None:
    """Offer the form of time and shadow; what it said is kept until the question is asked."""
    import streamlit as st

    with st.expander("Do you know when it was taken, and is there a shadow?", key="sun_box", on_change="rerun") as box:
        if box.open:
            try:
                photos = [edited(open_photo(one.content, name=one.name), edit) for one, edit in chosen]
                stated = sun_form(photos, key="new_sun_form")
            except InputError as error:
                show_error(error)
                stated = None
            if stated is not None:
                st.session_state[_SUN] = stated
    kept = st.session_state.get(_SUN)
    if kept is not None:
        st.info(escape_markdown(kept.words))
        st.button("Forget the sun", key="forget_sun", on_click=st.session_state.pop, args=(_SUN, None))
