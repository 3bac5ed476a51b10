"""The folder of explanations: who may work in it, and what a run leaves there; see `teacher.py`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.lock import LOCK, locked
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.gleam_x.asking import How, Outcome
from geosleuth.training.gleam_x.record import PairRecord
from geosleuth.training.gleam_x.record_file import Key, key_of, read_records, writable, write_records

EXPLAINED, REJECTED = "explained.jsonl", "rejected.jsonl"
_UNEXPLAINED = {"explanation": None, "teacher": None, "teacher_label": None}


@contextlib.contextmanager
def explanations_folder(out: Path, how: How) -> Iterator[None]:
    """Make the folder, or take up the one that is there; nobody else may, for as long as the context lasts."""
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            found = "another process that asks a teacher for it now"
            stack.enter_context(locked(out, f"the folder {out} for this process alone", found))
        except OSError as error:
            found = f"{error.filename}: {error.strerror}"
            raise InputError("a folder for explanations that can be written", found, "Name another --out.") from error
        _check(out, how.settings)
        yield


def _check(out: Path, how: Mapping[str, object]) -> None:
    path = out / "settings.json"
    if path.exists():
        try:
            known = dict(json.loads(path.read_bytes()))
        except (OSError, TypeError, ValueError) as error:
            found = error.strerror if isinstance(error, OSError) else None
            remedy = "Name another --out."
            raise InputError(f"the settings of explanations in {path}", found or f"others ({error})", remedy) from error
        different = sorted(key for key in how if how[key] != known.get(key))
        if different:
            remedy = "Name another --out, or ask as this folder began (its settings.json)."
            raise InputError(f"the same settings as {out} began with", f"another {', '.join(different)}", remedy)
        return
    others = sorted(one.name for one in out.iterdir() if one.name != LOCK)
    if others:
        raise InputError("a new folder for explanations, or one of them", f"{out} with {others[0]}", "Name another.")
    _write_json(path, how)


def explained_before(out: Path) -> dict[Key, PairRecord]:
    """What earlier runs have explained: paid for, and so never dropped because this run does not come to it.

    Raises:
        InputError: The file is damaged.
    """
    path = out / EXPLAINED
    return {key_of(one): one for one in read_records(path)} if path.exists() else {}


def explained_now(
    records: Sequence[PairRecord], outcomes: Mapping[int, Outcome], before: Mapping[Key, PairRecord]
) -> list[PairRecord]:
    """The explained ones of these pairs; where a run did not come to one, as it was explained before.

    Args:
        records: All pairs of a run.
        outcomes: By the number of the record.
        before: See `explained_before`.
    """
    found = []
    for number, record in enumerate(records):
        if one := outcomes.get(number):
            found += [] if one.failed else [one.record]
        elif (known := before.get(key_of(record))) and known.model_copy(update=_UNEXPLAINED) == record:
            found.append(known)  # the same pair still
    return found


def write_outcomes(
    out: Path, explained: Sequence[PairRecord], rejected: Sequence[Outcome], report: Mapping[str, object]
) -> None:
    """Write what was explained, what was set aside and why, and the report.

    Raises:
        InputError: They cannot be written.
    """
    write_records(out / EXPLAINED, explained)
    path = out / REJECTED
    with writable(path), appearing(path) as scratch, scratch.open("w", encoding="utf-8", newline="\n") as file:
        for one in rejected:
            line = {"record": one.record.model_dump(mode="json"), "failed": [asdict(f) for f in one.failed]}
            file.write(json.dumps({**line, "answer": one.text}, ensure_ascii=False) + "\n")
    _write_json(out / "report.json", report)


def _write_json(path: Path, content: object) -> None:
    with writable(path), appearing(path) as scratch:
        scratch.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
