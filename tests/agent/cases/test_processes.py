"""Several processes on one folder, some of them killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from geosleuth.agent.cases.custody import word_hash
from geosleuth.agent.cases.disk import WRITE_LOCK, locked
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Inquiry
from geosleuth.indexes.errors import InputError

ANSWERS = str(Path(__file__).resolve().parents[2] / "ui" / "answers.py")
# Forks workers, one per line that it reads, so that a kill costs no start of Python. Each works on one case without an
# end: photos, names, turns, answers and LangGraph's state.
WORKERS = """
import importlib.util, io, os, sys
from pathlib import Path
from PIL import Image
from langgraph.graph import START, StateGraph
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.inquiry import Hint, Inquiry
from geosleuth.agent.state import AgentState
import langgraph.checkpoint.sqlite
spec = importlib.util.spec_from_file_location("answers", sys.argv[3])
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)

mother = os.getpid()

def work(store, id, seed):
    graph = StateGraph(AgentState)
    graph.add_node("look", lambda state: {"notes": ["seen"]})
    graph.add_edge(START, "look")
    while os.getppid() == mother:
        seed += 1
        buffer = io.BytesIO()
        Image.new("RGB", (40, 40), (seed % 256, seed // 256 % 256, 7)).save(buffer, "PNG")
        store.add_photo(id, buffer.getvalue(), f"{seed}.png")
        store.rename(id, f"case {seed}")
        with store.checkpointer(store.open(id)) as saver:
            case = store.begin_turn(id, Inquiry(statements=(Hint(text=f"hint {seed}"),)), "said", "understood")
            graph.compile(checkpointer=saver).invoke({"notes": []}, {"configurable": {"thread_id": "photo"}})
            store.finish_turn(id, case.turns[-1].number, answers.answer(entropy_bits=float(seed)))
        print("answered", flush=True)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        work(CaseStore(Path(sys.argv[1])), sys.argv[2], int(line))
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("dead", flush=True)
"""


def killed_worker(workers, seed, rounds, seconds):
    """Start a worker, let it answer some turns and go on for a moment, and kill it."""
    workers.stdin.write(f"{seed}\n")
    workers.stdin.flush()
    pid, answered = None, 0
    while pid is None or answered < rounds:  # the two write to one pipe, in any order
        word = workers.stdout.readline().strip()
        pid, answered = (pid, answered + 1) if word == "answered" else (int(word), answered)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    while workers.stdout.readline() != "dead\n":
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_killed_at_any_moment_leaves_a_whole_case(tmp_path):
    store = CaseStore(tmp_path)
    case = store.create("killed often")
    moments = random.Random(5)  # noqa: S311 - of the kills, not of a secret
    command = [sys.executable, "-c", WORKERS, str(tmp_path), case.id, ANSWERS]
    workers = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for kill in range(12):
            # A round takes 0.1 s; some are killed in their first.
            killed_worker(workers, 100 * kill, rounds=kill % 3, seconds=moments.uniform(0.0, 0.15))
            _check_whole(store, case.id)
            store.rename(case.id, f"after kill {kill}")  # and it can be written
    finally:
        workers.kill()
        workers.communicate()
    case = store.open(case.id)
    assert sum(turn.finished for turn in case.turns) >= 12  # 4 workers of one round, 4 of two
    assert not list(store.folder.rglob(".*.tmp"))  # half-written files are cleared away
    store.delete(case.id)
    assert list(store.folder.iterdir()) == []


def _check_whole(store, case_id):
    (summary,) = store.list()
    assert summary.damaged is None
    case = store.open(case_id)
    assert store.custody(case).broken is None
    assert len(store.photos(case)) == len(case.photos)  # each with its hash
    for turn in case.turns:
        assert not turn.finished or store.answer(case, turn.number).entropy_bits > 0
    with store.checkpointer(case) as saver:
        list(saver.list(None))  # reads every value


def test_two_processes_on_one_case_lose_nothing(tmp_path):
    store = CaseStore(tmp_path)
    case = store.create()

    def add(start):
        own = CaseStore(tmp_path)
        for number in range(start, start + 10):
            own.rename(case.id, f"name {number}")

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    reads = [store.open(case.id).name for _ in range(50)]  # never refused, never half
    for thread in threads:
        thread.join()
    custody = store.custody(store.open(case.id))
    assert all(reads)
    assert custody.broken is None
    assert len(custody.events) == 1 + 30
    names = [one.details["name"] for one in custody.events[1:]]
    salt = store.open(case.id).salt
    assert set(names) == {word_hash(salt, f"name {start + i}") for start in (0, 100, 200) for i in range(10)}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_second_writer_is_refused_in_words_and_readers_are_not(tmp_path):
    store = CaseStore(tmp_path)
    case = store.create()
    hold = "import sys, time\nfrom pathlib import Path\nfrom geosleuth.agent.cases.disk import locked\n"
    hold += "with locked(Path(sys.argv[1]), 'write.lock'):\n    print('held', flush=True)\n    time.sleep(60)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", hold, str(store.folder / case.id)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(InputError, match=r"another window or program at work.*Wait until it is done"):
            store.begin_turn(case.id, Inquiry())
        assert 1.5 < time.monotonic() - started < 10
        assert store.open(case.id) == case
        assert [one.id for one in store.list()] == [case.id]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert store.begin_turn(case.id, Inquiry()).turns[-1].number == 1  # the system dropped the dead one's lock


def test_one_who_waited_for_a_case_that_is_deleted_hears_so(tmp_path):
    store = CaseStore(tmp_path)
    case = store.create()
    said = []

    def late():
        try:
            store.rename(case.id, "x")
        except InputError as error:
            said.append(error.found)

    waiting = threading.Thread(target=late)
    with locked(store.folder / case.id, WRITE_LOCK):
        waiting.start()
        time.sleep(0.1)
        (store.folder / case.id / "case.json").unlink()  # as deleting does first
    waiting.join()
    assert said == [f"none with the id {case.id}"]


# Dies before the k-th file that is opened, renamed, made or removed, for k = 1, 2, ... until a whole life of a case
# goes by; each time a second process must find every case whole, and be able to go on.
CRASHES = """
import importlib.util, io, os, sys, tempfile
from pathlib import Path
from PIL import Image
from geosleuth.agent.cases.store import CaseStore
from geosleuth.agent.cases.versions import tool_versions
from geosleuth.agent.inquiry import Inquiry
spec = importlib.util.spec_from_file_location("answers", sys.argv[2])
answers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(answers)
tool_versions()
answers.answer()
buffer = io.BytesIO()
Image.new("RGB", (40, 40), (1, 2, 3)).save(buffer, "PNG")
TOUCHES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}

def life(store):
    case = store.create("first")
    store.add_photo(case.id, buffer.getvalue(), "a.png")
    store.begin_turn(case.id, Inquiry())
    store.finish_turn(case.id, 1, answers.answer())
    store.rename(case.id, "second")
    store.delete(case.id)

def child(root, at):
    count = 0
    def hook(event, args):
        nonlocal count
        if event in TOUCHES and args and str(root) in str(args[0]):
            count += 1
            if count == at:
                os._exit(9)
    store = CaseStore(root)
    sys.addaudithook(hook)
    life(store)
    os._exit(0)

def check(root):
    store = CaseStore(root)
    seen = "nothing"
    for one in store.list():
        assert one.damaged is None, one
        case = store.open(one.id)
        assert store.custody(case).broken is None
        assert len(store.photos(case)) == len(case.photos)
        for turn in case.turns:
            assert not turn.finished or store.answer(case, turn.number).entropy_bits == 3.0
        seen = f"{case.name} {len(case.photos)} {len(case.turns)} {sum(t.finished for t in case.turns)}"
        assert store.custody(store.rename(case.id, "third")).broken is None
        store.delete(case.id)
    left = [path for path in store.folder.glob("*")] if store.folder.exists() else []
    assert all(path.name.startswith(".new-") for path in left), left  # a creation: cleared away after an hour
    return seen

deaths = 0
while True:
    root = Path(tempfile.mkdtemp(dir=sys.argv[1]))
    pid = os.fork()
    if pid == 0:
        child(root, deaths + 1)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), code
    print(check(root))
    if code == 0:
        break
    deaths += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_death_before_any_touch_of_the_disk_leaves_a_whole_case(tmp_path):
    run = subprocess.run([sys.executable, "-c", CRASHES, str(tmp_path), ANSWERS], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    seen = run.stdout.splitlines()
    # name, photos, turns, answers: what a death can leave, in the order of a life, and nothing in between
    assert list(dict.fromkeys(seen)) == [
        "nothing",
        *(f"first {rest}" for rest in ("0 0 0", "1 0 0", "1 1 0", "1 1 1")),
        "second 1 1 1",
    ]
    assert len(seen) > 50  # moments
    assert seen[-1] == "nothing"  # the life that nobody ended
