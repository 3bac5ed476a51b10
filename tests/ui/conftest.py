"""What the tests of all pages share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from geosleuth.ui.page import page_log


@pytest.fixture(autouse=True)
def _log_of_one_page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page's script begins a log for as long as its process lasts: here, for as long as its test."""
    with contextlib.ExitStack() as begun:
        monkeypatch.setattr(page_log, "_begun", begun)
        yield
