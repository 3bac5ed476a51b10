"""Faults of the machine: each ends in an answer or a stated failure, and nothing that was saved is lost.

benchmarks/robustness/fault_list.py lists all of them, with the tests that show them; here are those that no other room
has, and that the list is true.
"""

from __future__ import annotations

import ast
import errno
import importlib.util
import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from geosleuth.indexes.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
ROBUSTNESS = ROOT / "benchmarks" / "robustness"


def module(path: Path):
    """Load a file that stands in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = sys.modules.setdefault(path.stem, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def robustness(monkeypatch):
    monkeypatch.syspath_prepend(str(ROBUSTNESS))


def test_every_fault_of_the_table_names_a_test_that_there_is():
    faults = module(ROBUSTNESS / "fault_list.py").FAULTS
    assert len(faults) > 50
    for one in faults:
        if one.shown_by == "here":
            continue
        file, _, name = one.shown_by.partition("::")
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
        assert not name or name in names, one


def test_the_table_is_one_row_a_fault(robustness, capsys):
    faults = module(ROBUSTNESS / "faults.py")
    assert faults.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(faults.FAULTS)
    assert {line.count("|") for line in lines} == {5}
    found = {("disk full", "build"): [faults.Found("", "a|photo\nis gone")]}
    assert "**WRONG**: a/photo is gone" in faults.table(found)


@pytest.mark.skipif(sys.platform != "linux", reason="limits and rights of Linux")
def test_a_case_on_a_full_or_forbidden_disk_is_told_in_three_parts_and_goes_on(robustness, tmp_path):
    found = module(ROBUSTNESS / "faults.py").injected(["chat"], tmp_path, full_at=(2_000,))
    assert [one.wrong for several in found.values() for one in several] == [None, None]
    said = [one.said for several in found.values() for one in several]
    assert all("that can be written; " in one and one.count("; ") >= 2 for one in said), said


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_case_that_is_killed_at_random_loses_nothing(robustness, capsys):
    kills = module(ROBUSTNESS / "kills.py")
    assert kills.main(["--kills", "3", "--only", "chat"]) == 0
    assert "| all | 3 |" in capsys.readouterr().out


def test_a_kill_that_loses_something_is_told(robustness, tmp_path):
    checks = module(ROBUSTNESS / "kill_checks.py")
    works = sys.modules["kill_works"]
    checks.WORKS["chat"].prepare(tmp_path)
    works._tell(tmp_path, "photo", "ab" * 32)
    with pytest.raises(AssertionError, match="was added and is gone"):
        checks.WORKS["chat"].check(tmp_path)


# -- memory -----------------------------------------------------------------------------------------------------------


def test_a_tool_that_runs_out_of_memory_does_not_take_part():
    from geosleuth.agent.state import PendingCall
    from geosleuth.agent.tool_run import failure_notes, run_tool

    def hungry(*_):
        raise MemoryError("Unable to allocate 8.00 EiB")

    settings = types.SimpleNamespace(precision_cap_km=None, language="en", max_seconds=120.0)
    run = types.SimpleNamespace(
        settings=settings,
        view=lambda _: types.SimpleNamespace(photo=None, sees=False, models=None),
        recorded=None,
        references=None,
        inquiry=types.SimpleNamespace(language=None),
    )
    call = PendingCall(id="1", name="reading", args={}, by="RulePlanner")
    step, finding = run_tool(run, {}, types.SimpleNamespace(name="reading", run=hungry), call, 1)
    assert (step.ok, step.note, finding.evidence) == (False, "did not take part", ())
    assert failure_notes([step]) == ["The tool reading did not take part: MemoryError: Unable to allocate 8.00 EiB"]


# -- caches -----------------------------------------------------------------------------------------------------------

DAMAGE = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda _: b"",
    "of zeros": lambda content: bytes(len(content)),
    "other": lambda _: b"\xff{[" * 50,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_corrupt_cache_of_vectors_is_made_anew(tmp_path, caplog, damage):
    pytest.importorskip("safetensors")
    from geosleuth.training.evaluate.cross_view.vector_cache import Embedded, VectorCache

    cache, path = VectorCache(tmp_path, "00"), tmp_path / "a.safetensors"
    cache.write(path, Embedded(np.eye(3, dtype=np.float32), np.ones(3, bool), ()))
    assert cache.read(path, 3).vectors.tolist() == np.eye(3).tolist()
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert cache.read(path, 3) is None
    assert "encoded again" in caplog.text


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_corrupt_note_is_made_anew(tmp_path, caplog, damage):
    from geosleuth.indexes.gallery.manifest import FileFacts
    from geosleuth.training.evaluate.agent.kept import keep, read_kept

    path, note = tmp_path / "a.json", FileFacts(bytes=1, sha256="00")
    keep(path, note)
    assert read_kept(path, FileFacts) == note
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert read_kept(path, FileFacts) is None
    assert "made anew" in caplog.text


@pytest.mark.parametrize("damage", ["cut short", "of zeros", "other"])  # an empty one is a new one
def test_a_corrupt_journal_is_named(tmp_path, damage):
    from geosleuth.agent.batch.journal import Journal
    from geosleuth.agent.batch.outcome import Outcome

    path = tmp_path / "rows.csv.journal"
    journal = Journal(path)
    for number in range(100):
        journal.put(f"{number:064d}", Outcome(seconds=float(number)))
    journal.close()
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(
        InputError, match=r"a journal that can be used; found .*rows\.csv\.journal: .* Delete it, or set"
    ):
        _read_all(Journal, path)


def _read_all(kind, path):
    journal = kind(path)
    try:
        for number in range(100):
            journal.get(f"{number:064d}")
    finally:
        journal.close()


def test_a_faiss_file_that_does_not_fit_is_told(tmp_path, monkeypatch):
    faiss = pytest.importorskip("faiss")
    from geosleuth.indexes.gallery.faiss_file import read_faiss, write_faiss

    vectors = np.random.default_rng(0).standard_normal((300, 16)).astype(np.float32)
    index = faiss.index_factory(16, "IVF4,SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    path, write = tmp_path / "whole.faiss", faiss.write_index
    write_faiss(index, path)
    assert read_faiss(path, mapped=False).ntotal == 300
    if Path("/dev/full").exists():  # the full disk of Linux
        with pytest.raises(OSError, match="No space left on device"):
            write_faiss(index, Path("/dev/full"))

    def ends_early(index, name):
        write(index, name)
        Path(name).write_bytes(Path(name).read_bytes()[:-100])

    monkeypatch.setattr(faiss, "write_index", ends_early)  # as where the last buffer does not fit
    with pytest.raises(OSError, match="No space left on device") as error:
        write_faiss(index, path)
    assert error.value.errno == errno.ENOSPC


# -- clocks -----------------------------------------------------------------------------------------------------------


def clock(start: datetime, step: timedelta):
    """Make a clock that goes on by `step` at each look, backwards too."""

    class Clock(datetime):
        at = start

        @classmethod
        def now(cls, tz=None):
            cls.at += step
            return datetime.fromtimestamp(cls.at.timestamp(), tz)

    return Clock


def test_a_clock_that_jumps_back_loses_no_case(tmp_path, monkeypatch):
    from geosleuth.agent.cases import shelf, store
    from geosleuth.agent.inquiry import Inquiry

    back = clock(datetime(2026, 5, 1, tzinfo=UTC), timedelta(days=-1))
    monkeypatch.setattr(shelf, "datetime", back)
    monkeypatch.setattr(store, "datetime", back)
    cases = store.CaseStore(tmp_path)
    case = cases.create("before")
    case = cases.begin_turn(cases.rename(case.id, "after").id, Inquiry(), "said")
    assert case.changed < case.created
    (summary,) = store.CaseStore(tmp_path).list()
    assert (summary.name, summary.turns, summary.damaged) == ("after", 1, None)
    custody = cases.custody(cases.open(case.id))
    assert custody.broken is None
    assert [one.event for one in custody.events] == ["created", "renamed", "asked"]


def test_a_clock_that_jumps_back_deletes_nothing(tmp_path):
    from geosleuth.agent.cases.retention import sweep
    from geosleuth.agent.cases.store import CaseStore

    case = CaseStore(tmp_path).create("of the future, as the clock has it now")
    assert sweep(tmp_path, 1, now=datetime.now(UTC) - timedelta(days=3650)) == []
    assert [one.id for one in CaseStore(tmp_path).list()] == [case.id]
