"""All ablations of place recognition on invented towns (synthetic), on a CPU.

    python -m geosleuth.training.evaluate.ablations.towns --work out/ablations --out docs/evidence/ablations.md
    python -m geosleuth.training.evaluate.ablations.towns --work out/small --towns 32 --references 8 --seeds 1

Tables: submaps, geographic, corrupted, reranking, verifier, missing, look_alikes; all unless --tables names some. A
world for each seed is drawn, indexed and kept in --work, and so is every query's outcome: an interrupted run goes on
where it was. What is left to do is printed first, with the minutes that it will take. --out is a Markdown page with a
section per table; the rest of the page stays. Without it the sections go to stdout.
"""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from geosleuth.agent.batch.threads import limit_threads
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.ablations.figures import summarised
from geosleuth.training.evaluate.ablations.look_alikes import TABLE as LOOK_ALIKES
from geosleuth.training.evaluate.ablations.prior import ACCURACY
from geosleuth.training.evaluate.ablations.record import AblationReport
from geosleuth.training.evaluate.ablations.report import markdown, write_report
from geosleuth.training.evaluate.ablations.run import Outcome
from geosleuth.training.evaluate.ablations.setup import Setup
from geosleuth.training.evaluate.ablations.tables import TABLES
from geosleuth.training.evaluate.ablations.towns.cell import Cell, measured
from geosleuth.training.evaluate.ablations.towns.draw import TownTask, WorldSize, draw
from geosleuth.training.evaluate.ablations.towns.world import begin, index_world, open_twins, open_world, tasks
from geosleuth.training.evaluate.agent.record import commit
from geosleuth.training.gleam_c.claims.page import replaced

logger = logging.getLogger("geosleuth.training.evaluate.ablations.towns")

Task = TypeVar("Task")
Done = TypeVar("Done")

SEEDS = (1, 2, 3)
_COMMAND = "python -m geosleuth.training.evaluate.ablations.towns"
_CELL = 16  # queries: some twenty seconds, so that no process is left alone for long at the end
# On one core of the machine that it was written on; a query's seconds are of all tables.
_PICTURE_S, _QUERY_S = 0.08, 2.3  # drawn and encoded
_NOTE = (
    "Synthetic: towns, streets and pictures are invented, and so is the prior; countries and positions are of this "
    "Earth. What a difference is here, it need not be on real photos."
)


_HEADER = """# Ablations of place recognition on invented towns

What each step is worth where it can be tried without downloads: submaps, geographic reranking, corrupted priors,
reranking, verification, gaps in the gallery, look-alikes. **All data here is synthetic, and so is the prior.**
The same tables on real photos: `geosleuth evaluate ablations TABLE --data NAME --root FOLDER --index INDEX`.
"""


def main(argv: list[str] | None = None) -> int:
    """Make tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.evaluate.ablations.towns",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    size = WorldSize()
    parser.add_argument("--work", type=Path, default=Path("out/ablations"), help="folder of the worlds and outcomes")
    parser.add_argument("--out", type=Path, help="Markdown page whose sections are replaced; else stdout")
    parser.add_argument("--tables", nargs="+", choices=tuple(TABLES), default=list(TABLES), metavar="TABLE")
    parser.add_argument("--seeds", type=_whole(0), nargs="+", default=list(SEEDS), help="a world each")
    parser.add_argument("--processes", type=_whole(1), default=os.cpu_count() or 1, help="a core each")
    parser.add_argument("--judge", metavar="SPEC", help="a vision-language model that reranks and verifies as well")
    parser.add_argument("--towns", type=_whole(1), default=size.towns, help="of a world")
    parser.add_argument("--references", type=_whole(1), default=size.references, help="of a town")
    parser.add_argument("--queries", type=_whole(1), default=size.queries, help="of a town")
    parser.add_argument("--twins", type=_whole(0), default=size.twins, help="towns that stand twice")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        asked = WorldSize(
            towns=given.towns, references=given.references, queries=given.queries, twins=min(given.twins, given.towns)
        )
        run = Run(
            tuple(dict.fromkeys(given.tables)),
            tuple(dict.fromkeys(given.seeds)),
            given.work,
            asked,
            given.judge,
            given.processes,
        )
        _write(run, run.measure(), given.out)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What is done is kept; the same command goes on from here.")
        return 130
    return 0


def _whole(least: int) -> Callable[[str], int]:
    """Read a whole number that is not too small."""

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"wanted a whole number, {least} or more; found {text!r}")
        return number

    return read


@dataclass(frozen=True)
class Run:
    """What one command makes."""

    tables: tuple[str, ...]
    seeds: tuple[int, ...]
    work: Path
    size: WorldSize
    judge: str | None
    processes: int

    @property
    def command(self) -> str:
        """What makes the same figures again: every argument that decides them, and not where files lie."""
        size = self.size
        given = ["--tables", *self.tables, "--seeds", *map(str, self.seeds), "--towns", str(size.towns)]
        given += ["--references", str(size.references), "--queries", str(size.queries), "--twins", str(size.twins)]
        given += ["--judge", self.judge] if self.judge else []
        return f"{_COMMAND} {shlex.join(given)}"

    def folder(self, seed: int) -> Path:
        """Of a seed's world."""
        return self.work / f"seed-{seed}"

    def measure(self) -> list[dict[str, list[Outcome]]]:
        """Draw, index and ask what is not there yet; returns the outcomes of each cell, by table."""
        began = time.monotonic()
        for seed in self.seeds:
            begin(self.folder(seed), self.size)
        _say_budget(self)
        # Spawned, not forked: threads of OpenCV and of the encoder do not survive a fork.
        context = get_context("spawn")
        with ProcessPoolExecutor(self.processes, context, initializer=limit_threads, initargs=(1,)) as pool:
            _each(pool, draw, self.undrawn(), "towns drawn")
            for seed in self.seeds:
                logger.info("indexing the world of seed %d", seed)
                index_world(self.folder(seed), seed, self.size)
            found = _each(pool, measured, self.cells(), f"cells of {_CELL} queries")
        logger.info("done in %.1f min", (time.monotonic() - began) / 60)
        return [found[cell] for cell in self.cells()]

    def undrawn(self) -> list[TownTask]:
        """Towns that are still to be drawn."""
        todo = [task for seed in self.seeds for task in tasks(self.folder(seed), seed, self.size)]
        return [task for task in todo if not task.marker.exists()]

    def cells(self) -> list[Cell]:
        """All queries of all worlds, some at a time."""
        return [
            Cell(self.folder(seed), seed, self.size, first, first + _CELL, self.tables, self.judge)
            for seed in self.seeds
            for first in range(0, self.size.towns * self.size.queries, _CELL)
        ]


def _each(
    pool: ProcessPoolExecutor, work: Callable[[Task], Done], given: Sequence[Task], what: str
) -> dict[Task, Done]:
    futures = {pool.submit(work, one): one for one in given}
    done: dict[Task, Done] = {}
    try:
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            if len(done) % 16 == 0 or len(done) == len(given):
                logger.info("%d of %d %s", len(done), len(given), what)
    except BaseException:
        pool.shutdown(cancel_futures=True)  # what is in hand is finished and kept
        raise
    return done


def _write(run: Run, found: Sequence[dict[str, list[Outcome]]], out: Path | None) -> None:
    records = []
    at = commit()
    made = f"`{run.command}`; {f'commit {at}, ' if at else ''}{datetime.now(UTC):%Y-%m-%d}, processes: {run.processes}."
    left_out = []
    if out is not None and not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        with appearing(out) as scratch:
            scratch.write_text(_HEADER, encoding="utf-8")
    for name in run.tables:
        outcomes = [one for cell in found for one in cell.get(name, [])]
        if not outcomes:
            left_out.append((name, "no town has a twin, or the towns are too few"))
            logger.warning("No query for the table %s: %s", *left_out[-1])
            continue
        data = f"Invented towns (synthetic), seeds {', '.join(map(str, run.seeds))}"
        records.append(
            summarised(TABLES[name], outcomes, data=data, facts=_facts(run, name), notes=[_NOTE, *_notes(run, name)])
        )
        text = markdown(records[-1], made)
        if out is None:
            sys.stdout.write(text)
        else:
            replaced(out, name, text)
    write_report(run.work / "report", AblationReport(tables=tuple(records), left_out=tuple(left_out)))


def _facts(run: Run, table: str) -> dict[str, str]:
    """The facts of the first world that a table searched, without what differs from seed to seed."""
    facts = _searched(run, table, run.seeds[0]).facts
    facts["gallery"] = f"{facts['gallery']} a seed, {run.size.references} of each of {run.size.towns} towns"
    if table == LOOK_ALIKES.name:
        facts["gallery"] += f", and as many of each of the twins of {run.size.twins} of them"
    facts["prior"] = f"simulated, {ACCURACY:.0%} of the countries right"
    facts["judge"] = run.judge or "none" if table != LOOK_ALIKES.name else "none"  # nobody asks one there
    return {name: value for name, value in facts.items() if name != "seed"}


def _searched(run: Run, table: str, seed: int) -> Setup:
    """The gallery that a table searches."""
    setup = open_world(run.folder(seed), seed, run.size)[0]
    return open_twins(run.folder(seed), setup) if table == LOOK_ALIKES.name else setup


def _notes(run: Run, table: str) -> list[str]:
    """What was really done in each world."""
    of_seeds = ((seed, _searched(run, table, seed)) for seed in run.seeds)
    return [f"Seed {seed}: {note}" for seed, setup in of_seeds for note in TABLES[table].notes_of(setup)]


def _say_budget(run: Run) -> None:
    """Say what is left to do, and about how long it will take."""
    size, undrawn = run.size, run.undrawn()
    pictures = len(undrawn) * (size.references + size.queries)
    pictures += sum(task.index < size.twins for task in undrawn) * size.references
    asked = size.towns * size.queries * len(run.seeds)
    known = sum(_lines(file) for seed in run.seeds for file in (run.folder(seed) / "rows").glob("*.jsonl"))
    of_query = sum(name != LOOK_ALIKES.name for name in run.tables) or 1  # lines; look-alikes have few
    left = max(0.0, asked - known / of_query)
    minutes = (pictures * _PICTURE_S + left * _QUERY_S) / max(run.processes, 1) / 60
    logger.info(
        "%d towns to draw (%d pictures), some %.0f of %d queries to ask; about %.0f min on %d free cores",
        *(len(undrawn), pictures, left, asked, minutes, run.processes),
    )
    if run.judge:
        logger.info("The time that the judge takes comes on top: up to 238 looks a query")


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


if __name__ == "__main__":
    raise SystemExit(main())
