"""A question that waits its turn, and one that finds the queue full: the page says so, and nothing is lost."""

import functools
import importlib.util
import io
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("streamlit")
pytest.importorskip("langgraph.checkpoint.sqlite")

import streamlit
from streamlit import config
from streamlit.testing.v1 import AppTest

from geosleuth.agent.agent import Agent
from geosleuth.agent.inquiry import Inquiry
from geosleuth.agent.settings import Settings
from geosleuth.agent.toolbox import Finding
from geosleuth.ui.page import server as shared
from geosleuth.ui.page.asking import ask
from geosleuth.ui.page.conversation import POLL_S, WAITING_POLL_S
from geosleuth.ui.page.owner import LOCAL
from geosleuth.ui.page.runs import Run, Runs
from geosleuth.ui.page.server import Server

ROOT = Path(__file__).parents[3]
spec = importlib.util.spec_from_file_location("scenes", ROOT / "tests" / "agent" / "scenes.py")
scenes = sys.modules.setdefault("scenes", importlib.util.module_from_spec(spec))
spec.loader.exec_module(scenes)


@pytest.fixture(autouse=True)
def _on_this_machine():
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


@pytest.fixture
def gate():
    """What a run stands at until the test lets it on, or ends, in whatever way."""
    event = threading.Event()
    yield event
    event.set()


def until_over(run: Run) -> None:
    end = time.monotonic() + 600  # of a starved machine; milliseconds on a free one
    while not run.over:
        assert time.monotonic() < end
        time.sleep(0.01)


def two_questions(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event, most_waiting: int
) -> tuple[Server, list[str], list[Run]]:
    """Ask about two cases of a server that answers one question at a time; the first stands at the gate."""

    def read_text(scene) -> Finding:
        """Read the signs."""
        gate.wait()
        return scenes.read_text(scene)

    settings = Settings(cases_dir=folder)
    start = functools.partial(shared._start, None)
    agent = Agent(settings, tools=scenes.STUBS | {"read_text": read_text}, start=start)
    server = Server(settings, agent, Runs(1, most_waiting=most_waiting))
    server._warm.set()
    monkeypatch.setattr(shared, "_made", lambda *_: server)
    monkeypatch.setattr(sys, "argv", ["chat.py"])
    store = server.store(LOCAL)
    cases, runs = [], []
    for shade in (100, 200):
        file = io.BytesIO()
        Image.new("RGB", (60, 40), (shade, shade, shade)).save(file, "PNG")
        case = store.create("street")
        case = store.add_photo(case.id, file.getvalue(), "street.png")
        runs.append(ask(server, store, case, Inquiry(), said="in Portugal"))
        cases.append(case.id)
    return server, cases, runs


def page_of(case: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "ui" / "chat.py"), default_timeout=300)
    page.query_params["case"] = case
    page.run()
    return page


def test_a_question_too_many_is_told_so_and_is_gone_on_with_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
):
    server, cases, runs = two_questions(tmp_path, monkeypatch, gate, most_waiting=0)
    store = server.store(LOCAL)
    assert runs[1].state == "failed"
    page = page_of(cases[1])
    assert "places in the queue" in page.error[0].value
    assert [turn.said for turn in store.open(cases[1]).turns] == ["in Portugal"]  # the question is kept
    gate.set()
    until_over(runs[0])
    page.button(key="resume_run").click()
    page.run()
    until_over(server.runs.of((LOCAL, cases[1])))
    assert store.answer(store.open(cases[1])).country.code == "PT"
    server.runs.shut_down()


def test_a_page_that_waits_looks_more_rarely_until_its_turn_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
):
    server, cases, runs = two_questions(tmp_path, monkeypatch, gate, most_waiting=5)
    drawn, fragment = [], streamlit.fragment

    def noted(function, *, run_every: float):
        drawn.append(run_every)
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(streamlit, "fragment", noted)
    page = page_of(cases[1])
    assert page.status[0].label == "Waiting, 1 before you"
    assert drawn.pop() == WAITING_POLL_S
    ahead = iter([1, 0])  # it begins between two looks
    monkeypatch.setattr(server.runs, "before", lambda _: next(ahead, 0))
    page.run()
    assert drawn == [WAITING_POLL_S, POLL_S]
    monkeypatch.undo()
    gate.set()
    for run in runs:
        until_over(run)
    server.runs.shut_down()


def test_an_answer_that_comes_while_the_page_is_drawn_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
):
    """Else the page would offer to go on with what is over, and never look again."""
    server, cases, runs = two_questions(tmp_path, monkeypatch, gate, most_waiting=5)

    of = server.runs.of

    def when_all_is_over(key):
        gate.set()
        for run in runs:
            until_over(run)
        return of(key)

    monkeypatch.setattr(server.runs, "of", when_all_is_over)
    page = page_of(cases[1])
    assert [button.key for button in page.button if button.key == "resume_run"] == []
    assert "Portugal" in " ".join(one.value for one in page.markdown)
    server.runs.shut_down()
