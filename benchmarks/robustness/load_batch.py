"""A long batch: photos per second, rows, failures, and memory over time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from drawn_photos import drawn
from memory_watch import MemoryWatch, memory_table

TWELVE_MP = (4000, 3000)


def measure_batch(folder: Path, count: int, size: tuple[int, int], workers: int | None) -> str:
    """Run `geosleuth batch` over so many synthetic photos of a size, and return the figures in Markdown."""
    photos, out = folder / "photos", folder / "results.parquet"
    photos.mkdir()
    for name, content in drawn(count, size):
        (photos / name).write_bytes(content)
    command = [sys.executable, "-c", "from geosleuth.ui.cli import main; main()", "batch", str(photos)]
    command += ["--out", str(out), *(["--workers", str(workers)] if workers else [])]
    started = time.monotonic()
    with (folder / "batch.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        with MemoryWatch(process.pid) as watch:
            code = process.wait()
    seconds = time.monotonic() - started
    states = _states(out)
    rows = [
        ("photos, size", f"{count:,} of {size[0]} x {size[1]} px (synthetic)"),
        ("exit code", f"{code}"),
        ("rows in the table", f"{sum(states.values()):,}"),
        *((f"rows {state}", f"{n:,}") for state, n in states.most_common()),
        ("seconds, photos per second", f"{seconds:.0f}, {count / seconds:.2f}"),
    ]
    table = "| batch | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)
    return table + "\n" + memory_table(watch.samples)


def _states(path: Path) -> Counter[str]:
    import pyarrow.parquet as pq

    if not path.is_file():
        return Counter()
    return Counter(str(state) for state in pq.read_table(path, columns=["status"]).column("status").to_pylist())
