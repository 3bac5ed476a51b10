"""A table of faults: what was injected where, what it ended in, and which test or run shows it.

Full disks and read-only folders are injected here, into a build, an add, a batch, a chat's case and a curation on tiny
invented data: each must end in an error of three parts, keep what it had reported as saved, and come to the result of a
run in peace once the fault is gone. The other rows name their tests.

    python benchmarks/robustness/faults.py            the table; 1 to 2 minutes
    python benchmarks/robustness/faults.py --list     without injecting anything
    python benchmarks/robustness/faults.py --tests    prints the tests, for pytest

The exit code is 1 where anything was lost, or a fault ended in no stated failure. Needs Linux, or macOS not as root.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fault_list import FAULTS, HERE, Fault
from kill_checks import WORKS, must
from kill_works import SAID, make_writable
from kills import Server, fresh, local_teacher

# Bytes that a file may reach: at the first and larger ones different steps fail. A state of SQLite begins with 32 kB.
_FULL_AT = (64, 2_000, 20_000)


@dataclass(frozen=True)
class Found:
    """What a fault that was injected here ended in."""

    said: str  # the error, or that the work came to its end all the same
    wrong: str | None = None


def inject(name: str, fault: str, server: Server, root: Path, wanted: object) -> Found:
    """Run a work under a fault, check it, take the fault away, and let it come to its end."""
    work, folder = WORKS[name], fresh(WORKS[name], root / f"{name}-{fault.replace(':', '-')}")
    try:
        server.start(name, folder, fault)
        code = server.wait()
        make_writable(folder)
        said = (folder / SAID).read_text()
        if code != 0:
            must(bool(said), f"no stated failure, but {(folder / 'log.txt').read_text().strip()[-300:]}")
            must(all(json.loads(said)), "an error without one of its three parts")
        work.check(folder)
        server.start(name, folder)
        must(server.wait() == 0 or code == 0, f"it does not go on: {(folder / 'log.txt').read_text()[-300:]}")
        work.check(folder)
        must(work.result(folder) == wanted, "another result than in peace")
    except Exception as error:  # noqa: BLE001 - whatever a reader raises is a loss
        return Found("", f"{type(error).__name__}: {error}")
    shown = "; ".join(json.loads(said)) if code != 0 else "it came to its end, as no file grew so long"
    return Found(shown.replace(str(folder), "FOLDER"))


def injected(names: Iterable[str], root: Path, full_at: Sequence[int] = _FULL_AT) -> dict[tuple[str, str], list[Found]]:
    """Inject both faults into the works; keys are (fault, work)."""
    found: dict[tuple[str, str], list[Found]] = {}
    with local_teacher() as url:
        server = Server(url)
        try:
            for name in names:
                folder = fresh(WORKS[name], root / f"{name}-peace")
                server.start(name, folder)
                must(server.wait() == 0, f"{name} fails in peace")
                wanted = WORKS[name].result(folder)
                full = [inject(name, f"full:{size}", server, root, wanted) for size in full_at]
                found["disk full", name] = full
                found["read-only", name] = [inject(name, "read-only", server, root, wanted)]
        finally:
            server.close()
    return found


def table(found: dict[tuple[str, str], list[Found]]) -> str:
    """Write the table; what was not run says so."""
    lines = ["| fault | at | ends in | shown by |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_row(one, found.get((one.fault, one.at))) for one in FAULTS)])


def _row(one: Fault, found: Sequence[Found] | None) -> str:
    shown, outcome = f"`tests/{one.shown_by}`", one.outcome
    if one.shown_by == HERE:
        shown = "this run" if found else "not run"
        wrong = [each.wrong for each in found or () if each.wrong]
        if wrong:
            outcome = f"**WRONG**: {'; '.join(wrong)}"
        elif found:
            outcome += f". It said: {next((each.said for each in found if ';' in each.said), found[0].said)}"
    return f"| {one.fault} | {one.at} | {outcome.replace('|', '/').replace(chr(10), ' ')} | {shown} |"


def main(arguments: list[str] | None = None) -> int:
    """Inject, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="inject nothing")
    parser.add_argument("--tests", action="store_true", help="print the tests alone")
    parser.add_argument("--only", nargs="+", choices=sorted(WORKS), default=list(WORKS), help="these works alone")
    given = parser.parse_args(arguments)
    if given.tests:
        print("\n".join(sorted({f"tests/{one.shown_by}" for one in FAULTS if one.shown_by != HERE})))
        return 0
    found: dict[tuple[str, str], list[Found]] = {}
    if not given.list:
        with tempfile.TemporaryDirectory(prefix="geosleuth-faults-") as root:
            found = injected(given.only, Path(root))
    print(table(found))
    return int(any(one.wrong for several in found.values() for one in several))


if __name__ == "__main__":
    raise SystemExit(main())
