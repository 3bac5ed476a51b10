"""What is done, kept beside the output as it is done: a batch that was killed goes on from there.

A SQLite file: what is half written when the power fails is gone on the next opening, and a lock that a second batch
meets is dropped by the system when the process dies.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from geosleuth.agent.batch.outcome import Outcome
from geosleuth.indexes.errors import InputError

SUFFIX = ".journal"
_TABLE = "CREATE TABLE IF NOT EXISTS done (key TEXT PRIMARY KEY, finished REAL NOT NULL, outcome BLOB NOT NULL)"


class Journal:
    """Outcomes by key.

    Args:
        path: Its file; None keeps them in a temporary file that is deleted with the journal.
        resume: False forgets what an earlier run left.

    Raises:
        InputError: Another batch has it open, it cannot be written, or it is damaged.
    """

    def __init__(self, path: Path | None, *, resume: bool = True) -> None:
        self._path = path
        with self._explaining():
            if path is not None:
                if not path.parent.is_dir():  # a folder that a slip of the pen makes would hide the results
                    remedy = "Make it, or name another with --out."
                    raise InputError("a folder for the results", f"no such folder: {path.parent}", remedy)
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # answers are personal data
            self._file = sqlite3.connect(path or "", timeout=0, isolation_level=None)
            try:
                self._open(resume)
            except BaseException:
                self._file.close()
                raise

    def get(self, key: str) -> Outcome | None:
        """Return what came of a photo earlier."""
        with self._explaining():
            found = self._file.execute("SELECT outcome FROM done WHERE key = ?", (key,)).fetchone()
            return None if found is None else Outcome.model_validate_json(zlib.decompress(found[0]))

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome; on return it is on the disk."""
        # Level 1: an answer shrinks to a third in a tenth of a millisecond.
        content = zlib.compress(outcome.model_dump_json().encode(), 1)
        with self._explaining():
            self._file.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?)", (key, time.time(), content))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _open(self, resume: bool) -> None:
        # Exclusive: the first statement takes the lock and keeps it. With a write-ahead log an outcome costs one
        # flush of the disk; a power cut loses at most the photo that was being written.
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute("BEGIN EXCLUSIVE")
        self._file.execute(_TABLE)
        if not resume:
            self._file.execute("DELETE FROM done")
        self._file.execute("COMMIT")

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, zlib.error, ValidationError) as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                remedy = "Wait for it, or name another output."
                raise InputError(
                    "an output that nobody else writes", f"a batch at work: {self._path}", remedy
                ) from error
            damaged = isinstance(error, sqlite3.DatabaseError | zlib.error | ValidationError)
            remedy = "Free space or change the permissions, then run again: what is done is kept."
            if damaged and not isinstance(error, sqlite3.OperationalError):
                remedy = "Delete it, or set resume=False; all photos are then looked at anew."
            raise InputError("a journal that can be used", f"{self._path}: {error}", remedy) from error
