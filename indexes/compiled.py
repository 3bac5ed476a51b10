"""Tables compiled once from the packages that ship them, and kept in the cache folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from geosleuth.indexes.errors import InputError

logger = logging.getLogger(__name__)

CACHE_VARIABLE = "GEOSLEUTH_CACHE_DIR"
_SIZES = ".sizes.json"  # in a table's folder: the bytes of each of its files
# What the cache folder, and not the builder, is to blame for. Others are the builder's and pass through.
_FOLDER_ERRORS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}


def cache_folder() -> Path:
    """Name the folder for everything that can be made again; it need not exist.

    The environment variable comes first, and the `cache_dir` setting is handed over in it, so that worker processes
    use the same folder.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("geosleuth"))


def compiled_folder(
    name: str, version_parts: Sequence[str], build: Callable[[Path], None], *, level: int = logging.INFO
) -> Path:
    """Return the folder of the compiled table `name`, building it first where it is missing.

    A folder under its final name is complete: it is built under a temporary name beside it and renamed. Of several
    processes that need it at once, one builds and the others wait. Other versions of the same table are removed.

    Args:
        name: Lower-case letters, digits, hyphens.
        version_parts: All that the content depends on: version of the source package, of the layout, of Unicode.
        build: Fills the empty folder that it is given.
        level: At which building is logged: DEBUG for small tables of which there are many.

    Raises:
        InputError: The cache folder is read-only or full.
    """
    version = hashlib.sha256("\0".join(version_parts).encode()).hexdigest()[:12]
    parent = cache_folder() / "compiled"
    target = parent / f"{name}-{version}"
    if _is_whole(target):  # without the lock, so that a read-only cache that is already filled works
        return target
    with contextlib.ExitStack() as stack:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(parent / f"{name}.lock"))
        except OSError as error:
            raise _unusable(parent, error) from error
        if not _is_whole(target):  # another process may have built it while this one waited
            _build(name, target, build, level)
    return target


def _build(name: str, target: Path, build: Callable[[Path], None], level: int) -> None:
    """Build and rename. The caller holds the lock, so every other temporary folder of `name` is a dead one's."""
    started = time.perf_counter()
    logger.log(level, "Compiling %s into %s (once; a few seconds)", name, target)
    _remove(target.parent, rf"\.{re.escape(name)}-[0-9a-f]{{12}}\..*")
    if target.is_dir():
        logger.warning("%s is damaged, and is made anew", target)
        shutil.rmtree(target, ignore_errors=True)
    scratch: Path | None = None
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        build(scratch)
        sizes = {path.relative_to(scratch).as_posix(): path.stat().st_size for path in _files(scratch)}
        (scratch / _SIZES).write_text(json.dumps(sizes), encoding="utf-8")
        size = _flush(scratch)
        scratch.chmod(0o755)  # mkdtemp makes it private, but a cache may be shared between users
        scratch.rename(target)
    except OSError as error:
        if error.errno in _FOLDER_ERRORS:
            raise _unusable(target.parent, error) from error
        raise
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)  # after the rename there is nothing left to remove
    _remove(target.parent, rf"{re.escape(name)}-[0-9a-f]{{12}}", keep=target.name)
    logger.log(level, "Compiled %s: %.1f MB in %.1f s", name, size / 1e6, time.perf_counter() - started)


def _flush(folder: Path) -> int:
    """Force the files to disk, so that a power cut after the rename leaves no empty ones; return their bytes."""
    size = 0
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        size += path.stat().st_size
    return size


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _is_whole(folder: Path) -> bool:
    """Tell whether a table is there, with every file as long as it was made; hashing 200 MB would take a second.

    One without a list of its files is of an earlier version of geosleuth, which made none.
    """
    if not folder.is_dir():
        return False
    try:
        listed = (folder / _SIZES).read_text(encoding="utf-8")
    except FileNotFoundError:
        return any(folder.iterdir())
    except OSError:
        return True  # its reader says what is wrong
    try:
        return all((folder / name).stat().st_size == size for name, size in json.loads(listed).items())
    except (OSError, ValueError, AttributeError):
        return False


def _remove(parent: Path, pattern: str, keep: str = "") -> None:
    for path in parent.iterdir():
        if path.name != keep and re.fullmatch(pattern, path.name):
            shutil.rmtree(path, ignore_errors=True)  # a reader that has it mapped keeps its pages


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, which the system drops when the process dies."""
    with path.open("a+b") as file:
        if not try_lock(file):
            logger.info("Another process is compiling %s: waiting for it", path.stem)
            while not try_lock(file):
                time.sleep(0.1)
        yield  # closing the file unlocks it


def try_lock(file: IO[bytes]) -> bool:
    """Take an exclusive lock on an open file, if nobody else holds it; the system drops it when the process dies."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES, errno.EDEADLK}:  # held by another (EACCES: Windows, old Unix)
            return False
        raise
    return True


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(
        "a cache folder that can be written",
        f"{folder}: {error.strerror}",
        f"Set `cache_dir` in geosleuth.toml, or {CACHE_VARIABLE}, to a folder with 200 MB free.",
    )
