import io

import pytest

from geosleuth.indexes.gallery.progress import Progress
from geosleuth.ui import progress_line
from geosleuth.ui.progress_line import ProgressLine, duration, progress_words


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_words_say_how_far_how_fast_and_how_long():
    moment = Progress("encoding", 1234, 4936, skipped=12, rate=56.25, eta_s=65.8)
    assert progress_words(moment) == "encoding 1,234 of 4,936 (25%), 12 left out, 56.2 images/s, 1 min 06 s left"
    assert progress_words(Progress("listing", 40, None)) == "listing 40"
    assert progress_words(Progress("encoding", 8, 8, rate=4.0, eta_s=0.0)) == "encoding 8 of 8 (100%), 4.0 images/s"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (90061, "25 h 01 min"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_terminal_has_one_line_per_phase_that_is_rewritten():
    stream = Terminal()
    with ProgressLine(stream) as line:
        for done in range(3):
            line(Progress("listing", done, None))
        line(Progress("encoding", 1, 2))
    assert stream.getvalue().count("\n") == 2
    listing, encoding, rest = stream.getvalue().split("\n")
    assert listing.split("\r\x1b[K") == ["", "listing ...", "listing 1", "listing 2"]
    assert encoding == "\r\x1b[Kencoding 1 of 2 (50%)"
    assert rest == ""


def test_a_log_has_a_line_every_few_seconds_and_at_the_end_of_a_phase(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with ProgressLine(stream) as line:
        for second in range(12):
            now[0] = float(second)
            line(Progress("encoding", second, 100))
        line(Progress("encoding", 100, 100, rate=9.0))
        line(Progress("encoding", 100, 100, rate=8.9))
    assert stream.getvalue().splitlines() == [
        "encoding 0 of 100 (0%)",
        "encoding 5 of 100 (5%)",
        "encoding 10 of 100 (10%)",
        "encoding 100 of 100 (100%), 9.0 images/s",
    ]


def test_an_interrupt_ends_the_line():
    stream = Terminal()

    def interrupted():
        with ProgressLine(stream) as line:
            line(Progress("encoding", 1, 2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert stream.getvalue().endswith("(50%)\n")
