"""Try the paper's claims on invented towns (synthetic), on a CPU.

    python -m geosleuth.training.gleam_c.claims dss --work out/claims --out docs/evidence/gleam_c.md
    python -m geosleuth.training.gleam_c.claims all --work out/claims --out docs/evidence/gleam_c.md

Tables: dss, phases, imbalance, unseen, unified, batch, smoothing; all. The towns are drawn once, into --work; every run
and every cell is kept there, so that an interrupted table goes on where it was. The budget is printed first. --out is
a page with a section per table; only the sections that were made are replaced.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.gleam_c.claims.cell import measured, runs_of, train_chain
from geosleuth.training.gleam_c.claims.page import replaced, section
from geosleuth.training.gleam_c.claims.tables import NAMES, Tables
from geosleuth.training.gleam_c.claims.trial import pairs_per_second
from geosleuth.training.gleam_c.claims.world import BACKBONE, draw_towns
from geosleuth.training.gleam_c.config import GleamCConfig

logger = logging.getLogger("geosleuth.training.gleam_c.claims")


def main(argv: list[str] | None = None) -> int:
    """Make tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.gleam_c.claims", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("table", choices=(*NAMES, "all"))
    parser.add_argument("--work", type=Path, default=Path("out/claims"), help="folder of the towns and the runs")
    parser.add_argument("--out", type=Path, help="Markdown page whose sections are replaced; else stdout")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="runs at a time, a core each")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        _make(list(NAMES) if given.table == "all" else [given.table], given.work, given.out, given.processes)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What is done is kept; the same command goes on from here.")
        return 130
    return 0


def _make(names: Sequence[str], work: Path, out: Path | None, processes: int) -> None:
    draw_towns(work, processes)
    tables = [Tables(work).named(name) for name in names]
    cells = [cell for table in tables for cell in table.cells]
    chains = runs_of(cells)
    _say_budget(chains, work, processes)
    began = time.monotonic()
    # Spawned, not forked: torch's threads do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        _train_all(chains, work, pool)
        found = dict(zip(cells, pool.map(measured, cells, [work] * len(cells)), strict=True))
    minutes = (time.monotonic() - began) / 60
    logger.info("done in %.1f min", minutes)
    made = f"{datetime.now(UTC):%Y-%m-%d}, {processes} processes with a thread each"
    for name, table in zip(names, tables, strict=True):
        text = section(name, table, {cell: found[cell] for cell in table.cells}, made)
        if out is None:
            sys.stdout.write(text)
        else:
            replaced(out, name, text)


def _say_budget(chains: dict[str, tuple[GleamCConfig, ...]], work: Path, processes: int) -> None:
    """Say how long the runs that are missing will take, by a trial of a few steps."""
    missing = [chain[-1] for key, chain in chains.items() if not (work / "runs" / key / "finished").exists()]
    if not missing:
        logger.info("all %d runs are there", len(chains))
        return
    rate = pairs_per_second(missing[0])
    pairs = sum((one.max_steps or 0) * one.batch_size for one in missing)
    logger.info(
        "%d of %d runs to make, %s, %d pairs in all; about %.0f min at %.0f pairs/s in each of %d processes",
        *(len(missing), len(chains), BACKBONE, pairs, pairs / rate / processes / 60, rate, processes),
    )


def _train_all(chains: dict[str, tuple[GleamCConfig, ...]], work: Path, pool: ProcessPoolExecutor) -> None:
    """Train all chains, the beginnings first: a chain waits for what it goes on from."""
    waves: dict[int, list[tuple[GleamCConfig, ...]]] = {}
    for chain in chains.values():
        waves.setdefault(len(chain), []).append(chain)
    done = 0
    for length in sorted(waves):
        futures = {pool.submit(train_chain, chain, work): chain for chain in waves[length]}
        for future in as_completed(futures):
            folder = future.result()
            done += 1
            chain = futures[future]
            logger.info("%d of %d: %s, seed %d: %s", done, len(chains), chain[-1].name, chain[-1].seed, folder.name)


if __name__ == "__main__":
    raise SystemExit(main())
