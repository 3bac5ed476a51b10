"""The review's page as a whole: how far it is, the item on the desk, or the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.review.desk import Desk, open_desk, told

_USE = "Start it with `geosleuth curate review FOLDER --reviewer NAME`."


class Arguments(NamedTuple):
    """What the page is told behind "--"."""

    folder: Path
    reviewer: str
    root: Path | None


def show_page() -> None:
    """Draw the page; Streamlit calls this anew for every click."""
    import streamlit as st

    from geosleuth.ui.page.state import show_error

    # No page_icon: those of Streamlit would be fetched from an outside host.
    st.set_page_config(page_title="geosleuth review", layout="wide")
    try:
        _check_address()
        given = script_arguments(sys.argv[1:])
        desk = open_desk(given.folder, given.reviewer, given.root)
    except InputError as error:
        st.title("Review")
        show_error(error)
        return
    _show_desk(desk)


def script_arguments(arguments: Sequence[str]) -> Arguments:
    """Read what follows "--"; what else stands there is not ours.

    Raises:
        InputError: Something is missing.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--reviewer")
    parser.add_argument("--root", type=Path)
    try:
        given, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise InputError("the review's arguments", str(error), _USE) from error
    if given.folder is None or given.reviewer is None:
        raise InputError("a review folder and a reviewer", "none", _USE)
    return Arguments(given.folder, given.reviewer, given.root)


def _check_address() -> None:
    """Whoever opens the page decides in the reviewer's name: nobody but this machine may.

    Raises:
        InputError: Others could reach it.
    """
    import streamlit as st

    from geosleuth.ui.page.owner import is_loopback

    address = st.get_option("server.address")
    if not is_loopback(address):
        found = f"one bound to {address or 'every address'}"
        raise InputError("a review that only this machine reaches", found, _USE)


def _show_desk(desk: Desk) -> None:
    import streamlit as st

    from geosleuth.training.review.item import PairItem
    from geosleuth.ui.page.review.end import show_end
    from geosleuth.ui.page.review.pair import show_pair
    from geosleuth.ui.page.review.rating import show_reasons

    number = desk.current()
    _show_progress(desk, number)
    _show_note()
    if number is None:
        show_end(desk)
        return
    item = desk.item(number)
    with st.container(key=f"item-{number}"):
        if isinstance(item, PairItem):
            show_pair(desk, number, item)
        else:
            show_reasons(desk, number, item)


def _show_progress(desk: Desk, number: int | None) -> None:
    import streamlit as st

    from geosleuth.training.review.outcome import NEEDED
    from geosleuth.ui.view.words import escape_markdown

    items = desk.review.items
    mine = len(desk.said.mine(desk.reviewer))
    both = sum(len(desk.said.of_item(item.id)) >= NEEDED for item in items)
    st.title("Review" if number is None else f"Item {number + 1} of {len(items)}")
    who = escape_markdown(desk.reviewer)
    words = f"Reviewer {who}: {mine} decided, {len(desk.asked)} left. By two reviewers: {both} of {len(items)}"
    st.progress(mine / max(1, mine + len(desk.asked)), text=words)


def _show_note() -> None:
    import streamlit as st

    from geosleuth.ui.page.state import show_error

    note = told()
    if isinstance(note, InputError):
        show_error(note)
    elif note is not None:
        st.info(note)
