import gc
import signal
import subprocess
import sys
import threading
import time
import traceback
import weakref
from concurrent.futures import Future
from contextvars import ContextVar, copy_context

import pytest

from geosleuth.agent import patience
from geosleuth.agent.patience import PATIENCE, HangingToolError, StoppedError, heeding, patience_s, within

LONG = 60.0  # s, never waited out


@pytest.fixture
def begun(monkeypatch):
    """Set by the work: before that no time runs out, however slowly a busy machine starts its thread."""
    event, awaited = threading.Event(), patience._await

    def once_begun(future, seconds):
        assert event.wait(LONG)
        awaited(future, seconds)

    monkeypatch.setattr(patience, "_await", once_begun)
    return event


def test_what_is_done_in_time_is_returned_and_its_thread_is_another():
    here = threading.get_ident()
    name, ident = within(LONG, lambda: (threading.current_thread().name, threading.get_ident()), "tool-metadata")
    assert name == "tool-metadata"
    assert ident != here


def test_the_callers_context_is_seen():
    asked = ContextVar("asked", default="nobody")
    asked.set("the caller")
    assert within(LONG, asked.get, "tool") == "the caller"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_what_is_raised_comes_through_with_its_trace(error):
    def broken():
        raise error("the model file is gone")

    with pytest.raises(error, match="the model file is gone") as raised:
        within(LONG, broken, "tool")
    assert traceback.extract_tb(raised.value.__traceback__)[-1].name == "broken"


def test_a_failure_keeps_nothing_in_memory():
    class Photo:
        pass

    def fail():
        photo = Photo()
        photos.append(weakref.ref(photo))
        raise OSError(str(photo))

    photos = []
    gc.disable()  # it would free a cycle, some time later
    try:
        with pytest.raises(OSError, match="Photo"):
            within(LONG, fail, "tool")
        for thread in threading.enumerate():
            if thread.name == "tool":
                thread.join(LONG)
        assert photos[0]() is None
    finally:
        gc.enable()


def test_what_hangs_is_given_up_and_ended_where_it_can_be(begun):
    ended, caught = threading.Event(), []

    def hang():
        try:
            begun.set()
            for _ in range(3000):  # half a minute, should nobody end it
                time.sleep(0.01)
        except Exception:  # noqa: BLE001  as tools do
            caught.append("the end")
        finally:
            ended.set()

    with pytest.raises(HangingToolError) as raised:
        within(0.05, hang, "tool")
    assert ended.wait(LONG)
    assert not caught
    assert str(raised.value) == (
        "Wanted a result of the tool within 0 s; found it still at work. "
        "Ask again; where it is only slow, as when weights are fetched, raise max_seconds."
    )


def test_what_swallows_its_end_is_ended_again(monkeypatch, begun):
    monkeypatch.setattr(patience, "_HEARD_S", 0.5)  # between two ends: for the next try to begin
    ends = []

    def swallow():
        for _ in range(3):
            try:
                begun.set()
                for _ in range(1000):  # ten seconds, should nobody end it
                    time.sleep(0.01)
                ends.append("by itself")
            except BaseException as error:  # noqa: BLE001  as a library may
                ends.append(type(error).__name__)

    with pytest.raises(HangingToolError):
        within(0.05, swallow, "tool")
    assert ends == ["_GivenUpError"] * 3


def test_an_end_that_comes_when_the_result_is_set_is_quiet():
    future = Future()
    future.set_result("in time")
    patience._carry_out(lambda: "again", copy_context(), future)
    assert future.result() == "in time"


def test_what_hangs_is_given_up_soon_after_a_stop_and_is_no_failure_of_the_tool(monkeypatch):
    monkeypatch.setattr(patience, "_STOPPED_S", 0.05)
    stop, ended = threading.Event(), threading.Event()

    def hang():
        try:
            stop.set()
            for _ in range(3000):
                time.sleep(0.01)
        finally:
            ended.set()

    with heeding(stop), pytest.raises(StoppedError) as raised:
        within(LONG * 60, hang, "tool")
    assert ended.wait(LONG)
    assert not isinstance(raised.value, Exception)


def test_what_ends_in_time_after_a_stop_is_returned_and_who_does_not_heed_it_hears_of_none():
    stop, go_on = threading.Event(), threading.Event()
    stop.set()
    with heeding(stop):
        threading.Timer(0.05, go_on.set).start()
        assert within(LONG, lambda: go_on.wait(LONG), "tool")
        assert within(LONG, patience._stop.get, "tool") is stop
    assert within(LONG, patience._stop.get, "tool") is None


def test_what_cannot_be_ended_is_given_up_too(monkeypatch, begun):
    monkeypatch.setattr(patience, "_GRACE_S", 0.0)
    lock = threading.Lock()

    def hang():
        begun.set()
        lock.acquire(timeout=LONG)

    with lock, pytest.raises(HangingToolError):
        within(0.05, hang, "tool")


def test_the_end_of_the_process_waits_for_nothing_that_hangs():
    code = """
        import threading
        from geosleuth.agent import patience
        patience._GRACE_S = 0.0
        lock = threading.Lock()
        lock.acquire()
        try:
            patience.within(0.5, lock.acquire, "tool")
        except patience.HangingToolError:
            print("given up")
    """
    lines = "\n".join(line[8:] for line in code.splitlines())
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout, done.stderr) == (0, "given up\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal is no Ctrl-C")
def test_ctrl_c_is_heard_while_a_tool_is_at_work_and_ends_it():
    ended = threading.Event()

    def interrupted():
        try:
            signal.raise_signal(signal.SIGINT)
            for _ in range(3000):
                time.sleep(0.01)
        finally:
            ended.set()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a page's test may have left another
    try:
        with pytest.raises(KeyboardInterrupt):
            within(LONG, interrupted, "tool")
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.is_set()  # Python aborts where a thread returns from a library to an interpreter that ends


def test_a_slow_first_call_is_no_hanging_and_a_batch_ends_its_worker_before_a_tool_is_given_up():
    assert patience_s(120.0) == 1200.0
    assert patience_s(1e-6) == 300.0
    assert patience_s(120.0) >= PATIENCE * 120.0
