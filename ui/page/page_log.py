"""The log of a page that no command of ours has started: `streamlit run ui/chat.py`, or another page's script."""

from __future__ import annotations

import contextlib
import logging
import threading

from geosleuth.ui.shell import logs_to_stderr

_begun = contextlib.ExitStack()  # never closed: the page lasts as long as its process
_lock = threading.Lock()


def begin_log() -> None:
    """Log as `geosleuth chat` does, unless a log of ours is there; Streamlit's script calls this anew for every click.

    Else Python and Streamlit would write faults with their words, which may quote a photo's name, a sign or a place.
    """
    with _lock:  # two browsers may come at once
        # Not `hasHandlers`, which sees the root logger too: there any library may log, with all words.
        if not logging.getLogger("geosleuth").handlers:
            _begun.enter_context(logs_to_stderr(verbose=False))
