"""How a case's folder is made, locked and removed, so that a process killed at any moment leaves a whole case."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from geosleuth.indexes.compiled import try_lock
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import SCRATCH, flush_folder

CASE_FILE = "case.json"
WRITE_LOCK = "write.lock"  # held for the milliseconds of a change
RUN_LOCK = "run.lock"  # held while a turn is at work, which changes state.sqlite all the time
DELETING = "deleting"  # case.json under this name: the case is gone, its files are about to be
NEW = ".new-"  # before the id: a folder that is about to become a case
GONE = ".gone-"  # before the id: a folder that is being deleted
_CREATION_S = 3600.0  # creating takes milliseconds; an hour, for a disk that hangs
_WAIT_S = 2.0  # a change takes milliseconds: whoever holds the lock longer is at work on something else
_POLL_S = 0.02


def cases_root(root: Path | None) -> Path:
    """Return the folder of all cases; None is the platform's place for a user's data."""
    if root is not None:
        return root.expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("geosleuth") / "cases"


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Say what to do where the disk is full, or the folder may not be written.

    Raises:
        InputError: In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        remedy = "Free some space, allow writing there, or set `cases_dir` in geosleuth.toml to another folder."
        raise InputError("a folder for cases that can be written", f"{folder}: {error.strerror}", remedy) from error


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, with those above it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextlib.contextmanager
def locked(folder: Path, lock: str, wait_s: float = _WAIT_S) -> Iterator[None]:
    """Hold one of a case's locks; the system drops it when the process dies.

    Raises:
        InputError: Another process or window holds it, or the case is gone.
    """
    if not (folder / CASE_FILE).is_file():  # opening the lock would make a file where there is no case
        raise no_case(folder.name)
    try:
        held = (folder / lock).open("a+b")
    except FileNotFoundError as error:  # deleted a moment ago
        raise no_case(folder.name) from error
    with held as file:
        until = time.monotonic() + wait_s
        while not try_lock(file):
            if time.monotonic() > until:
                found = f"another window or program at work on case {folder.name}"
                raise InputError("a case that nobody else is changing", found, "Wait until it is done, and try again.")
            time.sleep(_POLL_S)
        if not (folder / CASE_FILE).is_file():  # deleted while this one waited
            raise no_case(folder.name)
        yield  # closing the file unlocks it


def remove_scratch(folder: Path) -> None:
    """Remove what a killed process had half written; for the holder of the write lock, so that nobody else's is hit."""
    for path in folder.rglob(f".*{SCRATCH}"):
        path.unlink(missing_ok=True)


def remove_case(folder: Path, announce: Callable[[], None], wait_s: float = _WAIT_S) -> None:
    """Delete a case with all its files. Killed on the way, `finish_removals` ends it.

    Args:
        folder: The case's.
        announce: Called when nothing can stop the deletion any more but its own failure: it writes the audit log.
        wait_s: For others to end what they do with it.

    Raises:
        InputError: It is at work, or it is not there.
    """
    if not (folder / CASE_FILE).exists():  # a damaged one: nobody can be at work on it
        announce()
        remove_folder(folder)
        return
    with locked(folder, RUN_LOCK, wait_s), locked(folder, WRITE_LOCK, wait_s):
        announce()
        (folder / CASE_FILE).replace(folder / DELETING)  # from here on it is no case, whatever happens
        flush_folder(folder)
    remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Delete a folder of the store; half deleted, its name still says what it is."""
    gone = folder.with_name(f"{GONE}{folder.name.removeprefix(GONE)}")
    with contextlib.suppress(FileNotFoundError):  # here and below: another process may be at the same
        if folder != gone:
            folder.rename(gone)
    while gone.exists():
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(gone)
    flush_folder(gone.parent)


def finish_removals(owner_folder: Path) -> None:
    """Delete what a killed process had begun to delete, or to create."""
    left = [mark.parent for mark in owner_folder.glob(f"*/{DELETING}")] + list(owner_folder.glob(f"{GONE}*"))
    old = time.time() - _CREATION_S
    for folder in owner_folder.glob(f"{NEW}*"):
        with contextlib.suppress(OSError):
            left += [folder] if folder.stat().st_mtime < old else []
    for folder in left:
        with contextlib.suppress(OSError):  # another process is at the same, or the next time will do
            remove_folder(folder)


def no_case(case_id: str) -> InputError:
    """The error for a case that is not there; that it may be another's is nobody's business."""
    return InputError("a case of yours", f"none with the id {case_id}", "Choose one from the list of cases.")
