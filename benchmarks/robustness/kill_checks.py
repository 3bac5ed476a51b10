"""What each work begins with, what must be there after a kill, and what it comes to in the end."""

from __future__ import annotations

import csv
import hashlib
import json
import runpy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kill_works import PAIRS, TESTS, TURNS, answer, neighbour, told

PHOTOS, MORE = 24, 16  # of an index, and to add; 8 are in both
ROWS = 12  # of a batch


@dataclass(frozen=True)
class Work:
    """A work that is killed."""

    prepare: Callable[[Path], None]  # fills an empty folder
    check: Callable[[Path], None]  # raises AssertionError where something that was reported as saved is not there
    result: Callable[[Path], Any]  # what it has come to, to be compared with that of a run in peace


def must(holds: bool, otherwise: object) -> None:
    """Raise AssertionError where something does not hold."""
    if not holds:
        raise AssertionError(otherwise)


def _drawn(folder: Path, count: int, first: int = 0) -> None:
    runpy.run_path(str(TESTS / "indexes" / "gallery" / "tiny_build.py"))["draw_photos"](folder, count, first=first)


def _prepare_add(folder: Path) -> None:
    from geosleuth.indexes.gallery.build import build_index

    tiny = runpy.run_path(str(TESTS / "indexes" / "gallery" / "tiny_build.py"))
    _drawn(folder / "before", PHOTOS)
    build_index(folder / "before", folder / "index", encoder=tiny["TinyEncoder"](), chunk_size=4)
    _drawn(folder / "photos", MORE, first=PHOTOS - 8)


def _check_index(folder: Path) -> None:
    """The index is whole wherever there is one, and before it is, every chunk that was staged still lies there."""
    from geosleuth.indexes.gallery.store import verify_index

    index, journal = folder / "index", folder / "index" / ".building"
    is_add = (folder / "before").exists()
    if is_add or (index / "manifest.json").exists():
        report = verify_index(index)
        must(report.problems == (), report.problems)
        must(report.references in ((PHOTOS, PHOTOS + MORE - 8) if is_add else (PHOTOS,)), report.references)
        if report.references == PHOTOS + (MORE - 8) * is_add:
            return  # committed: nothing else is needed
    for line in told(folder):
        chunk = journal / f"chunk-{int(line.split()[1]):06d}"
        for ending in (".npy", ".parquet"):
            must(chunk.with_suffix(ending).exists(), f"{chunk.name}{ending} was staged and is gone")


def _index_result(folder: Path) -> dict[str, Any]:
    index = folder / "index"
    manifest = json.loads((index / "manifest.json").read_bytes())
    kept = {key: value for key, value in manifest.items() if key not in ("created_at", "checksum", "sources")}
    files = {path.name: _sha256(path) for path in sorted(index.iterdir()) if path.name != "manifest.json"}
    return {"manifest": kept, "files": files}


def _prepare_batch(folder: Path) -> None:
    neighbour("agent/batch/batches.py").draw(folder / "photos", *(f"{i:03d}.png" for i in range(ROWS)))
    (folder / "answer.json").write_text(answer().model_dump_json())


def _check_batch(folder: Path) -> None:
    from geosleuth.agent.agent import Agent
    from geosleuth.agent.batch.fingerprint import fingerprint, photo_key
    from geosleuth.agent.batch.journal import Journal
    from geosleuth.agent.batch.listing import content_sha256
    from geosleuth.agent.settings import Settings

    names = {line.split()[1] for line in told(folder)}
    if not names:
        return
    deciding, journal = fingerprint(Agent(Settings())), Journal(folder / "rows.csv.journal")
    try:
        for name in names:
            kept = journal.get(photo_key(content_sha256(folder / "photos" / name), deciding, (), None))
            must(kept is not None, f"the row of {name} was handed over and is gone")
            must(kept.answer is not None, f"the row of {name} has lost its answer")
    finally:
        journal.close()


def _batch_result(folder: Path) -> list[Any]:
    with (folder / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [(Path(row["file"]).name, row["sha256"], row["lat"], row["lon"], row["status"]) for row in rows]


def _prepare_case(folder: Path) -> None:
    from geosleuth.agent.cases.store import CaseStore

    CaseStore(folder / "cases").create("killed often")


def _check_case(folder: Path) -> None:
    from geosleuth.agent.cases.store import CaseStore

    store = CaseStore(folder / "cases")
    (summary,) = store.list()
    must(summary.damaged is None, summary.damaged)
    case = store.open(summary.id)
    custody = store.custody(case)
    must(custody.broken is None, custody.broken)
    must(len(store.photos(case)) == len(case.photos), "a photo is gone")  # each is read and compared with its hash
    photos = {photo.sha256 for photo in case.photos}
    answers = {(turn.number, turn.answer_sha256) for turn in case.turns if turn.finished}
    for number, _ in answers:
        store.answer(case, number)  # it raises where the file is another
    for line in told(folder):
        kind, *facts = line.split()
        if kind == "photo":
            must(facts[0] in photos, f"photo {facts[0][:12]} was added and is gone")
        elif kind == "asked":
            must(int(facts[0]) <= len(case.turns), f"turn {facts[0]} was asked and is gone")
        elif kind == "answered":
            must((int(facts[0]), facts[1]) in answers, f"the answer of turn {facts[0]} was kept and is gone")


def _case_result(folder: Path) -> Any:
    from geosleuth.agent.cases.store import CaseStore

    store = CaseStore(folder / "cases")
    case = store.open(store.list()[0].id)
    must(len(case.turns) == TURNS, "turns are missing")
    turns = [
        (turn.said, turn.inquiry.model_dump(), store.answer(case, turn.number).entropy_bits) for turn in case.turns
    ]
    return case.name, [photo.sha256 for photo in case.photos], turns


def _prepare_curation(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    from geosleuth.training.gleam_x.record_file import write_records

    made = neighbour("training/gleam_x/conftest.py")
    records = [made.record(number, lang=lang) for number in range(PAIRS // 2) for lang in ("en", "zh")]
    write_records(folder / "pairs.jsonl", records)
    for kind, shift in (("ground", 0), ("tiles", 100)):
        (folder / "pictures" / kind).mkdir(parents=True)
        for number in range(PAIRS // 2):
            picture = np.full((8, 8, 3), shift + number, np.uint8)
            Image.fromarray(picture).save(folder / "pictures" / kind / f"{number}.png")


def _check_curation(folder: Path) -> None:
    from geosleuth.training.gleam_x.ledger import NAME, Ledger

    lines = told(folder)
    if not lines:
        return
    copy = folder / "ledger-as-it-was.jsonl"  # opening the ledger mends a torn line: the work is to do that itself
    shutil.copy(folder / "out" / NAME, copy)
    with Ledger(copy) as ledger:
        for line in lines:
            _, digest, sha256 = line.split()
            must(digest in ledger.answers, f"the answer {digest[:12]} was kept and is gone")
            must(hashlib.sha256(ledger.answers[digest].text.encode()).hexdigest() == sha256, "it is another")


def _curation_result(folder: Path) -> list[Any]:
    from geosleuth.training.gleam_x.record_file import read_records

    return [(one.pair_id, one.lang, one.explanation) for one in read_records(folder / "out" / "explained.jsonl")]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder"


WORKS: dict[str, Work] = {
    "build": Work(lambda folder: _drawn(folder / "photos", PHOTOS), _check_index, _index_result),
    "add": Work(_prepare_add, _check_index, _index_result),
    "batch": Work(_prepare_batch, _check_batch, _batch_result),
    "chat": Work(_prepare_case, _check_case, _case_result),
    "curation": Work(_prepare_curation, _check_curation, _curation_result),
}
