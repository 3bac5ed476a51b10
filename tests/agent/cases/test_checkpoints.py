import contextlib
import importlib.util
import json
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import ormsgpack
import pytest
from langgraph.checkpoint.serde import jsonplus
from langgraph.graph import END, START, StateGraph

from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.checkpoints import DamagedStateError, StateSerializer, state_types
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Hint, Inquiry, Sun
from geosleuth.agent.localization import LocatabilityScore, TraceStep
from geosleuth.agent.settings import Settings
from geosleuth.agent.state import AgentState, Found, Look, PendingCall
from geosleuth.agent.toolbox import Search
from geosleuth.indexes.errors import InputError
from geosleuth.tools.candidate import Candidate
from geosleuth.tools.evidence import Evidence, Nothing

HERE = Path(__file__).resolve()
THREAD = {"configurable": {"thread_id": "photo"}}
STUBBED = ("metadata", "read_text", "locatability", "submap")
# What a fresh process does with a stored case: every warning is an error, LangGraph's logged ones too.
REOPEN = """
import importlib.util, json, logging, sys, warnings
from pathlib import Path
warnings.simplefilter("error", UserWarning)
heard = []
class Ear(logging.Handler):
    def emit(self, record):
        heard.append(record.getMessage())
logging.getLogger("langgraph").addHandler(Ear(logging.WARNING))
from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.settings import Settings
spec = importlib.util.spec_from_file_location("scenes", sys.argv[3])
scenes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenes)
store = CaseStore(Path(sys.argv[1]))
case = store.open(sys.argv[2])
agent = Agent(Settings(), tools=scenes.STUBS)
with store.checkpointer(case) as saver:
    session = agent.session(store.photos(case), checkpointer=saver)
    *steps, last = session.ask(Inquiry(statements=(Hint(text="in Brazil"),)))
answer = last.localization
print(json.dumps([[(s.tool, s.turn) for s in answer.trace], answer.country.code, heard]))
"""


def scenes():
    spec = importlib.util.spec_from_file_location("scenes", HERE.parents[1] / "scenes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(store, case, inquiry=None):
    agent = Agent(Settings(), tools=scenes().STUBS)
    with store.checkpointer(case) as saver:
        *_, last = agent.session(store.photos(case), checkpointer=saver).ask(inquiry or Inquiry())
    return last.localization


def test_a_case_goes_on_in_a_fresh_process_without_a_warning(store, jpeg):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    first = asked(store, case)
    assert first.country.code == "PT"  # the stub reads a Portuguese sign
    command = [sys.executable, "-c", REOPEN, str(store.root), case.id, str(HERE.parents[1] / "scenes.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    trace, _, heard = json.loads(run.stdout)
    assert heard == []
    assert trace[: len(first.trace)] == [[step.tool, 1] for step in first.trace]  # not one of them ran again
    assert [tool for tool, turn in trace if turn == 2 and tool in ("metadata", "read_text")] == []
    assert len(trace) > len(first.trace)


def test_the_file_is_a_write_ahead_database_of_this_case_alone(store, jpeg):
    one, other = (store.add_photo(store.create().id, jpeg, "a.jpg") for _ in "ab")
    asked(store, one)
    path = store.folder / one.id / "state.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone()[0] > 3
    assert not (store.folder / other.id / "state.sqlite").exists()
    assert not path.with_name("state.sqlite-wal").exists()  # folded in when the turn ended


def test_every_type_of_the_state_comes_back_as_it_went_in():
    evidence = Evidence(tool="t", type="t.x", claim="A claim.", likelihood=Nothing(reason="none"))
    candidate = Candidate(
        rank=1, reference_id="a", uri="a.jpg", lat=1.0, lon=2.0, view="ground", similarity=0.5, score=1
    )
    state = {
        "found": [Found(step=1, evidence=evidence)],
        "pending": [PendingCall(name="x", args={"a": [1, None]})],
        "trace": [TraceStep(step=1, tool="x", result="r", seconds=0.5, by="me")],
        "asked": Inquiry(
            statements=(Hint(text="in Spain"), Sun.model_validate({"taken": "2026-05-01T12:00:00+02:00"})),
            left_out=("ab",),
        ),
        "looks": [
            Look(
                lines=(scenes().line("RUA"),),
                locatability=LocatabilityScore(score=0.5, backend="b", parts={"x": 1.0}),
                candidates=(candidate,),
                search=Search(searched=2, references=3),
            )
        ],
        "messages": scenes().calls(("compare", {"a": 1})),
    }
    serializer = StateSerializer()
    assert serializer.loads_typed(serializer.dumps_typed(state)) == state


def test_each_model_that_the_state_declares_is_known():
    known = set(state_types())
    assert {Found, PendingCall, TraceStep, Inquiry, Look} <= known
    assert Evidence not in known  # it stands inside of others, and is made by them


class Planted:
    """Would run a command where it is read back."""

    def __init__(self, module, name, argument):
        self.packed = ormsgpack.packb([module, name, argument])

    def value(self, code):
        return ormsgpack.packb({"notes": [ormsgpack.Ext(code, self.packed)]})


@pytest.mark.parametrize(
    ("code", "module", "name", "argument"),
    [
        (jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, "os", "system", "touch {mark}"),
        (jsonplus.EXT_CONSTRUCTOR_POS_ARGS, "os", "system", ["touch {mark}"]),
        (jsonplus.EXT_CONSTRUCTOR_KW_ARGS, "os", "system", {"command": "touch {mark}"}),
        (jsonplus.EXT_PYDANTIC_V1, "os", "system", {"command": "touch {mark}"}),
        (jsonplus.EXT_PYDANTIC_V2, "os", "system", {"command": "touch {mark}"}),
        (jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, "builtins", "eval", "__import__('os').system('touch {mark}')"),
    ],
)
def test_a_planted_type_is_refused_and_not_run(tmp_path, code, module, name, argument):
    mark = tmp_path / "ran"
    filled = _filled(argument, str(mark))
    value = Planted(module, name, filled).value(code)
    with pytest.raises(InputError, match=f"an object of type '{module}.{name}', which geosleuth never writes"):
        StateSerializer().loads_typed(("msgpack", value))
    assert not mark.exists()


def _filled(argument, mark):
    if isinstance(argument, str):
        return argument.replace("{mark}", mark)
    if isinstance(argument, list):
        return [one.replace("{mark}", mark) for one in argument]
    return {key: one.replace("{mark}", mark) for key, one in argument.items()}


def test_a_planted_method_is_refused():
    packed = ormsgpack.packb(["os", "path", "x", "exists"])
    value = ormsgpack.packb([ormsgpack.Ext(jsonplus.EXT_METHOD_SINGLE_ARG, packed)])
    with pytest.raises(InputError, match="somebody changed the file"):
        StateSerializer().loads_typed(("msgpack", value))


@pytest.mark.parametrize("kind", ["pickle", "json", "other"])
def test_other_kinds_of_values_are_refused_unread(kind):
    content = b"cos\nsystem\n(S'false'\ntR."  # a pickle
    with pytest.raises(InputError, match=f"a value of kind '{kind}'"):
        StateSerializer().loads_typed((kind, content))


def test_a_case_whose_state_was_planted_opens_and_its_state_does_not(store, jpeg, caplog):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    asked(store, case)
    value = Planted("os", "system", "false").value(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG)
    with sqlite3.connect(store.folder / case.id / "state.sqlite") as connection:
        connection.execute("UPDATE checkpoints SET checkpoint = ?", (value,))
    connection.close()
    assert store.open(case.id) == case
    with caplog.at_level(logging.CRITICAL), pytest.raises(InputError, match=r"delete state\.sqlite"):
        asked(store, case)


@pytest.mark.parametrize("part", ["its head", "its middle"])
def test_a_state_that_is_damaged_is_named_and_can_be_forgotten(store, jpeg, part):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    asked(store, case)
    path = store.folder / case.id / "state.sqlite"
    start = 0 if part == "its head" else 4096  # the second page of the file: SQLite reads its head without complaint
    content = path.read_bytes()
    assert len(content) > 3 * 4096
    path.write_bytes(content[:start] + b"no database " * 682 + content[start + 8184 :])
    with pytest.raises(DamagedStateError, match=r"the state of a case; found .*Forget it with the button"):
        asked(store, case)
    store.forget_state(case.id)
    assert asked(store, case).country.code == "PT"


def test_a_value_that_breaks_off_is_named():
    whole = StateSerializer().dumps_typed({"notes": ["one", "two"]})[1]
    with pytest.raises(DamagedStateError, match="a value that breaks off"):
        StateSerializer().loads_typed(("msgpack", whole[:-2]))


def test_a_full_disk_is_no_damage(store):
    """Whoever forgot the state because of it would lose what was found."""
    case = store.create()

    def fill(saver):
        saver.conn.execute("PRAGMA max_page_count = 1")  # SQLite takes the pages that there are
        saver.conn.execute("CREATE TABLE more (x)")

    full = pytest.raises(InputError, match=r"database or disk is full\. Free some space")
    with full as caught, store.checkpointer(case) as saver:
        fill(saver)
    assert not isinstance(caught.value, DamagedStateError)


def test_a_second_run_waits_shortly_and_is_refused(store):
    case = store.create()
    with store.checkpointer(case):
        with (
            pytest.raises(InputError, match="another window or program at work"),
            CaseStore(store.root).checkpointer(case),
        ):
            pass
        with pytest.raises(InputError, match="another window or program at work"):
            store.delete(case.id)
        assert store.rename(case.id, "new").name == "new"  # a change is no run
    with store.checkpointer(case):
        pass
    store.delete(case.id)


def test_under_a_cap_the_state_is_in_memory_alone(store, jpeg):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    asked(store, case)
    capped = CaseStore(store.root, precision_cap_km=50)
    asked(capped, case)
    assert not list(store.folder.rglob("state.sqlite*"))  # that of before the cap is gone as well
    again = asked(capped, case, Inquiry(statements=(Hint(text="in Brazil"),)))
    assert [step.tool for step in again.trace if step.turn == 2 and step.tool == "read_text"] == []  # it was remembered
    assert max(step.turn for step in again.trace) == 2


def test_the_loop_itself_can_be_stopped_and_goes_on(store):
    """A node that dies leaves the step before it; the next process starts from there."""
    case = store.create()

    def first(_):
        return {"notes": ["one"]}

    def second(_):
        if not ran:
            ran.append(True)
            raise KeyboardInterrupt
        return {"notes": ["two"]}

    def graph(saver):
        built = StateGraph(AgentState)
        built.add_node("first", first)
        built.add_node("second", second)
        built.add_edge(START, "first")
        built.add_edge("first", "second")
        built.add_edge("second", END)
        return built.compile(checkpointer=saver)

    ran = []
    with pytest.raises(KeyboardInterrupt), store.checkpointer(case) as saver:
        graph(saver).invoke({"notes": []}, THREAD)
    with store.checkpointer(case) as saver:
        assert graph(saver).invoke(None, THREAD)["notes"] == ["one", "two"]


def test_without_the_library_the_remedy_is_named(store, monkeypatch):
    case = store.create()
    monkeypatch.setitem(sys.modules, "langgraph.checkpoint.sqlite", None)
    with pytest.raises(InputError, match=r"pip install 'geosleuth\[chat\]'"), store.checkpointer(case):
        pass


KILLED = """
import importlib.util, sys, time
from pathlib import Path
from geosleuth.agent.agent import Agent
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.settings import Settings
spec = importlib.util.spec_from_file_location("scenes", sys.argv[3])
scenes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scenes)
def stuck(scene):
    "Score the photo."
    time.sleep(1)  # LangGraph stores a step while the next one runs
    print("stuck", flush=True)
    time.sleep(60)
store = CaseStore(Path(sys.argv[1]))
case = store.open(sys.argv[2])
agent = Agent(Settings(), tools=scenes.STUBS | {"locatability": stuck})
with store.checkpointer(case) as saver:
    list(agent.session(store.photos(case), checkpointer=saver).ask(case.inquiry))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_turn_that_was_killed_is_resumed_where_it_stopped(store, jpeg):
    case = store.add_photo(store.create().id, jpeg, "a.jpg")
    case = store.begin_turn(case.id, Inquiry(statements=(Hint(text="in Portugal"),)), "in Portugal")
    command = [sys.executable, "-c", KILLED, str(store.root), case.id, str(HERE.parents[1] / "scenes.py")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "stuck\n"
        with pytest.raises(InputError, match="another window or program at work"), store.checkpointer(case):
            pass
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    case = store.open(case.id)
    assert not case.turns[-1].finished
    tools = scenes().STUBS | {"read_text": scenes().broken}  # were it called again, it would fail
    with store.checkpointer(case) as saver:
        session = Agent(Settings(), tools=tools).session(store.photos(case), checkpointer=saver)
        assert session.interrupted
        *_, last = session.resume()
    answer = last.localization
    assert [step.ok for step in answer.trace if step.tool == "read_text"] == [True]
    assert [step.tool for step in answer.trace if step.tool in STUBBED] == [
        "metadata",
        "read_text",
        "locatability",
        "submap",
    ]
    case = store.finish_turn(case.id, 1, answer)
    assert case.turns[-1].finished
