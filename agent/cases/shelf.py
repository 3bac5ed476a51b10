"""`Shelf`: the cases of one person as a list: made, opened, named, deleted."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from geosleuth.agent.audit import audit_event
from geosleuth.agent.cases.case import Case, CaseSummary
from geosleuth.agent.cases.custody import CUSTODY_FILE, append_event, new_salt, word_hash
from geosleuth.agent.cases.disk import (
    CASE_FILE,
    NEW,
    WRITE_LOCK,
    cases_root,
    finish_removals,
    locked,
    make_folder,
    no_case,
    remove_case,
    remove_scratch,
    writable,
)
from geosleuth.agent.cases.turns import summary
from geosleuth.agent.cases.versions import settings_record, tool_versions
from geosleuth.agent.printable import printable
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.json_file import read_json
from geosleuth.indexes.whole_file import flush_folder, write_private

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings

CASE_ID = re.compile(r"[0-9a-f]{32}")
NAME_LENGTH = 200  # characters: what a line on a wide screen holds
_DAMAGED = "Restore its folder from a copy, or delete it."


class Shelf:
    """The cases of one owner. Any number of shelves, in any number of processes, may stand on one folder.

    Args:
        root: Folder of all owners' cases; None is the platform's place for data.
        owner: Whose cases: an OIDC subject or address; another owner's are out of reach.
        retention_days: After how many days without a change a case is expired; None is never.
        precision_cap_km: No answer is kept, shown or exported finer than this.
        audit_log: Where creation, answers, exports and deletions are noted; None is nowhere.
    """

    def __init__(
        self,
        root: Path | None = None,
        owner: str = "local",
        *,
        retention_days: int | None = None,
        precision_cap_km: float | None = None,
        audit_log: Path | None = None,
    ) -> None:
        if not owner.strip():
            raise InputError("the name of a cases' owner", "an empty one", "Log in, or leave the owner out.")
        self.root = cases_root(root)
        self.owner = owner
        self.retention_days = retention_days
        self.precision_cap_km = precision_cap_km
        self.audit_log = audit_log
        # A hash, since an owner is a stranger's string: it may hold slashes, and differ by letter case alone, which
        # some file systems do not tell apart. 128 bits of it do not meet by chance.
        self.folder = self.root / hashlib.sha256(owner.encode()).hexdigest()[:32]
        self._memories: dict[str, Any] = {}  # under a cap: the state of each case, never on the disk

    @classmethod
    def of(cls, settings: Settings, owner: str = "local") -> Self:
        """Open the store that the settings name."""
        return cls(
            settings.cases_dir,
            owner,
            retention_days=settings.retention_days,
            precision_cap_km=settings.precision_cap_km,
            audit_log=settings.audit_log,
        )

    def create(self, name: str | None = None, settings: Settings | None = None) -> Case:
        """Make a case without photos; its name is the day and time where none is given."""
        now = datetime.now(UTC)
        case = Case(
            id=secrets.token_hex(16),
            salt=new_salt(),
            name=_checked_name(name) if name is not None else f"Case of {now:%Y-%m-%d %H:%M} UTC",
            owner=self.owner,
            created=now,
            changed=now,
            versions=tool_versions(),
            settings=settings_record(settings) if settings is not None else {},
        )
        scratch = self.folder / f"{NEW}{case.id}"
        with writable(self.root):
            for folder in (self.root, self.folder, scratch, scratch / "photos", scratch / "answers"):
                make_folder(folder)
            details = {"id": case.id, "owner": case.owner, "versions": case.versions, "settings": case.settings}
            case = self._commit(scratch, case, "created", details)
            scratch.rename(self.folder / case.id)
            flush_folder(self.folder)
        self._audit("case created", case)
        return case

    def list(self) -> builtins.list[CaseSummary]:
        """Return the cases, the last changed first; a damaged one is among them with its reason."""
        if not self.folder.is_dir():
            return []
        finish_removals(self.folder)
        found = []
        for folder in self.folder.iterdir():
            if not CASE_ID.fullmatch(folder.name):
                continue
            try:
                found.append(summary(self.open(folder.name), self.precision_cap_km))
            except InputError as error:
                with contextlib.suppress(FileNotFoundError):  # deleted a moment ago
                    changed = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
                    found.append(CaseSummary(id=folder.name, name=folder.name, changed=changed, damaged=error.found))
        return sorted(found, key=lambda one: one.changed, reverse=True)

    def open(self, case_id: str) -> Case:
        """Read a case.

        Raises:
            InputError: It is not there, not this owner's, or damaged.
        """
        folder = self._folder_of(case_id)
        if not folder.is_dir():
            raise no_case(case_id)
        try:
            case = read_json(folder / CASE_FILE, Case, "a case that can be read", _DAMAGED)
        except InputError as error:  # without the folder: where a server keeps its cases is not for its users
            raise InputError(error.wanted, error.found.replace(f"{folder}{os.sep}", ""), error.remedy) from error
        if case.id != case_id or case.owner != self.owner:
            raise InputError("a case that can be read", "the case.json of another case", _DAMAGED)
        return case

    def rename(self, case_id: str, name: str) -> Case:
        """Give a case another name."""
        with self._changing(case_id) as (folder, case):
            new = case.model_copy(update={"name": _checked_name(name)})
            return self._commit(folder, new, "renamed", {"name": word_hash(new.salt, new.name)})

    def delete(self, case_id: str, *, reason: str = "asked for") -> None:
        """Delete a case with all that belongs to it; only its id stays, in the audit log.

        Raises:
            InputError: A turn of it is at work.
        """
        folder = self._folder_of(case_id)
        if not folder.is_dir():
            raise no_case(case_id)

        def announce() -> None:
            if self.audit_log is not None:
                audit_event(self.audit_log, "case deleted", case=case_id, owner=self.folder.name, reason=reason)

        with writable(folder):
            remove_case(folder, announce)
        self._memories.pop(case_id, None)

    def _folder_of(self, case_id: str) -> Path:
        if not CASE_ID.fullmatch(case_id):  # not quoted: it may be anything, of any length
            raise InputError("the id of a case, 32 hexadecimal digits", "something else", "Choose one from the list.")
        return self.folder / case_id

    @contextlib.contextmanager
    def _changing(self, case_id: str) -> Iterator[tuple[Path, Case]]:
        folder = self._folder_of(case_id)
        with writable(folder), locked(folder, WRITE_LOCK):
            remove_scratch(folder)
            yield folder, self.open(case_id)

    def _commit(self, folder: Path, case: Case, event: str, details: Mapping[str, Any]) -> Case:
        """Note the event, then write the case: killed in between, the chain tells of more than the case, never less."""
        now = datetime.now(UTC)
        lines, head = append_event(folder / CUSTODY_FILE, event, details, now)
        case = case.model_copy(update={"changed": now, "custody_lines": lines, "custody_head": head})
        write_private(folder / CASE_FILE, case.model_dump_json(indent=1).encode())
        return case

    def _audit(self, event: str, case: Case) -> None:
        if self.audit_log is not None:  # with the head of the chain: a rewritten one no longer fits the log
            audit_event(self.audit_log, event, case=case.id, owner=self.folder.name, custody=case.custody_head)


def _checked_name(name: str) -> str:
    """Cut a case's name, and make visible what would steer a terminal or turn the direction of writing."""
    checked = printable(" ".join(name.split()))[:NAME_LENGTH]
    if not checked:
        raise InputError("a name for the case", "an empty one", "Write a word or two.")
    return checked
