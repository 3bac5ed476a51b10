"""Records as a JSONL file: read with its bad lines counted, written whole."""

from __future__ import annotations

import codecs
import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from pydantic import ValidationError

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.gleam_x.record import Language, PairRecord

Key = tuple[str, Language]  # a pair in a language: what is unique in a file

_SHOWN = 60  # characters of a path or an id in an error


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record."""

    number: int  # from 1
    reason: str


@dataclass(frozen=True)
class Records(Sequence[PairRecord]):
    """What a file holds."""

    path: Path
    records: tuple[PairRecord, ...]
    bad: tuple[BadLine, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> PairRecord: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PairRecord, ...]: ...
    def __getitem__(self, index: int | slice) -> PairRecord | tuple[PairRecord, ...]:
        return self.records[index]

    def __repr__(self) -> str:
        return f"{self.path.name}: {len(self.records):,} records, {len(self.bad):,} bad lines"


def key_of(record: PairRecord) -> Key:
    """Name a record."""
    return record.pair_id, record.lang


def read_records(path: Path) -> Records:
    """Read a file of records; blank lines are passed over, and bad ones counted.

    Raises:
        InputError: There is no such file; no line of it is a record; a path in it leaves the root of the data set; a
            pair stands in it twice in one language. It names the line.
    """
    try:
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)  # which some editors put there
    except OSError as error:
        remedy = "Make one with `geosleuth curate pairs`."
        raise InputError(f"a file of pairs, {path}", error.strerror or str(error), remedy) from error
    records: list[PairRecord] = []
    bad: list[BadLine] = []
    seen: dict[Key, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):  # bytes: only \n and \r part lines there
        if not line.strip():
            continue
        try:
            record = PairRecord.model_validate_json(line)
        except ValidationError as error:
            bad.append(BadLine(number, _in_words(error)))
            continue
        _check_paths(record, f"line {number} of {path}")
        _check_new(record, number, seen, path)
        records.append(record)
    if bad and not records:
        found = f"none in {len(bad):,} lines; line {bad[0].number}: {bad[0].reason}"
        raise InputError(f"records of pairs in {path}", found, "Make one with `geosleuth curate pairs`.")
    return Records(path, tuple(records), tuple(bad))


def write_records(path: Path, records: Iterable[PairRecord]) -> None:
    """Write a file of records, whole or not at all.

    Raises:
        InputError: A pair comes twice in one language, a path leaves the root, or the file cannot be written.
    """
    with writable(path), appearing(path) as scratch, scratch.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(_lines(records, path))


def check_writable(path: Path) -> None:
    """Make sure that a file can be written there, before hours of work for it.

    Raises:
        InputError: It cannot.
    """
    with writable(path), tempfile.TemporaryFile(dir=path.parent):
        pass


def picture_path(root: Path, relative: str) -> Path:
    """Where a record's picture lies.

    Raises:
        InputError: It would be outside of the root.
    """
    if leads_out(relative) or not relative:
        remedy = "Write paths relative to the root of the data set, with forward slashes."
        raise InputError(f"a picture below {root}", repr(relative[:_SHOWN]), remedy)
    path = root / relative
    if not path.resolve().is_relative_to(root.resolve()):  # it may be sent to a server
        raise InputError(f"a picture below {root}", f"{relative[:_SHOWN]!r}, a link that leads out", "Copy it there.")
    return path


def _lines(records: Iterable[PairRecord], path: Path) -> Iterator[str]:
    seen: dict[Key, int] = {}
    for number, record in enumerate(records, start=1):
        _check_paths(record, f"record {number} for {path}")
        _check_new(record, number, seen, path)
        yield record.model_dump_json() + "\n"


def _check_paths(record: PairRecord, where: str) -> None:
    for one in (record.query_path, record.satellite_path):
        if leads_out(one) or not one:
            remedy = "Write paths relative to the root of the data set, with forward slashes."
            raise InputError(f"a path below the root in {where}", repr(one[:_SHOWN]), remedy)


def _check_new(record: PairRecord, number: int, seen: dict[Key, int], path: Path) -> None:
    first = seen.setdefault(key_of(record), number)
    if first != number:
        found = f"{record.pair_id[:_SHOWN]!r} in {record.lang} as number {first} and again as number {number}"
        raise InputError(f"each pair once per language in {path}", found, "Remove one of the two.")


@contextlib.contextmanager
def writable(path: Path) -> Iterator[None]:
    """Say in three parts why a file cannot be written."""
    try:
        yield
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(f"a file that can be written, {path}", found, "Name another.") from error


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"])
    return f"{where}: {first['msg'][:120]}" if where else first["msg"][:120]
