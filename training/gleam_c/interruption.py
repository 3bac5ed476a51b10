"""Ctrl-C during training: the step in hand is finished and kept before the run ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interruption:
    """Whether somebody asked the run to end."""

    asked: bool = False


@contextlib.contextmanager
def interruption() -> Iterator[Interruption]:
    """Note the first Ctrl-C, or the TERM of a scheduler; a second Ctrl-C ends at once."""
    found = Interruption()
    if threading.current_thread() is not threading.main_thread():  # signals belong to the main thread
        yield found
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(_number: int, _frame: FrameType | None) -> None:
        found.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
