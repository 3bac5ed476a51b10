"""The program that decodes photos for a server: `python -P -m geosleuth.indexes.decoder` (see decoder_process.py).

For each photo it reads a line of JSON and the file's bytes from stdin, and writes a line of JSON and plain bytes to
stdout: no pickle, since a photo may have taken it over. Its first line says that it is ready: one that ends before it
did so for no photo. It ends when stdin does, and imports what decodes alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import Photo, open_photo

if TYPE_CHECKING:
    from geosleuth.indexes.pixels import Pixels

# Of address space. The most that an allowed photo takes is 4.6 GB, a TIFF of 220 MP in floating point (3.7 GB measured
# at 178 MP); a PNG of 220 MP in 16 bits takes 3.3 GB, a progressive JPEG 1.5 GB, a phone's 12 MP 0.24 GB.
MAX_BYTES = 5 << 30
# The slowest allowed photo, that PNG, takes 8.4 s of a core of 2020's servers; a machine may be slow, or busy.
MAX_SECONDS = 60
MAX_VIDEO_SECONDS = 300
READY = b'{"ready": true}\n'
OUT_OF_MEMORY = 77  # its exit code then; none that Python, a shell or sysexits.h uses
_GRACE_S = 5  # behind the server's own watch, which says what happened; this one is for a server that has died
_LOOK_S = 0.05  # a decoder fills some 0.1 GB meanwhile


def main() -> None:
    """Answer until stdin ends."""
    source, out = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print, those in C too, is no answer
    limit_memory()
    out.write(READY)
    out.flush()
    while line := source.readline():
        request = json.loads(line)
        limit_time(longest_s(request["do"]) + _GRACE_S)
        parts = answer(request, source.read(request["bytes"]))
        limit_time(0)
        for part in parts:
            out.write(part)
        out.flush()
        del parts  # or an idle process would hold 50 MB


def answer(request: dict[str, Any], content: bytes) -> list[bytes | memoryview]:
    """Return a line of JSON, and the bytes that it announces; out of memory, the process ends."""
    try:
        if request["do"] == "frames":
            return _frames(request)
        photo = open_photo(content, name=request["name"])
        if request["do"] == "open":
            return _header(photo)
        side_px = request["side_px"]
        return _picture(photo.pixels if side_px is None else photo.pixels_at(side_px))
    except InputError as error:
        if isinstance(error.__cause__, MemoryError):
            os._exit(OUT_OF_MEMORY)
        return [_line({"refused": (error.wanted, error.found, error.remedy)})]
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def longest_s(do: str) -> int:
    """Return how long what is asked may take."""
    return MAX_VIDEO_SECONDS if do == "frames" else MAX_SECONDS


def limit_time(seconds: int) -> None:
    """Have the system end this process in so many seconds, whatever it does then, in C too; 0 takes that back."""
    if hasattr(signal, "alarm"):  # Windows has none; the server's watch remains
        signal.alarm(seconds)


def limit_memory() -> None:
    """Hold this process to `most_bytes()`, and write no picture of its memory, which holds the photo, to the disk.

    Linux refuses the memory; macOS takes that limit and does not keep it, so that a thread looks at what is taken.
    Windows has neither: a photo may take there what its pixels do, which are limited by themselves.
    """
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes(), most_bytes()))
        with contextlib.suppress(OSError):  # where memory is short the kernel shall end this process, not the server
            Path("/proc/self/oom_score_adj").write_text("1000")
    else:
        threading.Thread(target=watch_memory, daemon=True).start()


def most_bytes() -> int:
    """Return the limit on this machine: `MAX_BYTES`, or half of its memory."""
    if not hasattr(os, "sysconf"):
        return MAX_BYTES
    return min(MAX_BYTES, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)


def watch_memory() -> None:
    """End this process once it has taken `most_bytes()`."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, by getrusage(2)
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < most_bytes():
        time.sleep(_LOOK_S)
    os._exit(OUT_OF_MEMORY)


def _header(photo: Photo) -> list[bytes | memoryview]:
    exif, xmp = photo.exif or b"", photo.xmp or b""
    said = {
        "format": photo.format,
        "size": photo.size,
        "original_size": photo.original_size,
        "has_content_credentials": photo.has_content_credentials,
        "notes": photo.notes,
        "exif_bytes": len(exif),
        "xmp_bytes": len(xmp),
    }
    return [_line({"header": said}), exif, xmp]


def _picture(pixels: Pixels) -> list[bytes | memoryview]:
    return [_line({"shape": pixels.shape}), pixels.data.cast("B")]


def _frames(request: dict[str, Any]) -> list[bytes | memoryview]:
    from geosleuth.indexes.video import frames  # OpenCV is loaded for a video alone

    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    found = frames(path, request["count"], name=request["name"])
    said = [
        {"name": one.name, "notes": one.notes, "original_size": one.original_size, "shape": one.pixels.shape}
        for one in found
    ]
    return [_line({"frames": said}), *(one.pixels.data.cast("B") for one in found)]


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


if __name__ == "__main__":
    main()
