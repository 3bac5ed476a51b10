"""The audit log: JSON lines, appended, so that a team can show what was searched, kept and deleted, and when."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from geosleuth.indexes.errors import InputError


def append_audit(path: Path, *, sha256: str, status: str) -> None:
    """Append time, photo and status. The photo is named by its hash alone: a file name may itself be personal.

    Raises:
        InputError: The log cannot be written; an answer without its entry would make the log worthless.
    """
    _append(path, {"sha256": sha256, "status": status})


def audit_event(path: Path, event: str, **facts: str | int) -> None:
    """Append time, what happened to a case, and facts that name neither a person nor a place.

    Raises:
        InputError: The log cannot be written.
    """
    _append(path, {"event": event, **facts})


def _append(path: Path, facts: dict[str, str | int]) -> None:
    line = (json.dumps({"time": datetime.now(UTC).isoformat(timespec="seconds"), **facts}) + "\n").encode()
    target = path.expanduser()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # O_APPEND with one write keeps lines whole when several processes share the log; 0600: it is personal data.
        handle = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        found = f"{target}: {error.strerror}"
        raise InputError("an audit log that can be written", found, "Correct audit_log in the settings.") from error
