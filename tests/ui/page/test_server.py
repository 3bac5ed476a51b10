"""What the page's server logs of its warm-up."""

import gc

import pytest

from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Settings
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.runs import Runs
from geosleuth.ui.page.server import Server


def test_a_warm_up_that_fails_is_told_with_what_to_do_and_none_of_the_errors_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none_there() -> None:
        raise InputError("an index", "none at /home/witness-house", "Build it.")

    monkeypatch.setattr("geosleuth.ui.demo_scene.draw_scene", none_there)
    settings = Settings()
    server = Server(settings, Agent(settings), Runs())
    server.warm_up()
    try:
        assert server.warm  # nobody waits for it any more
        assert gc.get_freeze_count() > 0  # what is loaded by now is not looked through after each run of a page
    finally:
        gc.unfreeze()
    assert caplog.messages == ["The warm-up failed (InputError): `geosleuth doctor`, or the first photo, says why"]
