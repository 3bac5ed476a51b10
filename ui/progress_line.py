"""Progress on stderr: one line that is rewritten on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.progress import Progress

_LOG_EVERY_S = 5.0  # a build of a day then writes 17,000 lines, and one of a minute still shows that it lives
_CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Draws what a build tells of itself; use it as a context, so that the line is ended whatever happens."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._phase = ""
        self._whole = False
        self._drawn = -_LOG_EVERY_S
        self._open = False  # a line stands on the terminal, without its end

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_line()

    def __call__(self, progress: Progress) -> None:
        """Draw a moment of a build."""
        self.draw(progress.phase, progress_words(progress), whole=progress.done == progress.total)

    def step(self, name: str, done: int) -> None:
        """Draw a moment of a step that does not know how long it is."""
        self.draw(name, f"{name} {done:,}", whole=False)

    def draw(self, phase: str, text: str, *, whole: bool) -> None:
        """Draw a line of text; a new phase begins a new line, and a `whole` one is always shown."""
        now = time.monotonic()
        if self._terminal:
            if phase != self._phase:
                self._end_line()  # the last words on the phase before stay to be read
            self._stream.write(_CLEAR_LINE + text)
            self._open = True
        elif phase != self._phase or (whole and not self._whole) or now - self._drawn >= _LOG_EVERY_S:
            self._stream.write(text + "\n")
            self._drawn = now
        self._phase, self._whole = phase, whole
        self._stream.flush()

    def _end_line(self) -> None:
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False


def progress_words(progress: Progress) -> str:
    """Say how far a build is, how fast it goes, and how long it will take."""
    if not progress.done and progress.total is None:
        return f"{progress.phase} ..."
    parts = [f"{progress.phase} {progress.done:,}"]
    if progress.total:
        parts[0] += f" of {progress.total:,} ({progress.done / progress.total:.0%})"
    if progress.skipped:
        parts.append(f"{progress.skipped:,} left out")  # some of them are in the index already
    if progress.rate is not None:
        parts.append(f"{progress.rate:,.1f} images/s")
    if progress.eta_s is not None and progress.done != progress.total:
        parts.append(f"{duration(progress.eta_s)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Write a duration in its two largest units: "1 h 05 min", "2 min 09 s", "7 s"."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes_left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
