"""A tool that hangs ends in an answer without it, which says so, in `localize` and in the chat."""

from __future__ import annotations

import importlib.util
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from geosleuth.agent import patience, tool_run
from geosleuth.agent.agent import Agent
from geosleuth.agent.settings import Settings
from geosleuth.agent.state import PendingCall
from geosleuth.agent.toolbox import Finding

_path = Path(__file__).resolve().parents[1] / "agent" / "scenes.py"
_spec = importlib.util.spec_from_file_location("scenes_of_hanging_tools", _path)
scenes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scenes)
PICTURE, OTHER = scenes.PICTURE, scenes.PICTURE // 2

LONG = 60.0  # s, never waited out
NOTE = (
    "The tool locatability did not take part: HangingToolError: Wanted a result of the tool within 0 s; found it still "
    "at work. Ask again; where it is only slow, as when weights are fetched, raise max_seconds."
)
NOT_AGAIN = (
    "The tool locatability did not take part: HangingToolError: Wanted a tool that answers; found that it hung over "
    "photo 1 of this scene. Ask again to have it tried once more."
)


@pytest.fixture
def begun():
    """Set by the tool that hangs."""
    return threading.Event()


@pytest.fixture
def hanging(monkeypatch, begun):
    """Tools of which `locatability` hangs before a lock, where nothing reaches it, and how often it was called."""
    lock, calls, awaited = threading.Lock(), [], patience._await

    def hangs(scene):
        """Wait for ever, or, should nobody give it up, until this test fails."""
        calls.append(scene.photo.sha256)
        begun.set()
        lock.acquire(timeout=LONG)
        return Finding("it came back")

    def soon(seconds, work, name):
        assert seconds == 1200
        return patience.within(0.05 if name == "tool-locatability" else LONG, work, name)

    def once_begun(future, seconds):
        """Let no time run out before the tool hangs, however slowly a busy machine starts its thread."""
        if seconds < LONG:
            assert begun.wait(LONG)
            begun.clear()  # for the next turn
        awaited(future, seconds)

    monkeypatch.setattr(tool_run, "within", soon)
    monkeypatch.setattr(patience, "_await", once_begun)
    monkeypatch.setattr(patience, "_GRACE_S", 0.0)
    with lock:
        yield {**scenes.STUBS, "locatability": hangs}, calls


def failures(answer):
    return [(step.photo, step.tool, step.failure.error) for step in answer.trace if step.failure is not None]


def test_localize_answers_without_a_tool_that_hangs(hanging):
    tools, _ = hanging
    answer = Agent(Settings(), tools=tools).localize(PICTURE)
    assert failures(answer) == [(0, "locatability", "HangingToolError")]
    assert answer.trace[2].note == "did not take part"
    assert NOTE in answer.notes
    assert answer.trace[3].ok  # the run went on
    assert answer.country.code == "PT"


def test_the_time_of_a_tool_that_hangs_is_not_taken_from_the_others(monkeypatch):
    run = SimpleNamespace(settings=Settings(), visit_started=100.0)
    tool = SimpleNamespace(name="locatability", run=lambda *_: Finding(""))

    def given_up(*_):
        time.sleep(0.05)
        raise patience.HangingToolError("a result", "none", "Ask again.")

    monkeypatch.setattr(tool_run, "_scene", lambda *_: None)
    monkeypatch.setattr(tool_run, "within", given_up)
    tool_run.run_tool(run, {}, tool, PendingCall(name="locatability"), 1)
    assert run.visit_started >= 100.05  # the photo's clock stood still
    stood = run.visit_started
    monkeypatch.setattr(tool_run, "within", lambda *_: Finding("here"))
    tool_run.run_tool(run, {}, tool, PendingCall(name="locatability"), 2)
    assert run.visit_started == stood  # that of a tool which answers is counted


def test_the_chat_answers_without_a_tool_that_hangs(hanging):
    pytest.importorskip("streamlit")
    from geosleuth.ui.page.runs import Runs

    tools, _ = hanging
    session = Agent(Settings(), tools=tools).session(PICTURE)
    ended = threading.Event()
    runs = Runs(at_once=1)
    run = runs.start(("", "a case"), "where is it?", session.ask, lambda *_: ended.set())
    assert ended.wait(LONG)
    runs.shut_down()
    assert run.state == "answered"
    assert NOTE in run.answer.notes
    assert run.answer.country.code == "PT"


def test_metadata_that_hangs_does_not_end_the_run(hanging, monkeypatch):
    tools, _ = hanging
    hangs = tools["locatability"]
    monkeypatch.setattr(tool_run, "within", lambda _, work, name: patience.within(at(name), work, name))

    def at(name):
        return 0.05 if name == "tool-metadata" else LONG

    answer = Agent(Settings(), tools={**scenes.STUBS, "metadata": hangs}).localize(PICTURE)
    assert failures(answer) == [(0, "metadata", "HangingToolError")]
    assert answer.country.code == "PT"


def test_a_tool_that_hung_over_one_photo_of_a_scene_is_not_waited_for_again_in_this_turn(hanging):
    tools, calls = hanging
    session = Agent(Settings(), tools=tools).session([PICTURE, OTHER])
    *_, last = session.ask()
    assert failures(last.localization) == [(n, "locatability", "HangingToolError") for n in (0, 1)]
    assert len(calls) == 1
    assert {NOTE, NOT_AGAIN} <= set(last.localization.notes)
    session.add(PICTURE // 3)
    *_, _ = session.ask()
    assert len(calls) == 2  # the next turn tries again


@pytest.mark.parametrize("stopped_by", ["the button", "the end of the server"])
def test_a_stop_does_not_wait_for_a_tool_that_hangs_and_the_case_can_be_gone_on_with(
    hanging, begun, monkeypatch, stopped_by
):
    pytest.importorskip("streamlit")
    from geosleuth.ui.page.runs import Runs

    tools, calls = hanging
    monkeypatch.setattr(tool_run, "within", lambda _, work, name: patience.within(LONG, work, name))
    monkeypatch.setattr(patience, "_STOPPED_S", 0.0)
    ended = threading.Event()
    session = Agent(Settings(), tools=tools).session(PICTURE)
    runs = Runs(at_once=1)
    run = runs.start(("", "a case"), "where is it?", session.ask, lambda *_: ended.set())
    assert begun.wait(LONG)
    if stopped_by == "the button":
        run.stop()
        assert ended.wait(LONG)
    runs.shut_down()
    assert (run.state, run.error, run.answer) == ("stopped", None, None)
    assert [step.tool for step in run.steps] == ["metadata", "read_text"]  # had it been waited for, it would be here
    assert len(calls) == 1
    assert session.interrupted
