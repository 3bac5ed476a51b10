"""An index that is read by many while it grows, and afterwards: what the readers saw, what failed, memory over time."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from drawn_photos import drawn
from memory_watch import MemoryWatch, memory_table

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.store import open_index

_SIZE = (320, 240)  # px; the encoder makes them smaller yet
_AFTERWARDS_S = 120.0  # readers hold the vectors of what grows: whether they leak shows when it grows no more


@dataclass
class Seen:
    """What all readers saw."""

    searches: int = 0
    opened: int = 0
    sizes: list[int] = field(default_factory=list)  # references, in the order of opening; of all readers
    refused: Counter[str] = field(default_factory=Counter)  # stated failures: an index that is being replaced
    wrong: Counter[str] = field(default_factory=Counter)  # anything else
    lock: threading.Lock = field(default_factory=threading.Lock)


def measure_index(folder: Path, count: int, steps: int, readers: int) -> str:
    """Build an index of a part of `count` photos, and add the rest in steps while `readers` open and search it.

    Then they go on for two minutes.
    """
    index, parts = folder / "index", _tables(folder, count, steps)
    _run("build", str(parts[0]), "--out", str(index))
    seen, over = Seen(), threading.Event()
    threads = [threading.Thread(target=_read, args=(index, number, seen, over)) for number in range(readers)]
    started = time.monotonic()
    with MemoryWatch(os.getpid(), with_children=False) as watch:  # the readers; who adds comes and goes
        for thread in threads:
            thread.start()
        try:
            for part in parts[1:]:
                _run("add", str(part), str(index))
            grown_s = time.monotonic() - started
            time.sleep(_AFTERWARDS_S)
        finally:
            over.set()
            for thread in threads:
                thread.join()
    told = _table(seen, count, steps, readers, len(open_index(index)), grown_s)
    growing = [sample for sample in watch.samples if sample[0] <= grown_s]
    after = [sample for sample in watch.samples if sample[0] > grown_s]
    return f"{told}While it grows:\n\n{memory_table(growing)}\nAfterwards:\n\n{memory_table(after)}"


def _tables(folder: Path, count: int, steps: int) -> list[Path]:
    """One table for the build, and one for each step; a photo stands in one of them, at an invented position."""
    photos = list(drawn(count, _SIZE))
    parts = []
    for part in range(steps + 1):
        mine = photos[part :: steps + 1]
        root = folder / f"part-{part}"
        root.mkdir()
        with (root / "photos.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "lat", "lon"))
            for name, content in mine:
                (root / name).write_bytes(content)
                number = int(name[7:12])
                writer.writerow((name, 50.0 + (number % 1000) * 1e-3, 3.0 + (number // 1000) * 1e-3))
        parts.append(root / "photos.csv")
    return parts


def _read(index: Path, number: int, seen: Seen, over: threading.Event) -> None:
    """Open, search a few times, and open again, until told to end; the one reader with number 0 never opens anew."""
    rng, gallery, size = np.random.default_rng(number), None, 0
    while not over.is_set():
        try:
            if gallery is None or number:
                gallery = open_index(index)
                found = len(gallery)
                with seen.lock:
                    seen.opened += 1
                    seen.sizes.append(found)
                    if found < size:
                        seen.wrong["an index that became smaller"] += 1
                size = found
            queries = rng.standard_normal((4, gallery.dimension)).astype(np.float32)
            queries /= np.linalg.norm(queries, axis=1, keepdims=True)
            hits = gallery.search(queries, 5)
            with seen.lock:
                seen.searches += len(queries)
                if any(len(one.hits) != min(5, size) for one in hits):
                    seen.wrong["fewer hits than asked for"] += 1
        except InputError as error:
            with seen.lock:
                seen.refused[error.found.split(":")[0]] += 1
            gallery = None
        except Exception as error:  # noqa: BLE001 - that is what is counted here
            with seen.lock:
                seen.wrong[f"{type(error).__name__}: {error}"[:120]] += 1
            gallery = None
        time.sleep(0.01)


def _run(*words: str) -> None:
    command = [sys.executable, "-c", "from geosleuth.ui.cli import main; main()", "index", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"geosleuth index {words[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _table(seen: Seen, count: int, steps: int, readers: int, final: int, seconds: float) -> str:
    rows = [
        ("photos, adds, readers", f"{count:,} (synthetic), {steps}, {readers} in threads"),
        ("references in the end", f"{final:,}"),
        ("seconds until it was grown", f"{seconds:.0f}"),
        ("times opened, searches", f"{seen.opened:,}, {seen.searches:,}"),
        ("sizes that readers saw", ", ".join(f"{size:,}" for size in sorted(set(seen.sizes)))),
        ("stated failures", "; ".join(f"{n} x {what}" for what, n in seen.refused.items()) or "0"),
        ("wrong", "; ".join(f"{n} x {what}" for what, n in seen.wrong.items()) or "0"),
    ]
    return "| index | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows) + "\n"
