"""Scores on disk, a line a picture: what a killed run has written is read again, and nothing is scored twice.

FOLDER/scores.jsonl           {"path", "score", "leading", "flag"}, or {"path", "broken"} with the reason
FOLDER/scores.settings.json   what they depend on; other settings are refused

A picture is known by its path. One that was broken is tried again by the next run: it may have been mended.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.lock import locked
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.locatability.scorers import Scored, ScoreSettings

SCORES = "scores.jsonl"
SETTINGS = "scores.settings.json"
_NAMES = {  # what may differ, in words
    "method": "way to score",
    "model": "segmenter",
    "class_weights_sha256": "table of class weights",
}

Row = tuple[str, Scored | Skipped]


class ScoreFile:
    """The open file of a set's scores."""

    def __init__(self, path: Path, known: dict[str, Scored]) -> None:
        self.known = known  # by path
        self._path = path
        self._file = path.open("ab", buffering=0)  # else a failed write would be tried again by close, and fail again

    def add(self, rows: Iterable[Row]) -> None:
        """Write scores; when this returns they survive this process.

        Raises:
            InputError: They cannot be written; a line that was cut off is done again by the next run.
        """
        content = "".join(f"{_line(path, one)}\n" for path, one in rows).encode()
        try:
            if self._file.write(content) != len(content):  # a full disk
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            remedy = "Make room; the same command then goes on from here."
            raise InputError("to keep scores", f"{self._path}: {error.strerror or error}", remedy) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextlib.contextmanager
def opened_scores(folder: Path, settings: ScoreSettings) -> Iterator[ScoreFile]:
    """Begin a file of scores, or take up the one that is there; nobody else may, for as long as the context lasts.

    Raises:
        InputError: The folder cannot be written, is in use, or holds scores of other settings.
    """
    wanted = f"the scores in {folder} for this process alone"
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, wanted, "another that scores into it now"))
            _check(folder, settings)
            known = _taken_up(folder / SCORES)
            file = stack.enter_context(contextlib.closing(ScoreFile(folder / SCORES, known)))
        except OSError as error:
            found = f"{error.filename or folder}: {error.strerror or error}"
            raise InputError("a folder for scores that can be written", found, "Name another with --out.") from error
        yield file


def _check(folder: Path, settings: ScoreSettings) -> None:
    path = folder / SETTINGS
    if not path.exists():
        if (folder / SCORES).exists():
            found = f"{SCORES} without its settings"
            raise InputError(f"scores of this program in {folder}", found, "Name another folder with --out.")
        with appearing(path) as scratch:
            scratch.write_text(settings.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return
    known = read_json(path, ScoreSettings, "the settings of earlier scores", "Name another folder with --out.")
    changed = [
        f"another {words} ({_short(getattr(settings, name))}, where it was {_short(getattr(known, name))})"
        for name, words in _NAMES.items()
        if getattr(settings, name) != getattr(known, name)
    ]
    if changed:
        remedy = "Name another folder with --out, or score as before: one file holds scores of one kind."
        raise InputError(f"the settings that the scores in {folder} were made with", ", ".join(changed), remedy)


def _short(value: object) -> str:
    text = str(value) or "none"
    return text[:12] if len(text) == 64 else text  # a hash


def _taken_up(path: Path) -> dict[str, Scored]:
    """Read what is there; a last line that was cut off, and pictures that were broken, are done again."""
    if not path.exists():
        return {}
    rows, is_whole = _read(path)
    known = {name: one for name, one in rows if isinstance(one, Scored)}
    if not is_whole or len(known) < len(rows):
        with appearing(path) as scratch:
            scratch.write_text("".join(f"{_line(name, one)}\n" for name, one in known.items()), encoding="utf-8")
    return known


def _read(path: Path) -> tuple[list[Row], bool]:
    """Rows of the file, and whether its last line is whole."""
    *lines, rest = path.read_bytes().split(b"\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = f"line {number} of {path} ({type(error).__name__})"
            raise InputError("a score a line", found, "Remove the line: its picture is scored again.") from error
    return rows, not rest


def _row(said: Mapping[str, Any]) -> Row:
    path = str(said["path"])
    if "broken" in said:
        return path, Skipped(path, str(said["broken"]))
    return path, Scored(float(said["score"]), dict(said["leading"]), said["flag"])


def _line(path: str, one: Scored | Skipped) -> str:
    said: dict[str, object] = {"path": path}
    if isinstance(one, Skipped):
        said["broken"] = one.reason
    else:
        said |= {"score": one.score, "leading": one.leading, "flag": one.flag}
    return json.dumps(said)  # ASCII: a path of any bytes can be written
