"""Checksums of large files, by several threads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from geosleuth.indexes.encoders.parallel import core_count
from geosleuth.indexes.gallery.manifest import FileFacts, astray

_BLOCK = 16 << 20  # bytes; large enough that the threads do not wait for each other, small enough for any memory
_MOST_THREADS = 8  # beyond, the disk is what is waited for


def file_facts(path: Path) -> FileFacts:
    """Size and checksum of a file.

    The checksum is the SHA-256 of the concatenated SHA-256 digests of its blocks of 16 MiB.
    """
    size = path.stat().st_size
    with ThreadPoolExecutor(min(_MOST_THREADS, core_count())) as pool:  # hashing and reading release the lock
        digests = list(pool.map(lambda start: _block_digest(path, start), range(0, size, _BLOCK)))
    return FileFacts(bytes=size, sha256=hashlib.sha256(b"".join(digests)).hexdigest())


def _block_digest(path: Path, start: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        return hashlib.sha256(file.read(_BLOCK)).digest()


def broken_files(folder: Path, files: Mapping[str, FileFacts]) -> dict[str, str]:
    """Compare files with what the manifest says of them: name and fault of those that differ, in words."""
    faults = {}
    for name, wanted in files.items():
        path = folder / name
        try:
            if (fault := astray(path)) is not None:  # before it is opened: a pipe would never end
                faults[name] = fault
                continue
            size = path.stat().st_size
            if size != wanted.bytes:  # before the hash: a file cut short is found at once
                faults[name] = f"it has {size:,} bytes instead of {wanted.bytes:,}"
            elif file_facts(path) != wanted:
                faults[name] = "its bytes do not agree with the checksum in the manifest"
        except FileNotFoundError:
            faults[name] = "it is missing"
        except OSError as error:
            faults[name] = f"it cannot be read ({error.strerror})"
    return faults
