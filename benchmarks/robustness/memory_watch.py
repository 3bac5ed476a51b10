"""The memory of a process, with or without all that it has begun, over time, and whether it grows."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MB = 1_000_000
# Growth from the middle fifth of the samples to the last that still counts as flat. A judgement: caches and the
# allocator's free lists move a process of 0.5 to 1 GB by some percent either way; a leak of 100 kB for each of
# hundreds of photos is above it.
FLAT_SHARE = 0.05
_ENOUGH = 100  # samples, 50 s: in less, loading is not over by the middle
_ROWS = 10  # of the table over time


@dataclass
class MemoryWatch:
    """Samples resident memory in a thread of its own, while it is used as a context.

    Pages that processes share are counted in each of them, so that the sum is an upper bound.
    """

    pid: int
    with_children: bool = True
    every_s: float = 0.5
    samples: list[tuple[float, int]] = field(default_factory=list)  # seconds since the start, bytes
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    def __enter__(self) -> MemoryWatch:
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        started = time.monotonic()
        while True:
            held = held_bytes(self.pid, with_children=self.with_children)
            if held:
                self.samples.append((time.monotonic() - started, held))
            if self._over.wait(self.every_s):
                return


def held_bytes(pid: int, *, with_children: bool = True) -> int:
    """Resident bytes of a process, and of its descendants; 0 when it has ended."""
    if not with_children:
        facts = _status(Path(f"/proc/{pid}"))
        return facts[1] if facts else 0
    children: defaultdict[int, list[int]] = defaultdict(list)
    held: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        facts = _status(folder)
        if facts is not None:
            parent, resident = facts
            children[parent].append(int(folder.name))
            held[int(folder.name)] = resident
    total, left = 0, [pid]
    while left:
        one = left.pop()
        total += held.get(one, 0)
        left += children[one]
    return total


def cpu_seconds(pid: int) -> float:
    """Seconds of all cores that a process and its ended children have used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime, stime, and those of children


def _status(folder: Path) -> tuple[int, int] | None:
    """Parent and resident bytes; None of a process that has gone, or has no memory left."""
    try:
        lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    if "VmRSS" not in facts:
        return None
    return int(facts["PPid"]), int(facts["VmRSS"].split()[0]) * 1024


def growth_bytes(samples: Sequence[tuple[float, int]]) -> int:
    """Median of the last fifth less that of the middle fifth: the beginning, where tables load, does not count."""
    if not samples:
        return 0
    held = [one for _, one in samples]
    fifth = max(1, len(held) // 5)
    middle = (len(held) - fifth) // 2
    return _median(held[-fifth:]) - _median(held[middle : middle + fifth])


def is_flat(samples: Sequence[tuple[float, int]]) -> bool:
    """Whether the second half grows by less than `FLAT_SHARE` of what is held."""
    return bool(samples) and growth_bytes(samples) <= FLAT_SHARE * _median([one for _, one in samples])


def memory_table(samples: Sequence[tuple[float, int]]) -> str:
    """Memory over time in ten rows, and the verdict, in Markdown."""
    if not samples:
        return "Memory could not be sampled: the process was gone at once.\n"
    step = max(1, -(-len(samples) // _ROWS))
    rows = [f"| {samples[at][0]:.0f} | {max(b for _, b in samples[at : at + step]) / MB:,.0f} |" for at in
            range(0, len(samples), step)]  # fmt: skip
    peak = max(held for _, held in samples) / MB
    verdict = "flat" if is_flat(samples) else "NOT FLAT"
    verdict = verdict if len(samples) >= _ENOUGH else "too short a run to tell"
    return (
        "| from s | most MB |\n|---|---|\n"
        + "\n".join(rows)
        + f"\n\nPeak {peak:,.0f} MB; from the middle fifth to the last: {growth_bytes(samples) / MB:+,.0f} MB: "
        f"{verdict} (limit {FLAT_SHARE:.0%}).\n"
    )


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]
