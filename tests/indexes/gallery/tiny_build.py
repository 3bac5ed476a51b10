"""A real but tiny encoder, photos with positions, and a build that can be killed; the tests of building run this file.

No test itself: `runpy.run_path` gives its names. As a program it imports everything once, then forks a process for each
line that it reads, a JSON list of the arguments of `run`; it prints the process's number, and its end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 4


class TinyEncoder:
    """Mean colours of a 4 x 4 grid, centred and brought to length 1."""

    spec = "tiny"
    dimension = SIDE * SIDE * 3
    input_side_px = 16

    def __init__(self, weights_sha256: str = "0" * 64) -> None:
        self.weights_sha256 = weights_sha256

    def prepare(self, pixels: NDArray[np.uint8], view: str = "ground") -> NDArray[Any]:  # noqa: ARG002
        return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float32)

    def encode(self, prepared: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        rows = np.stack(prepared).reshape(len(prepared), -1)
        rows = rows - rows.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(np.divide(rows, lengths, where=lengths > 0, out=np.zeros_like(rows)), dtype=np.float32)


def draw_photo(path: Path, seed: int, position: tuple[float, float] | None, **tags: Any) -> Path:
    """Write a JPEG of coloured blocks; `tags` are heading and taken."""
    blocks = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    exif = Image.Exif()
    if position is not None:
        lat, lon = position
        gps = {1: "N" if lat >= 0 else "S", 2: _degrees(lat), 3: "E" if lon >= 0 else "W", 4: _degrees(lon)}
        if "heading" in tags:
            gps |= {16: "T", 17: float(tags["heading"])}
        exif[0x8825] = gps
    if "taken" in tags:
        exif.get_ifd(0x8769)[0x9003] = tags["taken"]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(blocks).resize((64, 48), Image.Resampling.NEAREST).save(path, "JPEG", exif=exif)
    return path


def _degrees(value: float) -> tuple[Fraction, int, int]:
    return Fraction(round(abs(value) * 10**7), 10**7), 0, 0


def draw_photos(folder: Path, count: int, *, first: int = 0) -> Path:
    """Photos a hundred metres apart, northwards from Lund; every tenth lies in a folder of its own."""
    for number in range(first, first + count):
        name = f"day/{number:03d}.jpg" if number % 10 == 0 else f"{number:03d}.jpg"
        draw_photo(folder / name, number, (55.7 + number * 1e-3, 13.2))
    return folder


def _die_at(event_number: int, start: str) -> None:
    """Kill this process, as by `kill -9`, when it is about to touch a path that starts so for the n-th time."""
    left = event_number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        watched = event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")
        if watched and any(isinstance(value, str) and value.startswith(start) for value in map(_text, arguments)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def run(task: str, source: str, out: str, die_at: int | None, touching: str = "") -> None:
    """Build or add, and print nothing; `touching`: the start of a name in `out`."""
    from geosleuth.indexes.gallery.build import add_to_index, build_index

    if die_at is not None:
        _die_at(die_at, f"{out}/{touching}" if touching else out)
    work = build_index if task == "build" else add_to_index
    work(source, out, encoder=TinyEncoder(), chunk_size=8)


def serve() -> None:
    """Fork a process per line: a fresh interpreter would take seconds each time."""
    import h3.api.basic_int  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import shapely  # noqa: F401

    import geosleuth.indexes.gallery.build
    import geosleuth.indexes.gallery.table  # noqa: F401

    for line in sys.stdin:
        process = os.fork()
        if not process:
            run(*json.loads(line))
            os._exit(0)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
