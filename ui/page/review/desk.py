"""A reviewer's desk: the item that lies on it, what is next, and how a decision gets to the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.review.assignment import to_decide
from geosleuth.training.review.decision import Decision, Line, Undo, what_it_says
from geosleuth.training.review.decisions_file import append
from geosleuth.training.review.folder import ITEMS, Review, check_reviewer, open_review
from geosleuth.training.review.item import Item
from geosleuth.training.review.standing import Standing, standing

# Names in the session's state: the item on the desk, what this reviewer had said of it when it was laid there, the item
# that was there before, all of those, what was skipped, what is being done, what is to be told.
_ITEM, _THEN, _AFTER, _BEFORE, _SKIPPED = "item", "then", "after", "before", "skipped"
_MODE, _NOTE = "mode", "note"


_writing = threading.Lock()


@dataclass(frozen=True)
class Desk:
    """What one look at the page works with: the decisions are those on the disk at its beginning."""

    review: Review
    reviewer: str
    said: Standing

    @property
    def asked(self) -> list[int]:
        """Numbers of the items that are still to be decided by this reviewer."""
        return to_decide(self.review, self.reviewer, self.said)

    def current(self) -> int | None:
        """Return the number of the item on the desk; None at the end."""
        import streamlit as st

        state = st.session_state
        if _ITEM not in state:
            state[_ITEM] = self._next(state.get(_AFTER, -1))
        number: int | None = state[_ITEM]
        if _THEN not in state:
            state[_THEN] = None if number is None else self.mine(self.item(number))
        return number

    def item(self, number: int) -> Item:
        """Return an item."""
        return self.review.items[number]

    def mine(self, item: Item) -> Decision | None:
        """Return what this reviewer decided."""
        return self.said.mine(self.reviewer).get(item.id)

    def decide(self, number: int, said: Callable[[datetime, bool], Line]) -> None:
        """Keep a decision, and go on once it is on the disk.

        Two quick clicks are one decision: Streamlit begins with the second while the first is being written, and ends
        the first wherever it next asks something of Streamlit. What is on the disk tells the second that it came late.

        Args:
            number: Of the item that was on the page.
            said: Makes the decision of its time, and of whether it is blind.
        """
        import streamlit as st

        item = self.item(number)
        with _writing:
            if st.session_state.get(_ITEM) != number:
                return
            then = st.session_state.get(_THEN)
            try:
                fresh = standing(self.review)  # another tab, or another reviewer, may have written meanwhile
                now = fresh.mine(self.reviewer).get(item.id)
                line = said(datetime.now(UTC), fresh.is_blind(self.reviewer, item.id))
                late = now != then and (isinstance(line, Undo) or (now and what_it_says(now) == what_it_says(line)))
                if not late:
                    append(self.review, self.reviewer, line)
            except InputError as error:
                tell(error)
                return
            if isinstance(line, Undo):
                self.look_at(number)
                return
            if now != then and not late:
                tell("You had decided this item in another tab since; what you said here counts now. Both are kept.")
            self.go_on()

    def go_on(self) -> None:
        """Lay the next item on the desk; at the end of the review, those that were skipped come again."""
        import streamlit as st

        here = st.session_state.pop(_ITEM, None)  # which is next, the next look at the page finds out from the disk
        if here is not None:
            st.session_state.setdefault(_BEFORE, []).append(here)
            st.session_state[_AFTER] = here
        _begin()

    def skip(self) -> None:
        """Go on without a decision."""
        import streamlit as st

        here = st.session_state.get(_ITEM)
        if here is not None:
            st.session_state.setdefault(_SKIPPED, set()).add(here)
        self.go_on()

    def go_back(self) -> None:
        """Lay the item before on the desk again; in a new tab, the last that was decided."""
        import streamlit as st

        before = st.session_state.setdefault(_BEFORE, [])
        st.session_state[_ITEM] = before.pop() if before else self._last()
        _begin()

    def can_go_back(self) -> bool:
        """Whether there is an item before."""
        import streamlit as st

        return bool(st.session_state.get(_BEFORE)) or self._last() not in (None, st.session_state.get(_ITEM))

    def look_at(self, number: int) -> None:
        """Lay a certain item on the desk."""
        import streamlit as st

        here = st.session_state.get(_ITEM)
        if here not in (None, number):
            st.session_state.setdefault(_BEFORE, []).append(here)
        st.session_state[_ITEM] = number
        _begin()

    def _next(self, here: int) -> int | None:
        """Return the next item to decide after `here`: first what was never skipped, then what was."""
        import streamlit as st

        skipped = st.session_state.get(_SKIPPED, set())
        asked = [number for number in self.asked if number != here]
        fresh = [number for number in asked if number not in skipped]
        if not fresh and asked:
            st.session_state[_SKIPPED] = set()
            fresh = asked
        if not fresh:  # perhaps the one that was just skipped is all that is left
            return here if here in self.asked else None
        return next((number for number in fresh if number > here), fresh[0])

    def _last(self) -> int | None:
        mine = self.said.mine(self.reviewer)
        if not mine:
            return None
        return self.review.numbers[max(mine.values(), key=lambda decision: decision.at).item]


def open_desk(folder: Path, reviewer: str, root: Path | None) -> Desk:
    """Open a reviewer's desk.

    Raises:
        InputError: The folder, the name or a file of decisions is wrong.
    """
    check_reviewer(reviewer)
    try:
        changed = (folder / ITEMS).stat().st_mtime_ns
    except OSError:
        changed = 0  # opening it says what is missing
    review = _opened(folder, root, changed)
    review.file_of(reviewer)
    return Desk(review, reviewer, standing(review))


@lru_cache(maxsize=2)  # ten thousand items take a second to read, and the page is drawn anew at each click
def _opened(folder: Path, root: Path | None, _changed_ns: int) -> Review:
    return open_review(folder, root)


def _begin() -> None:
    """Another item is on the desk: nothing is being done with it yet."""
    import streamlit as st

    st.session_state.pop(_THEN, None)
    st.session_state[_MODE] = None


def mode() -> str | None:
    """Return what is being done with the item: "edit", "reject", or None, looking at it."""
    import streamlit as st

    current: str | None = st.session_state.get(_MODE)
    return current


def set_mode(name: str | None) -> None:
    """Begin to edit or to reject, or leave that."""
    import streamlit as st

    st.session_state[_MODE] = name


def tell(what: str | InputError) -> None:
    """Tell something on the next look at the page, once."""
    import streamlit as st

    st.session_state[_NOTE] = what


def told() -> str | InputError | None:
    """Return what is to be told."""
    import streamlit as st

    note: str | InputError | None = st.session_state.pop(_NOTE, None)
    return note
