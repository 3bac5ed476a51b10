"""What comes through the line at the bottom: words about the open case, photos for it, or a new case at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geosleuth.agent.cases.case import Case
from geosleuth.agent.dialogue.move import AddHint, Observe, StateSun, after
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.asking import ask
from geosleuth.ui.page.conversation import say
from geosleuth.ui.page.new_case import add_photos, begin_case, kept_of
from geosleuth.ui.page.photos import Upload, check_count, turned_words, uploads_of
from geosleuth.ui.page.state import Page, answer_of, forget_notes, note, photos_of
from geosleuth.ui.page.turns import understand

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


def take(page: Page, case: Case | None, text: str, files: Sequence[UploadedFile]) -> None:
    """Do what was handed in; whatever cannot be done is told in words."""
    forget_notes()
    uploads, refused = _opened(files, turn=page.server.settings.turn_photos)
    try:
        if case is None:
            _new(page, text, uploads, bool(refused))
        elif uploads:
            _more(page, case, text, uploads)
        elif text:
            say(page, case, text)
    except InputError as why:
        refused.append(why)
    for error in refused:
        note("", "", error=error)


def _new(page: Page, text: str, uploads: Sequence[Upload], refused: bool) -> None:
    if uploads:
        begin_case(page, [(upload, upload.edit) for upload in uploads], text)
    elif not refused:
        note(text, "Give a photo first: drop it into this line, or choose it above.")


def _more(page: Page, case: Case, text: str, uploads: Sequence[Upload]) -> None:
    """Add photos of the same scene and ask again; only they are looked at."""
    check_count(len(case.photos) + len(uploads))
    before = len(case.photos)
    chosen = [(upload, upload.edit) for upload in uploads]
    case, refused = add_photos(page, case, chosen)
    added = len(case.photos) - before
    if not added:
        note(text, "The case has these photos already.")
        return
    inquiry = case.inquiry
    words = [
        f"{added} more {'photo' if added == 1 else 'photos'} of the same scene.",
        *turned_words(kept_of(case, chosen, before)),
    ]
    if text:
        understood = understand(page.server, text, answer_of(page, case), photos_of(page, case))
        if isinstance(understood.move, AddHint | Observe | StateSun):
            inquiry = after(inquiry, understood.move)
            words.append(understood.words)
        else:
            note(text, "Words beside photos can only tell of the place; say this again after the answer.")
    ask(page.server, page.store, case, inquiry, said=text or "Here is more of the scene.", understood=" ".join(words))
    for error in refused:
        note("", "", error=error)


def _opened(files: Sequence[UploadedFile], *, turn: bool) -> tuple[list[Upload], list[InputError]]:
    uploads: list[Upload] = []
    refused: list[InputError] = []
    for file in files:
        try:
            uploads += uploads_of(file.name, file.getvalue(), turn=turn)
        except InputError as error:
            refused.append(error)
    return uploads, refused
