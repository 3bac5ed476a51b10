"""Kill a build, an add, a batch, a chat's case and a curation at random moments, and look whether anything is lost.

Each work runs on tiny invented data, is killed (SIGKILL) at a moment drawn evenly over the time that a run in peace
takes, checked, and started again, until it comes to its end between two kills; then it begins anew. After every kill
all that had been reported as saved must be there, whole, and in the end the result must be that of a run in peace.

    python benchmarks/robustness/kills.py               20 kills
    python benchmarks/robustness/kills.py --kills 200   of the evidence

The exit code is 1 where anything was lost. Needs Linux or macOS, and the packages of the tests.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kill_checks import WORKS, Work
from kill_works import TESTS, neighbour

_LONGEST_S = 600.0  # a run in peace: one that takes longer hangs
_BEYOND = 1.1  # of a run's time: some kills come when all but the last steps are done


@dataclass
class Tally:
    """What came of the kills of one work."""

    kills: int = 0
    too_late: int = 0  # the work was done before
    runs: int = 0  # that came to their end, after kills
    peace_s: float = 0.0
    lost: list[str] = field(default_factory=list)


class Server:
    """The process that forks the works."""

    def __init__(self, url: str) -> None:
        program = str(Path(__file__).with_name("kill_works.py"))
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._url = url

    def start(self, work: str, folder: Path, fault: str | None = None) -> int:
        """Start a work, under a fault if one is named; return its process."""
        if self._process.stdin is None:
            raise RuntimeError("it was started without a pipe")
        self._process.stdin.write(json.dumps([work, str(folder), self._url, fault]) + "\n")
        self._process.stdin.flush()
        return self._line()

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        return self._line()

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _line(self) -> int:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError("the program of the works ended")
        return int(line)


def kill_one(name: str, work: Work, server: Server, root: Path, kills: int, dice: random.Random) -> Tally:
    """Kill one work so many times."""
    tally = Tally()
    wanted = _in_peace(name, work, server, root / f"{name}-peace", tally)
    folder = fresh(work, root / name)
    while tally.kills < kills and not tally.lost:
        process = server.start(name, folder)
        started = time.monotonic()
        _kill_at(process, started + dice.uniform(0.0, _BEYOND * tally.peace_s))
        code = server.wait()
        if code == -signal.SIGKILL:
            tally.kills += 1
            _note(tally, name, work.check, folder, f"after kill {tally.kills}")
        else:
            tally.too_late += 1
            tally.peace_s = min(tally.peace_s, time.monotonic() - started)  # the first run may have met a busy machine
            _ended(name, work, folder, code, wanted, tally)
            folder = fresh(work, root / name)
    if not tally.lost:
        server.start(name, folder)
        _ended(name, work, folder, server.wait(), wanted, tally)
    return tally


def _kill_at(process: int, moment: float) -> None:
    """Kill a process at a moment of the monotonic clock, unless it has ended by then."""
    with contextlib.suppress(ProcessLookupError):
        while (left := moment - time.monotonic()) > 0:
            os.kill(process, 0)  # raises where there is none any more
            time.sleep(min(left, 0.01))
        os.kill(process, signal.SIGKILL)


def _in_peace(name: str, work: Work, server: Server, folder: Path, tally: Tally) -> object:
    fresh(work, folder)
    started = time.monotonic()
    server.start(name, folder)
    if server.wait() != 0:
        raise RuntimeError(f"{name} fails without any kill: {(folder / 'log.txt').read_text()[-2000:]}")
    tally.peace_s = min(time.monotonic() - started, _LONGEST_S)
    work.check(folder)
    return work.result(folder)


def _ended(name: str, work: Work, folder: Path, code: int, wanted: object, tally: Tally) -> None:
    """Compare what a work came to with what it comes to in peace."""
    tally.runs += 1
    if code != 0 and not _is_complete(folder):
        tally.lost.append(f"{name} does not go on: {(folder / 'log.txt').read_text().strip().splitlines()[-1:]}")
        return
    _note(tally, name, work.check, folder, "at the end")
    if not tally.lost and work.result(folder) != wanted:
        tally.lost.append(f"{name} came to another result than in peace: {folder}")


def _is_complete(folder: Path) -> bool:
    """A build that was killed when nothing but its journal's empty folder was left is refused, rightly, as done."""
    index = folder / "index"
    if not (index / "manifest.json").exists() or (index / ".building" / "plan.json").exists():
        return False
    shutil.rmtree(index / ".building", ignore_errors=True)
    return True


def _note(tally: Tally, name: str, check: object, folder: Path, when: str) -> None:
    try:
        check(folder)  # type: ignore[operator]
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is a loss
        tally.lost.append(f"{name} {when}: {type(error).__name__}: {error}")


def fresh(work: Work, folder: Path) -> Path:
    """Make the folder that a work begins with."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    work.prepare(folder)
    return folder


@contextlib.contextmanager
def local_teacher() -> Iterator[str]:
    """A server of this process that explains every pair as told; 20 ms an answer, so that kills meet it at work."""
    servers, made = neighbour("openai_server.py"), neighbour("training/gleam_x/conftest.py")
    from geosleuth.training.gleam_x.teacher_prompt import TOLD

    def answer(body: dict[str, object], _: int) -> object:
        time.sleep(0.02)
        text = servers.asked_text(body)
        lang = "zh" if "用中文书写" in text else "en"
        return servers.said(made.good_answer("match" if TOLD[lang]["match"] in text else "no_match", lang))

    with servers.scripted_server(answer) as running:
        yield running.url


def kill_all(kills: int, seed: int, names: list[str]) -> dict[str, Tally]:
    """Spread the kills over the works."""
    dice = random.Random(seed)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory(prefix="geosleuth-kills-") as root, local_teacher() as url:
        server = Server(url)
        try:
            shares = {name: kills // len(names) + (i < kills % len(names)) for i, name in enumerate(names)}
            return {name: kill_one(name, WORKS[name], server, Path(root), shares[name], dice) for name in names}
        finally:
            server.close()


def table(tallies: dict[str, Tally]) -> str:
    """Write the table."""
    lines = ["| work | kills | came to its end, as in peace | done before the kill | one run, s | lost |"]
    lines.append("|---|---:|---:|---:|---:|---|")
    for name, one in tallies.items():
        lost = "; ".join(one.lost) or "nothing"
        lines.append(f"| {name} | {one.kills} | {one.runs} | {one.too_late} | {one.peace_s:.2f} | {lost} |")
    total = sum(one.kills for one in tallies.values())
    lost = sum(len(one.lost) for one in tallies.values())
    return "\n".join(
        [*lines, f"| all | {total} | {sum(one.runs for one in tallies.values())} | | | {lost or 'nothing'} |"]
    )


def main(arguments: list[str] | None = None) -> int:
    """Kill, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=sorted(WORKS), help="these works alone")
    given = parser.parse_args(arguments)
    if not TESTS.is_dir():
        parser.error("run it from a checkout: it needs the tests' folder")
    tallies = kill_all(given.kills, given.seed, given.only or list(WORKS))
    print(table(tallies))
    return int(any(one.lost for one in tallies.values()))


if __name__ == "__main__":
    raise SystemExit(main())
