"""The log of a page that no command of ours has started."""

import contextlib
import io
import logging

import pytest

from geosleuth.ui.page import page_log

WORDS = "witness-house.jpg says FARMACIA"  # not in the line that raises them, which a trace quotes


def test_a_librarys_log_is_no_reason_to_begin_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, root = logging.getLogger("geosleuth"), logging.getLogger()
    librarys = logging.StreamHandler(io.StringIO())  # as `logging.basicConfig` leaves one
    said = io.StringIO()
    with contextlib.ExitStack() as begun, contextlib.redirect_stderr(said):
        monkeypatch.setattr(page_log, "_begun", begun)
        monkeypatch.setattr(ours, "handlers", [])
        root.addHandler(librarys)
        begun.callback(root.removeHandler, librarys)
        page_log.begin_log()
        page_log.begin_log()  # the next click
        try:
            raise ValueError(WORDS)
        except ValueError as error:
            logging.getLogger("geosleuth.ui.page.runs").error("a run failed", exc_info=error)
    for log in (said.getvalue(), librarys.stream.getvalue()):
        assert log.count("a run failed\n") == 1
        assert "ValueError (--verbose has its words)" in log
        assert WORDS not in log
