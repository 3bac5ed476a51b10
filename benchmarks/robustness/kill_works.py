"""Works that are killed: the program forks a process for each line that it reads, so that a kill costs no imports.

A line is a JSON list [work, folder of the work, address of the teacher, fault]. It prints the process's number, then
how that ended. Whatever the library has reported as saved is added to the file TOLD of the folder, a line at a time, so
that it is known after a kill; an error for people is written to the file SAID. The fault is null, "full:BYTES" (no file
may become longer) or "read-only".
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2] / "tests"
TOLD, SAID = "told.txt", "said.json"
TURNS, PAIRS = 6, 10  # of a case, and of a curation: a run takes some tenths of a second


def told(folder: Path) -> list[str]:
    """Read what was reported as saved; a line is whole, or its report was not made."""
    path = folder / TOLD
    return [line for line in path.read_text().split("\n")[:-1] if line] if path.exists() else []


def _tell(folder: Path, *words: object) -> None:
    handle = os.open(folder / TOLD, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join(map(str, words)) + "\n").encode())
    os.close(handle)


def index_work(folder: Path, task: str) -> None:
    """Build an index of tiny photos, or add to one; a chunk that is staged counts as saved."""
    from geosleuth.indexes.gallery import build, journal

    tiny = runpy.run_path(str(TESTS / "indexes" / "gallery" / "tiny_build.py"))
    stage = journal.Journal.stage

    def telling(self: journal.Journal, chunk: journal.Encoded) -> None:
        stage(self, chunk)
        _tell(folder, "chunk", chunk.number)

    journal.Journal.stage = telling  # type: ignore[method-assign]
    run = build.build_index if task == "build" else build.add_to_index
    run(folder / "photos", folder / "index", encoder=tiny["TinyEncoder"](), chunk_size=4)


def batch_work(folder: Path) -> None:
    """Locate many photos; a row that was handed over counts as saved. Workers are real but for the agent's answer."""
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.batch import worker_process
    from geosleuth.agent.settings import Settings

    os.environ |= {"ANSWER": str(folder / "answer.json"), "LOOKS": str(folder / "looks.txt")}
    worker_process._PROGRAM = (str(TESTS / "agent" / "batch" / "quick_worker.py"),)
    with Agent(Settings()).localize_many(folder / "photos", out=folder / "rows.csv", workers=1) as rows:
        for row in rows:
            _tell(folder, "row", row.path.name)


def case_work(folder: Path) -> None:
    """Bring a case to its sixth answer, from wherever it stands."""
    from geosleuth.agent.cases.store import CaseStore
    from geosleuth.agent.inquiry import Hint, Inquiry

    store = CaseStore(folder / "cases")
    case = store.open(store.list()[0].id)
    while len(case.turns) < TURNS or not case.turns[-1].finished:
        number = len(case.turns) if case.turns and not case.turns[-1].finished else len(case.turns) + 1
        if len(case.photos) < number:
            case = store.add_photo(case.id, _drawn(number), f"{number}.png")
            _tell(folder, "photo", case.photos[-1].sha256)
        with store.checkpointer(case):
            if len(case.turns) < number:
                case = store.begin_turn(case.id, Inquiry(statements=(Hint(text=f"hint {number}"),)), f"said {number}")
                _tell(folder, "asked", number)
            case = store.finish_turn(case.id, number, answer(entropy_bits=float(number)))
            _tell(folder, "answered", number, case.turns[-1].answer_sha256)
        case = store.rename(case.id, f"after turn {number}")
        _tell(folder, "named", number)


def curate_work(folder: Path, url: str) -> None:
    """Have a teacher of this machine explain pairs; an answer in the ledger counts as saved."""
    from geosleuth.training.gleam_x import ledger
    from geosleuth.training.gleam_x.record_file import read_records
    from geosleuth.training.gleam_x.teacher import explain_pairs

    keep = ledger.Ledger.answer

    def telling(self: ledger.Ledger, digest: str, one: ledger.Answer) -> None:
        keep(self, digest, one)
        _tell(folder, "answer", digest, hashlib.sha256(one.text.encode()).hexdigest())

    ledger.Ledger.answer = telling  # type: ignore[method-assign]
    records = read_records(folder / "pairs.jsonl")
    explain_pairs(records, folder / "pictures", f"openai:teacher@{url}", folder / "out", concurrency=2)


def answer(**changes: Any) -> Any:
    """An invented answer, see tests/ui/answers.py."""
    return neighbour("ui/answers.py").answer(**changes)


def neighbour(path: str) -> Any:
    """Load a module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, TESTS / path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


def _drawn(number: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (number, 2, 3)).save(buffer, "PNG")
    return buffer.getvalue()


WORKS: dict[str, Callable[[Path, str], None]] = {
    "build": lambda folder, _: index_work(folder, "build"),
    "add": lambda folder, _: index_work(folder, "add"),
    "batch": lambda folder, _: batch_work(folder),
    "chat": lambda folder, _: case_work(folder),
    "curation": curate_work,
}


def _run(work: str, folder: Path, url: str, fault: str | None) -> None:
    import resource  # Unix alone has it

    from geosleuth.indexes.errors import InputError

    (folder / SAID).write_text("")  # it is there before the disk is full
    (folder / TOLD).touch()
    said = os.open(folder / SAID, os.O_WRONLY)
    if fault is not None and fault.startswith("full:"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(fault.partition(":")[2]), resource.RLIM_INFINITY))
    elif fault is not None:
        _make_read_only(folder)
    try:
        WORKS[work](folder, url)
    except InputError as error:
        if fault is not None and fault.startswith("full:"):  # what is said goes to a file, too
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.write(said, json.dumps([error.wanted, error.found, error.remedy]).encode())
        raise


def _make_read_only(folder: Path) -> None:
    """Take the right to write from all folders and files, and from root its right to write all the same."""
    for path in (folder, *folder.rglob("*")):
        if path.name not in (SAID, TOLD, "log.txt"):
            path.chmod(0o555)
    if sys.platform == "linux" and os.geteuid() == 0:
        import ctypes

        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
        if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
            raise OSError(ctypes.get_errno(), "capset")


def make_writable(folder: Path) -> None:
    """Take a read-only folder back."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


def _import_all() -> None:
    import h3.api.basic_int  # noqa: F401
    import langchain_openai  # noqa: F401
    import langgraph.checkpoint.sqlite  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401
    import shapely  # noqa: F401

    import geosleuth.agent.agent
    import geosleuth.agent.batch.table
    import geosleuth.agent.cases.checkpoints
    import geosleuth.agent.cases.store
    import geosleuth.indexes.gallery.build
    import geosleuth.indexes.gallery.table
    import geosleuth.tools.vlm.endpoint
    import geosleuth.training.gleam_x.teacher  # noqa: F401
    from geosleuth.agent.cases.versions import tool_versions
    from geosleuth.indexes.regions import countries_at

    countries_at([55.7], [13.2])  # reads its table
    tool_versions()
    answer()


def main() -> None:
    """Fork a process per line."""
    _import_all()
    for line in sys.stdin:
        work, folder, url, fault = json.loads(line)
        process = os.fork()
        if not process:
            os.dup2(os.open(Path(folder) / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
            os.setpgid(0, 0)
            try:
                _run(work, Path(folder), url, fault)
            except BaseException:  # noqa: BLE001 - the child ends here, whatever it was
                import traceback

                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
