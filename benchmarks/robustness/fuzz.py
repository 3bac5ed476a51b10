"""Fuzz what reads strangers' bytes, guided by coverage: nothing but an answer or an InputError may come of any input.

    pip install atheris                                                # 3.0 for Python 3.11, on Linux or macOS
    python benchmarks/robustness/fuzz.py                               # 300 inputs a target: minutes
    python benchmarks/robustness/fuzz.py --runs 3000 --reading-runs 500    # 30,500 inputs: half an hour on 2 cores
    python benchmarks/robustness/fuzz.py --targets photo exif --runs 100000 --seed 1
    python benchmarks/robustness/fuzz.py --again out/fuzz/photo-3f2a # one input that was kept: prints the trace-back

Each target runs in a process of its own under atheris (libFuzzer): the Python of geosleuth and Pillow is instrumented,
decoders in C are not. Seeds are the hostile files of hostile_files.py and sound inputs. What goes wrong is kept in
--keep, once per place in the code. Prints a Markdown table, and ends with status 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import mmap
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import fuzz_seeds
import fuzz_targets
from fuzz_targets import Fuzzed

TARGETS = {
    "photo": Fuzzed(fuzz_targets.photo, fuzz_seeds.photos, longest=8192, seconds=60),
    "exif": Fuzzed(fuzz_targets.exif, fuzz_seeds.exif_blocks),
    "xmp": Fuzzed(fuzz_targets.xmp, fuzz_seeds.xmp_packets),
    "gps": Fuzzed(fuzz_targets.gps, fuzz_seeds.gps_blocks, longest=1024),
    "index": Fuzzed(fuzz_targets.index, fuzz_seeds.indexes, longest=8192),
    "planner": Fuzzed(fuzz_targets.planner, fuzz_seeds.replies),
    "georeasoner": Fuzzed(fuzz_targets.georeasoner, fuzz_seeds.answers, longest=2048),
    "hints": Fuzzed(fuzz_targets.hints, fuzz_seeds.stated, longest=256),
    "prior": Fuzzed(fuzz_targets.prior, fuzz_seeds.tables, longest=2048),
    "clues": Fuzzed(fuzz_targets.clues, fuzz_seeds.lines, longest=512),
    "reading": Fuzzed(fuzz_targets.reading, fuzz_seeds.lines, longest=256, seconds=120),
}
INSTRUMENTED = ["geosleuth", "PIL"]
_MOST_MB = 4096  # of memory; more is an input that libFuzzer keeps as "oom"
_MOST_STARTS = 20  # of a target whose process keeps ending: what is wrong is plain by then


@dataclass
class Result:
    """What came of a target."""

    tried: int = 0
    answered: int = 0
    refused: int = 0
    crashes: int = 0
    deaths: int = 0
    hangs: int = 0
    coverage: int = 0
    peak_mb: float = 0.0
    seconds: float = 0.0


class Counts:
    """Numbers in a file that outlive the process: inputs tried, answered, refused, crashed."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 32)

    def add(self, place: int) -> None:
        """Add one to a number."""
        struct.pack_into("<Q", self._map, 8 * place, self.read()[place] + 1)

    def read(self) -> tuple[int, ...]:
        """All four."""
        return struct.unpack("<4Q", self._map)


def fuzz_here(name: str, counts: Counts, keep: Path, arguments: list[str]) -> None:
    """Fuzz in this process; libFuzzer ends it."""
    import atheris

    from geosleuth.indexes.errors import InputError

    target = TARGETS[name].run

    def once(data: bytes) -> None:
        counts.add(0)
        try:
            target(data)
        except InputError:
            counts.add(2)
        except Exception as error:  # noqa: BLE001  that is what is looked for
            counts.add(3)
            _keep(keep, name, data, error)
        else:
            counts.add(1)

    with atheris.instrument_imports(include=INSTRUMENTED):
        for seed in TARGETS[name].seeds():  # whole; what a target imports it imports on first use, instrumented
            once(seed)
    atheris.Setup([sys.argv[0], *arguments], once)
    atheris.Fuzz()


def _keep(folder: Path, name: str, data: bytes, error: Exception) -> None:
    """Keep the first input of each place that raises."""
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    mark = hashlib.sha256(f"{type(error).__name__} {frames}".encode()).hexdigest()[:8]
    path = folder / f"{name}-{mark}"
    if not path.exists():
        path.write_bytes(data)
        path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), errors="backslashreplace")


def fuzz(name: str, runs: int, seed: int, keep: Path) -> Result:
    """Fuzz a target in processes of its own, begun anew when an input ends one."""
    result, target = Result(), TARGETS[name]
    with tempfile.TemporaryDirectory() as scratch:
        inputs, counted = Path(scratch) / "inputs", Path(scratch) / "counts"
        inputs.mkdir()
        for data in target.seeds():
            (inputs / hashlib.sha256(data).hexdigest()).write_bytes(data)
        counted.write_bytes(bytes(32))
        counts, started = Counts(counted), time.monotonic()
        for start in range(_MOST_STARTS):
            left = runs - counts.read()[0]
            if left <= 0:
                break
            given = [f"-runs={left}", f"-seed={seed + start + 1}", f"-max_len={target.longest}", "-print_final_stats=1"]
            given += [f"-timeout={target.seconds}", f"-rss_limit_mb={_MOST_MB}", f"-artifact_prefix={keep}/{name}-"]
            command = [sys.executable, __file__, "--child", name, str(counted), str(keep), *given, str(inputs)]
            status, log, peak_mb = _wait(command)
            _judge(result, status, log, keep / f"{name}.log")
            result.peak_mb = max(result.peak_mb, peak_mb)
        result.tried, result.answered, result.refused, result.crashes = counts.read()
        result.seconds = time.monotonic() - started
    return result


def _wait(command: Sequence[str]) -> tuple[int, str, float]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        return process.returncode, log.read().decode("utf-8", "replace"), used.ru_maxrss / 1024


def _judge(result: Result, status: int, log: str, path: Path) -> None:
    covered = [int(number) for number in re.findall(r"cov: (\d+)", log)]
    result.coverage = max([result.coverage, *covered])
    if status != 0:
        result.hangs += "ERROR: libFuzzer: timeout" in log
        result.deaths += "ERROR: libFuzzer: timeout" not in log
        path.write_text(log[-20_000:])


def table(results: dict[str, Result]) -> str:
    """Markdown."""
    lines = ["| target | tried | answered | refused | crashes | deaths | hangs | coverage | peak MB | s |"]
    lines += ["|---" * 10 + "|"]
    for name, one in results.items():
        counts = f"{one.tried:,} | {one.answered:,} | {one.refused:,} | {one.crashes} | {one.deaths} | {one.hangs}"
        lines.append(f"| {name} | {counts} | {one.coverage:,} | {one.peak_mb:.0f} | {one.seconds:.0f} |")
    sums = [sum(getattr(one, key) for one in results.values()) for key in ("tried", "answered", "refused")]
    wrong = [sum(getattr(one, key) for one in results.values()) for key in ("crashes", "deaths", "hangs")]
    lines.append("| all | " + " | ".join(f"{n:,}" for n in (*sums, *wrong)) + " | | | |")
    return "\n".join(lines)


def _again(path: Path) -> Iterator[str]:
    name = path.name.partition("-")[0]
    try:
        TARGETS[name].run(path.read_bytes())
    except Exception:  # noqa: BLE001  shown to whoever mends it
        yield traceback.format_exc()
    else:
        yield f"{path}: nothing is raised any more\n"


def main() -> int:
    """Fuzz, print, and tell by the status whether all went well."""
    if sys.argv[1:2] == ["--child"]:
        name, counted, keep, *arguments = sys.argv[2:]
        fuzz_here(name, Counts(Path(counted)), Path(keep), arguments)
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--runs", type=int, default=300, help="inputs of each target")
    parser.add_argument("--reading-runs", type=int, default=20, help="of reading, which takes a second each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="folder for what goes wrong")
    parser.add_argument("--again", type=Path, help="run one kept input")
    options = parser.parse_args()
    if options.again:
        sys.stdout.writelines(_again(options.again))
        return 0
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("Wanted atheris, which guides the fuzzing; found none. Install it: pip install atheris\n")
        return 2
    options.keep.mkdir(parents=True, exist_ok=True)
    results = {}
    for name in options.targets:
        runs = options.reading_runs if name == "reading" else options.runs
        results[name] = fuzz(name, runs, options.seed, options.keep.resolve())
        sys.stderr.write(f"{name}: {results[name]}\n")
    sys.stdout.write(table(results) + "\n")
    return 1 if any(one.crashes or one.deaths or one.hangs for one in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
