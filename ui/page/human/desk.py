"""One person's desk: the photo that lies on it, what is next, and how an answer gets to the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.evaluate.human.answer import Answer
from geosleuth.training.evaluate.human.answer_file import Answers, add, check_data, read_answers
from geosleuth.training.evaluate.human.asked import check_person, in_order, left
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.ui.page.human.told import Told

logger = logging.getLogger(__name__)

# Names in the session's state: the photo on the desk, what the person had said of it when it was laid there, when that
# was, what was skipped, what is to be told.
_FILE, _THEN, _BEGAN, _SKIPPED, _NOTE = "file", "then", "began", "skipped", "note"
_writing = threading.Lock()
Make = Callable[[datetime, float], Answer]


@dataclass(frozen=True)
class Desk:
    """What one look at the page works with: the answers are those on the disk at its beginning."""

    data: str
    photos: tuple[LabelledPhoto, ...]  # in the person's order
    person: str
    out: Path
    answers: Answers

    @property
    def done(self) -> int:
        """How many of the photos the person has answered."""
        return sum((self.person, photo.file) in self.answers.last for photo in self.photos)

    def said(self, photo: LabelledPhoto) -> Answer | None:
        """Return what the person said of a photo."""
        return self.answers.last.get((self.person, photo.file))

    def number(self, photo: LabelledPhoto) -> int:
        """Return a photo's place in the person's order."""
        return self.photos.index(photo)

    def current(self) -> LabelledPhoto | None:
        """Return the photo on the desk; None when nothing is left but what was skipped."""
        import streamlit as st

        state = st.session_state
        photo = next((one for one in self.photos if one.file == state.get(_FILE)), None)
        if photo is None:
            skipped = state.get(_SKIPPED, set())
            waiting = left(self.photos, self.person, self.answers)
            photo = next((one for one in waiting if one.file not in skipped), None)
            if photo is not None:
                self.lay(photo)
        return photo

    def lay(self, photo: LabelledPhoto) -> None:
        """Lay a photo on the desk: its time begins."""
        import streamlit as st

        st.session_state[_FILE] = photo.file
        st.session_state[_THEN] = _said(self.said(photo))
        st.session_state[_BEGAN] = time.monotonic()

    def keep(self, photo: LabelledPhoto, make: Make) -> None:
        """Keep an answer, and go on once it is on the disk.

        Two quick clicks are one answer: Streamlit begins with the second while the first is being written, and may end
        the first after that. What is on the disk tells the second that it came late.

        Args:
            photo: That was on the page.
            make: Makes the answer of its time and of the seconds that it took.
        """
        import streamlit as st

        with _writing:
            if st.session_state.get(_FILE) != photo.file:
                return
            try:
                now = read_answers(self.out).last.get((self.person, photo.file))
                answer = make(datetime.now(UTC), time.monotonic() - st.session_state[_BEGAN])
                changed = _said(now) != st.session_state[_THEN]
                late = changed and _said(now) == _said(answer)
                if not late:
                    add(self.out, answer)
            except InputError as error:
                tell(error)
                return
            if changed and not late:
                tell("You had answered this photo in another tab since; what you said here counts now.")
            _clear()

    def skip(self, photo: LabelledPhoto) -> None:
        """Go on without an answer."""
        import streamlit as st

        st.session_state.setdefault(_SKIPPED, set()).add(photo.file)
        _clear()

    def bring_back(self) -> None:
        """Ask again about what was skipped."""
        import streamlit as st

        st.session_state[_SKIPPED] = set()

    @property
    def last(self) -> LabelledPhoto | None:
        """The photo that the person answered last."""
        mine = [answer for answer in self.answers.lines if answer.person == self.person]
        files = {photo.file: photo for photo in self.photos}
        return next((files[answer.file] for answer in reversed(mine) if answer.file in files), None)


def open_desk(told: Told, person: str) -> Desk:
    """Open a person's desk.

    Raises:
        InputError: The data set, the name or the file of answers is wrong.
    """
    data, photos = photos_of(told)
    answers = read_answers(told.out)
    check_data(answers, told.out, data)
    check_person(person, answers)
    return Desk(data, tuple(in_order(photos, person)), person, told.out, answers)


@lru_cache(maxsize=2)  # the page is drawn anew at each click
def photos_of(told: Told) -> tuple[str, tuple[LabelledPhoto, ...]]:
    """Return the data set's name and photos.

    Raises:
        InputError: It cannot be opened, or holds none.
    """
    from geosleuth.training.evaluate.data_sets.by_name import open_labelled

    opened = open_labelled(told.data, told.root, labels=told.labels, limit=told.limit)
    if not opened.photos:
        raise InputError("photos to ask about", f"none in {told.data} at {told.root}", "Check --data and --root.")
    if opened.skipped:
        logger.warning("%d photos of %s were left out when it was opened", len(opened.skipped), opened.name)
    return opened.name, tuple(opened.photos)


def tell(what: str | InputError) -> None:
    """Tell something on the next look at the page, once."""
    import streamlit as st

    st.session_state[_NOTE] = what


def told_note() -> str | InputError | None:
    """Return what is to be told."""
    import streamlit as st

    note: str | InputError | None = st.session_state.pop(_NOTE, None)
    return note


def _clear() -> None:
    import streamlit as st

    for name in (_FILE, _THEN, _BEGAN):
        st.session_state.pop(name, None)


def _said(answer: Answer | None) -> dict[str, object] | None:
    """Return an answer without when and how long: two are the same if this is."""
    return None if answer is None else answer.model_dump(mode="json", exclude={"at", "seconds"})
