"""Keep transformers from talking to the terminal while it loads: what goes wrong is said by our own errors."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from geosleuth.tools.vlm.model_folder import import_vlm

# What is switched belongs to the whole process: two that load at once would put back each other's silence.
_switching = threading.RLock()


@contextmanager
def without_progress() -> Iterator[None]:
    """No progress bars: they end up in logs and in the standard error of whoever pipes the answer."""
    logs = import_vlm("transformers").utils.logging
    with _switching:
        if not logs.is_progress_bar_enabled():
            yield
            return
        _switch(logs.disable_progress_bar)
        try:
            yield
        finally:
            _switch(logs.enable_progress_bar)


@contextmanager
def quiet() -> Iterator[None]:
    """Neither progress bars nor warnings nor log messages."""
    logs = import_vlm("transformers").utils.logging
    with _switching:
        before = logs.get_verbosity()
        logs.set_verbosity(logging.CRITICAL)
        try:
            with warnings.catch_warnings(), without_progress():
                warnings.simplefilter("ignore")
                yield
        finally:
            logs.set_verbosity(before)


def _switch(change: Callable[[], None]) -> None:
    """Where HF_HUB_DISABLE_PROGRESS_BARS is set, the hub warns that it goes before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change()
