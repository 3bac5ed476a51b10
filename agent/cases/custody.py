"""The chain of custody: every event of a case, each line holding the hash of the line before it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from geosleuth.agent.cases.case import Case, CasePhoto
from geosleuth.indexes.whole_file import write_private

CUSTODY_FILE = "custody.jsonl"
FIRST = "0" * 64  # stands where the first line has no line before it


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustodyEvent(_Frozen):
    """One line of custody.jsonl."""

    number: int  # from 1
    at: AwareDatetime
    event: str  # "created", "photo added", "renamed", "asked", "answered", "exported"
    details: dict[str, Any]
    previous: str  # SHA-256 of the line before, `FIRST` for the first


class Custody(_Frozen):
    """What a report says about a case's photos, its program, and what was done."""

    case_id: str
    owner: str
    photos: tuple[CasePhoto, ...]
    versions: dict[str, str]  # of geosleuth, its libraries, Python and the platform
    settings: dict[str, Any]  # resolved; no secret
    weights: dict[str, str]  # role -> what ran, of the last answer
    events: tuple[CustodyEvent, ...]
    head: str  # SHA-256 of the last line: whoever has noted it can tell any later change
    broken: str | None = None  # which line does not fit, and why; None: the chain is whole


def new_salt() -> str:
    """Draw a case's salt, 256 bits in hexadecimal digits."""
    return secrets.token_hex(32)


def word_hash(salt: str, words: str) -> str:
    """HMAC-SHA256 of what a person said or named: it proves the words to who has the salt, and tells others nothing.

    A plain hash would tell "near Sintra" to whoever tries the names of places.
    """
    return hmac.new(bytes.fromhex(salt), words.encode(), hashlib.sha256).hexdigest()


def append_event(path: Path, event: str, details: Mapping[str, Any], at: datetime | None = None) -> tuple[int, str]:
    """Add a line, and return its number and its hash. The caller holds the case's write lock.

    The file is written anew and renamed: a process killed while it appends would leave half a line, which nobody could
    tell from tampering. A case has some dozens of lines.
    """
    lines = _lines(path)
    number, previous = len(lines) + 1, _sha256(lines[-1]) if lines else FIRST
    entry = {
        "number": number,
        "at": (at or datetime.now(UTC)).isoformat(),
        "event": event,
        "details": dict(details),
        "previous": previous,
    }
    line = json.dumps(entry).encode()
    write_private(path, b"".join(one + b"\n" for one in (*lines, line)))
    return number, _sha256(line)


def verify_chain(lines: Sequence[bytes], known: int = 0, head: str = "") -> str | None:
    """Say which line does not fit its neighbours, or return None.

    Args:
        lines: Without their line ends.
        known: How many there were when `head` was noted; more may have followed.
        head: SHA-256 of line `known`.
    """
    previous = FIRST
    for number, line in enumerate(lines, start=1):
        try:
            event = CustodyEvent.model_validate_json(line)
        except ValidationError:
            return f"line {number} cannot be read"
        if event.number != number:
            return f"line {number} calls itself line {event.number}: lines were removed, added or moved"
        if event.previous != previous:
            return f"line {number} does not follow line {number - 1}: one of them was changed"
        previous = _sha256(line)
    if len(lines) < known:
        return f"line {len(lines) + 1} is missing: there were {known}"
    if known and _sha256(lines[known - 1]) != head:
        return f"line {known} is not the one that was noted: it was changed"
    return None


def custody_of(case: Case, folder: Path, weights: Mapping[str, str]) -> Custody:
    """Gather what a report says, and check it.

    Args:
        case: As it was opened.
        folder: The case's.
        weights: The last answer's `backends`.
    """
    lines = _lines(folder / CUSTODY_FILE)
    broken = verify_chain(lines, case.custody_lines, case.custody_head)
    events = tuple(_readable(lines))
    return Custody(
        case_id=case.id,
        owner=case.owner,
        photos=case.photos,
        versions=case.versions,
        settings=case.settings,
        weights=dict(weights),
        events=events,
        head=_sha256(lines[-1]) if lines else FIRST,
        broken=broken or _unaccounted(case, events),
    )


def _unaccounted(case: Case, events: Sequence[CustodyEvent]) -> str | None:
    """Name what case.json states and no event tells of."""
    told = {(one.event, one.details.get("sha256")) for one in events}
    for photo in case.photos:
        if ("photo added", photo.sha256) not in told:
            return f"no line tells of photo {photo.sha256}"
    for turn in case.turns:
        if turn.finished and ("answered", turn.answer_sha256) not in told:
            return f"no line tells of the answer of turn {turn.number}"
    return None


def _readable(lines: Sequence[bytes]) -> Iterator[CustodyEvent]:
    for line in lines:
        with contextlib.suppress(ValidationError):  # `verify_chain` has named it
            yield CustodyEvent.model_validate_json(line)


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _sha256(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
