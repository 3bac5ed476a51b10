"""Read clue texts: sentences like "In Japan, utility poles have black and yellow bands at the foot"."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geosleuth.indexes.errors import InputError

KEYS = ("clue", "text")  # column or key that holds the sentence, the first that is there
LONGEST = 2000  # characters; a clue is a sentence or a few, and longer ones are whole pages that were pasted


@dataclass(frozen=True)
class Clues:
    """Texts in the order of the file, each once, and why others are not among them."""

    texts: tuple[str, ...]
    skipped: Counter[str] = field(default_factory=Counter)  # reason -> rows

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"Clues({len(self)} texts, {self.skipped.total()} rows skipped)"


def read_clues(path: Path) -> Clues:
    """Read a file of clues, UTF-8.

    .txt    one clue a line; empty lines do not count
    .csv    with a heading; the column "clue", else "text"
    .jsonl  one JSON value a line: a string, or an object with the key "clue", else "text"

    Rows that cannot be read are counted, never dropped in silence.

    Raises:
        InputError: No such file, another format, or no clue in it.
    """
    rows = _ROWS.get(path.suffix.casefold())
    if rows is None:
        raise InputError("clues in .txt, .csv or .jsonl", f"{path.name}", "Save the clues in one of these formats.")
    try:
        content = path.expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Name a text file in UTF-8."
        raise InputError(f"clue texts in {path}", f"none that can be read ({error})", remedy) from error
    kept: dict[str, None] = {}
    skipped: Counter[str] = Counter()
    for row in rows(content, path):
        text = " ".join(row.split()) if row is not None else None
        if text is None:
            skipped["not readable"] += 1
        elif not text:
            skipped["empty"] += 1
        elif len(text) > LONGEST:
            skipped[f"longer than {LONGEST} characters"] += 1
        elif text in kept:
            skipped["there before"] += 1  # lists are copied from each other: a clue is one witness
        else:
            kept[text] = None
    if not kept:
        raise InputError(f"clue texts in {path}", f"none ({dict(skipped)})", "Write one clue a row.")
    return Clues(tuple(kept), skipped)


def _lines(content: str, path: Path) -> Iterator[str | None]:  # noqa: ARG001  # one signature for all formats
    yield from (line for line in content.splitlines() if line.strip())


def _table(content: str, path: Path) -> Iterator[str | None]:
    reader = csv.DictReader(content.splitlines(keepends=True))  # kept ends: a cell may hold several lines
    column = next((key for key in KEYS if key in (reader.fieldnames or ())), None)
    if column is None:
        found = f"the columns {reader.fieldnames or []}"
        raise InputError(f"a column {KEYS[0]!r} or {KEYS[1]!r} in {path}", found, "Name the column of the clues so.")
    try:
        yield from (row[column] for row in reader)
    except csv.Error as error:  # a cell beyond csv's limit
        raise InputError(f"a table in {path}", f"{error}", "Correct the line.") from error


def _json_lines(content: str, path: Path) -> Iterator[str | None]:  # noqa: ARG001
    for line in filter(str.strip, content.split("\n")):  # splitlines would cut at separators that JSON allows
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):  # ValueError also for numbers of thousands of digits
            yield None
            continue
        if isinstance(value, dict):
            value = next((value[key] for key in KEYS if key in value), None)
        yield value if isinstance(value, str) else None


_ROWS = {".txt": _lines, ".csv": _table, ".jsonl": _json_lines}
