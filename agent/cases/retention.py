"""Cases that nobody has touched for long are deleted, of all owners, when a server starts."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from geosleuth.agent.audit import audit_event
from geosleuth.agent.cases.case import Case
from geosleuth.agent.cases.disk import CASE_FILE, cases_root, finish_removals, remove_case
from geosleuth.agent.cases.shelf import CASE_ID
from geosleuth.indexes.errors import InputError

logger = logging.getLogger(__name__)


def sweep(
    root: Path | None, retention_days: int | None, *, audit_log: Path | None = None, now: datetime | None = None
) -> list[str]:
    """Delete what has not been changed for so many days, whoever owns it; return the ids. None deletes nothing.

    Opening a case and looking at it is no change.
    """
    if retention_days is None:
        return []
    oldest = (now or datetime.now(UTC)) - timedelta(days=retention_days)
    gone: list[str] = []
    for owner in _named(cases_root(root)):
        finish_removals(owner)
        for folder in _named(owner):
            old = _changed(folder) < oldest
            gone += [folder.name] if old and _removed(folder, audit_log) else []
    return gone


def _named(parent: Path) -> list[Path]:
    """Only what a store made: somebody may have pointed `cases_dir` at a folder with other things in it."""
    return [one for one in parent.iterdir() if CASE_ID.fullmatch(one.name)] if parent.is_dir() else []


def _changed(folder: Path) -> datetime:
    """By case.json, for a restored copy has new file times; a damaged case has nothing else."""
    try:
        return Case.model_validate_json((folder / CASE_FILE).read_bytes()).changed
    except (OSError, ValidationError):
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _removed(folder: Path, audit_log: Path | None) -> bool:
    def announce() -> None:
        if audit_log is not None:
            audit_event(audit_log, "case deleted", case=folder.name, owner=folder.parent.name, reason="retention")

    try:
        remove_case(folder, announce, wait_s=0)
    except InputError:  # somebody is at work on it: it is not untouched
        logger.info("Case %s is old and at work: it stays", folder.name)
        return False
    except OSError as error:
        # Without the error's own words, which name files of the case.
        why = error.strerror or type(error).__name__
        logger.warning("Case %s is too old and cannot be deleted (%s): see its folder in cases_dir", folder.name, why)
        logger.debug("Why: %s", error)
        return False
    return True
