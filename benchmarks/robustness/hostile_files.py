"""Hand hostile files to geosleuth: each must end in a photo or in an InputError, soon, and in little memory.

    python benchmarks/robustness/hostile_files.py                   # the corpus: some 750 files, 2 minutes on 2 cores
    python benchmarks/robustness/hostile_files.py --large           # also pictures as large as the limits allow: 4 GB
    python benchmarks/robustness/hostile_files.py --flips 3000      # more pictures with bytes changed at random
    python benchmarks/robustness/hostile_files.py --localize 20     # 20 of them through `geosleuth localize`
    python benchmarks/robustness/hostile_files.py --write FOLDER    # only write the corpus, for fuzz.py --seeds FOLDER

All files are made by the seed; none is anybody's photo. A process of its own loads each file and reads its metadata, is
killed when it takes too long, and begun anew. Prints a Markdown table, and ends with status 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from hostile_bytes import Attack, Expected
from hostile_metadata import exif_attacks, icc_attacks, xmp_attacks
from hostile_paths import hostile_places
from hostile_pictures import bombs, disguises, flips, large, lies, polyglots, truncations

SECRETS = ("root:x:", "/bin/bash")  # of /etc/passwd, which some of the files ask for


def corpus(seed: int, flips_each: int = 60, *, with_large: bool = False) -> Iterator[Attack]:
    """All hostile files that are made of bytes; those that are places on a disk come from `hostile_places`."""
    yield from chain(truncations(), bombs(), lies(), polyglots(), disguises())
    yield from chain(exif_attacks(), xmp_attacks(), icc_attacks())
    yield from flips(seed, flips_each)
    if with_large:
        yield from large()


def look(path: str) -> str:
    """Load a photo and read its metadata: "photo", "refused", or what is wrong."""
    from geosleuth.indexes.errors import InputError
    from geosleuth.indexes.photo import load_photo
    from geosleuth.tools.metadata import read_metadata

    try:
        photo = load_photo(path)
        claims = " ".join(piece.claim for piece in read_metadata(photo))
    except InputError as error:
        parts = (error.wanted, error.found, error.remedy)
        sound = all(parts) and str(error).isprintable()
        return "refused" if sound else f"an error that steers a terminal: {parts!r:.300}"
    except BaseException as error:  # noqa: BLE001  that is what is looked for
        return f"{type(error).__name__}: {error!s:.200}"
    if not photo.name.isprintable() or any(secret in claims for secret in SECRETS):
        return f"it tells too much: {photo.name!r}: {claims!r:.200}"
    return "photo"


@dataclass
class Row:
    """Counts of a group of files."""

    tried: int = 0
    read: int = 0
    refused: int = 0
    unexpected: int = 0
    crashes: int = 0
    hangs: int = 0
    slowest_s: float = 0.0
    peak_mb: float = 0.0


@dataclass
class Tally:
    """What came of all files, by group."""

    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    trouble: list[str] = field(default_factory=list)

    def add(self, group: str, name: str, expected: Expected, outcome: str, seconds: float, peak_mb: float) -> None:
        """Count one file."""
        row = self.rows[group]
        row.tried += 1
        row.slowest_s, row.peak_mb = max(row.slowest_s, seconds), max(row.peak_mb, peak_mb)
        row.read += outcome == "photo"
        row.refused += outcome == "refused"
        row.hangs += outcome == "hang"
        crashed = outcome not in ("photo", "refused", "hang")
        row.crashes += crashed
        unexpected = outcome in ("photo", "refused") and expected not in ("either", outcome)
        row.unexpected += unexpected
        if crashed or unexpected or outcome == "hang":
            self.trouble.append(f"{group}, {name}: {outcome} instead of {expected}")

    def table(self) -> str:
        """Markdown."""
        lines = [
            "| group | tried | read | refused | unexpected | crashes | hangs | slowest s | peak MB |",
            "|---" * 9 + "|",
        ]
        for name, row in [*self.rows.items(), ("all", self._all())]:
            counts = f"{row.tried} | {row.read} | {row.refused} | {row.unexpected} | {row.crashes} | {row.hangs}"
            lines.append(f"| {name} | {counts} | {row.slowest_s:.1f} | {row.peak_mb:.0f} |")
        return "\n".join(lines)

    def _all(self) -> Row:
        total = Row()
        for row in self.rows.values():
            for name in ("tried", "read", "refused", "unexpected", "crashes", "hangs"):
                setattr(total, name, getattr(total, name) + getattr(row, name))
            total.slowest_s, total.peak_mb = max(total.slowest_s, row.slowest_s), max(total.peak_mb, row.peak_mb)
        return total


def _serve(channel: Connection) -> None:
    import numpy as np
    from peak_memory import peak_bytes, reset_peak

    from geosleuth.indexes.photo import load_photo
    from geosleuth.tools.metadata import read_metadata

    read_metadata(load_photo(np.zeros((40, 40, 3), np.uint8)))  # so that no file pays for the imports
    channel.send("ready")
    while True:
        path = channel.recv()
        reset_peak("cpu")
        started = time.process_time()
        outcome = look(path)
        channel.send((outcome, time.process_time() - started, peak_bytes("cpu") / 1e6))


class Looker:
    """A process that looks at files, begun anew when one of them ends it."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._channel, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._channel.recv()  # "ready"

    def outcome(self, path: str) -> tuple[str, float, float]:
        """What came of a file, seconds of the processor, and the most memory in MB."""
        self._channel.send(path)
        try:
            if self._channel.poll(self._limit_s):
                answer: tuple[str, float, float] = self._channel.recv()
                return answer
            outcome = "hang"
        except EOFError:
            self._process.join()
            outcome = f"the process died, status {self._process.exitcode}"
        self.end()
        self._begin()
        return outcome, self._limit_s, 0.0

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.join()


def run(attacks: Iterable[Attack], folder: Path, limit_s: float) -> Tally:
    """Hand all files to a looker."""
    tally, looker = Tally(), Looker(limit_s)
    try:
        for attack in attacks:
            path = folder / f"attack{attack.suffix}"
            path.write_bytes(attack.content)
            tally.add(attack.group, attack.name, attack.expected, *looker.outcome(str(path)))
        (folder / "places").mkdir()
        for place in hostile_places(folder / "places"):
            tally.add(place.group, place.name, place.expected, *looker.outcome(place.path))
    finally:
        looker.end()
    return tally


def localize(attacks: list[Attack], folder: Path, limit_s: float) -> Tally:
    """Hand files to the command; 0 and 3 are answers, 2 is a refusal."""
    tally = Tally()
    for attack in attacks:
        path = folder / f"attack{attack.suffix}"
        path.write_bytes(attack.content)
        command = [sys.executable, "-m", "geosleuth.ui.cli", "localize", str(path), "--json"]
        started = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, check=False, timeout=limit_s, stdin=subprocess.DEVNULL)
            outcome = {0: "photo", 3: "photo", 2: "refused"}.get(done.returncode, f"status {done.returncode}")
            outcome = "a trace-back" if b"Traceback" in done.stderr else outcome
        except subprocess.TimeoutExpired:
            outcome = "hang"
        seconds = time.perf_counter() - started
        tally.add(f"localize: {attack.group}", attack.name, attack.expected, outcome, seconds, 0.0)
    return tally


def one_of_each(attacks: Iterable[Attack], count: int, seed: int) -> list[Attack]:
    """Choose files by turns from the groups."""
    groups: dict[str, list[Attack]] = defaultdict(list)
    for attack in attacks:
        groups[attack.group].append(attack)
    rng = random.Random(seed)  # noqa: S311  no secret
    for group in groups.values():
        rng.shuffle(group)
    turns = (group[i] for i in range(max(map(len, groups.values()))) for group in groups.values() if i < len(group))
    return [attack for attack, _ in zip(turns, range(count), strict=False)]


def main() -> int:
    """Run, print, and tell by the status whether all went well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flips", type=int, default=60, help="changed pictures of each format")
    parser.add_argument("--large", action="store_true", help="also the heaviest pictures within the limits")
    parser.add_argument("--seconds", type=float, default=60.0, help="after which a file counts as a hang")
    parser.add_argument("--localize", type=int, metavar="N", help="hand N files to `geosleuth localize` instead")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write the files there, by their hash, and end")
    options = parser.parse_args()
    attacks = corpus(options.seed, options.flips, with_large=options.large)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        for attack in attacks:
            (options.write / hashlib.sha256(attack.content).hexdigest()).write_bytes(attack.content)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        if options.localize:
            chosen = one_of_each(attacks, options.localize, options.seed)
            tally = localize(chosen, Path(folder), options.seconds)
        else:
            tally = run(attacks, Path(folder), options.seconds)
    sys.stdout.write(tally.table() + "\n")
    for line in tally.trouble:
        sys.stdout.write(f"\n- {line}")
    return 1 if tally.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
