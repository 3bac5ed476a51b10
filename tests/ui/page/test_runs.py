"""Runs in the background: their order, their limit, their end."""

import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geosleuth.agent.localization import TraceStep
from geosleuth.agent.steps import Step
from geosleuth.indexes.errors import InputError
from geosleuth.ui.page.runs import Run, Runs

spec = importlib.util.spec_from_file_location("answers", Path(__file__).parents[1] / "answers.py")
answers = sys.modules.setdefault("answers", importlib.util.module_from_spec(spec))
spec.loader.exec_module(answers)
answer = answers.answer

KEY = ("local", "a" * 32)


def step(number: int) -> Step:
    return Step(TraceStep(step=number, tool="read_text", result="2 lines", seconds=0.1, by="perceive"))


def until(told: Callable[[], object]) -> None:
    """Wait for what another thread does; it takes milliseconds, or seconds where the machine is busy."""
    end = time.monotonic() + 60
    while not told():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def until_over(run: Run) -> Run:
    until(lambda: run.over)
    return run


class Gate:
    """Work that stands still until it is let on, one step at a time."""

    def __init__(self) -> None:
        self.on = threading.Semaphore(0)
        self.closed = False

    def __call__(self) -> Iterator[Step]:
        try:
            for number in (1, 2, 3):
                self.on.acquire()
                yield step(number)
            yield Step(None, localization=answer())
        finally:
            self.closed = True


def test_steps_are_seen_while_the_run_goes_on_and_the_answer_at_its_end():
    runs, gate = Runs(1), Gate()
    run = runs.start(KEY, "first look", gate)
    gate.on.release()
    until(lambda: run.steps)
    assert [one.step for one in run.steps] == [1]
    assert run.state == "working"
    assert run.answer is None
    gate.on.release(2)
    assert until_over(run).state == "answered"
    assert [one.step for one in run.steps] == [1, 2, 3]
    assert run.answer == answer()
    assert runs.of(KEY) is run


def test_what_is_stored_is_there_before_the_run_is_over():
    seen = []

    def ended(run: Run, state: str) -> None:
        seen.append((run.over, state, run.answer is not None))

    gate = Gate()
    gate.on.release(3)
    until_over(Runs(1).start(KEY, "", gate, ended))
    assert seen == [(False, "answered", True)]


def test_who_comes_third_waits_for_two_when_one_works_at_a_time():
    runs, gates = Runs(1), [Gate(), Gate(), Gate()]
    started = [runs.start(("local", str(n)), "", gate) for n, gate in enumerate(gates)]
    until(lambda: started[0].state == "working")
    assert [runs.before(run) for run in started] == [0, 1, 2]
    gates[0].on.release(3)
    until_over(started[0])
    assert runs.before(started[2]) == 1
    for gate in gates[1:]:
        gate.on.release(3)
    assert [until_over(run).state for run in started] == ["answered"] * 3


def test_a_case_has_one_run_at_a_time_and_another_person_s_case_does_not_mind():
    runs, gate, other = Runs(2), Gate(), Gate()
    first = runs.start(KEY, "", gate)
    with pytest.raises(InputError, match="one question at a time per case"):
        runs.start(KEY, "", gate)
    second = runs.start(("somebody else", KEY[1]), "", other)
    assert runs.of(KEY) is first
    assert runs.of(("somebody else", KEY[1])) is second
    for one in (gate, other):
        one.on.release(3)
    until_over(first)
    until_over(second)
    again = Gate()
    again.on.release(3)
    assert until_over(runs.start(KEY, "", again)).state == "answered"


def test_a_stopped_run_ends_after_its_step_and_closes_its_work():
    runs, gate = Runs(1), Gate()
    run = runs.start(KEY, "", gate)
    run.stop()
    gate.on.release()
    assert until_over(run).state == "stopped"
    assert gate.closed or not run.steps  # stopped before it began, or its work was closed
    assert run.answer is None


def test_a_run_that_is_stopped_while_it_waits_never_begins():
    runs, gate, never = Runs(1), Gate(), Gate()
    first = runs.start(("local", "1"), "", gate)
    second = runs.start(("local", "2"), "", never)
    second.stop()
    gate.on.release(3)
    until_over(first)
    assert until_over(second).state == "stopped"
    assert second.steps == []
    assert not never.closed


def test_what_a_person_can_cause_is_told_in_their_words_and_a_failure_inside_without_its_text():
    def wrong() -> Iterator[Step]:
        yield step(1)
        raise InputError("a photo", "a song", "Give a photo.")

    def broken() -> Iterator[Step]:
        yield step(1)
        raise RuntimeError("/home/somebody/secret")

    runs = Runs(1)
    told = until_over(runs.start(("local", "1"), "", wrong))
    assert (told.state, str(told.error)) == ("failed", "Wanted a photo; found a song. Give a photo.")
    hidden = until_over(runs.start(("local", "2"), "", broken))
    assert hidden.state == "failed"
    assert "RuntimeError" in str(hidden.error)
    assert "secret" not in str(hidden.error)


def test_an_answer_that_could_not_be_stored_is_a_failure():
    def full(run: Run, state: str) -> None:
        raise InputError("room on the disk", "none", "Make room.")

    gate = Gate()
    gate.on.release(3)
    run = until_over(Runs(1).start(KEY, "", gate, full))
    assert run.state == "failed"
    assert "room on the disk" in str(run.error)


def test_a_forgotten_run_is_stopped_and_gone():
    runs, gate = Runs(1), Gate()
    run = runs.start(KEY, "", gate)
    runs.forget(KEY)
    gate.on.release()
    assert until_over(run).state == "stopped"
    assert runs.of(KEY) is None


def test_who_comes_when_the_queue_is_full_is_told_so_and_can_come_again():
    runs, gates = Runs(1, most_waiting=2), [Gate() for _ in range(4)]
    started = [runs.start(("local", str(n)), "", gate) for n, gate in enumerate(gates[:3])]
    refused = runs.start(("local", "3"), "", gates[3])
    assert refused.state == "failed"
    assert str(refused.error) == (
        "Wanted one of 2 places in the queue; found 2 questions that wait already. "
        'Press "Go on" in a minute or two: your question and its photos are kept.'
    )
    assert runs.of(("local", "3")) is refused  # the page reads the reason there
    assert [runs.before(run) for run in started] == [0, 1, 2]
    gates[0].on.release(3)
    until_over(started[0])
    again = runs.start(("local", "3"), "", gates[3])
    assert (again.error, runs.before(again)) == (None, 2)
    for gate in gates[1:]:
        gate.on.release(3)
    assert [until_over(run).state for run in [*started, again]] == ["answered"] * 4
    assert not refused.steps


def test_a_run_that_was_stopped_while_it_waited_takes_no_place_in_the_queue():
    runs, gates = Runs(1, most_waiting=1), [Gate() for _ in range(3)]
    first, second = (runs.start(("local", str(n)), "", gates[n]) for n in (0, 1))
    second.stop()
    third = runs.start(("local", "2"), "", gates[2])
    for gate in gates:
        gate.on.release(3)
    assert [until_over(run).state for run in (first, second, third)] == ["answered", "stopped", "answered"]


def test_a_server_that_runs_for_long_does_not_keep_every_answer(monkeypatch):
    monkeypatch.setattr("geosleuth.ui.page.runs.KEPT", 3)
    runs = Runs(1)
    for number in range(8):
        until_over(runs.start(("local", str(number)), "", lambda: iter([Step(None, localization=answer())])))
    kept = [number for number in range(8) if runs.of(("local", str(number))) is not None]
    assert kept == [4, 5, 6, 7]  # three that were over when the last began, and the last
