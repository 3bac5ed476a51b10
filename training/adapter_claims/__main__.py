"""The claims of GeoReasoner's and GLEAM-X's papers on invented towns, each a table (synthetic).

    python -m geosleuth.training.adapter_claims all --work out/adapters --out docs/evidence/adapters.md

draws two worlds, trains a base from nothing on one of them, then adapters on the other. Killed, the same command goes
on.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.adapter_claims import geo_tables
from geosleuth.training.adapter_claims.geo_material import GeoMaterial, geo_material
from geosleuth.training.adapter_claims.page import Cells, table
from geosleuth.training.adapter_claims.run import Run, train_run
from geosleuth.training.adapter_claims.world import BASE, TOWNS, prepare
from geosleuth.training.gleam_c.claims.page import replaced

logger = logging.getLogger("geosleuth.training.adapter_claims")

TABLES = {"ablation": geo_tables.ablation, "thresholds": geo_tables.thresholds}


def main(argv: list[str] | None = None) -> int:
    """Make tables; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="geosleuth.training.adapter_claims", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("table", choices=(*TABLES, "all"))
    parser.add_argument("--work", type=Path, default=Path("out/adapters"), help="folder of towns, base and runs")
    parser.add_argument("--out", type=Path, help="Markdown page whose sections are replaced; else stdout")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="runs at a time, a core each")
    given = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        _make(list(TABLES) if given.table == "all" else [given.table], given.work, given.out, given.processes)
    except InputError as error:
        logger.error("Wanted: %s\nFound:  %s\nDo:     %s", error.wanted, error.found, error.remedy)
        return 2
    except KeyboardInterrupt:
        logger.error("Interrupted. What is done is kept; the same command goes on from here.")
        return 130
    return 0


def _make(names: Sequence[str], work: Path, out: Path | None, processes: int) -> None:
    prepare(work, processes)
    material = _material(work)
    arms = [
        arm
        for name in names
        for arm in {"ablation": geo_tables.ablation, "thresholds": geo_tables.thresholds}[name](material)
    ]
    began = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        _train_all([arm.run for arm in arms if arm.run], work, pool)
        figures = list(pool.map(partial(_figures, work), arms))
    logger.info("done in %.1f min", (time.monotonic() - began) / 60)
    for name in names:
        own = [(arm, cells) for arm, cells in zip(arms, figures, strict=True) if arm.table == name]
        text = _section(name, own, processes)
        if out is None:
            sys.stdout.write(text)
        else:
            replaced(out, name, text)


@cache
def _material(work: Path) -> GeoMaterial:
    return geo_material(work / TOWNS, work)


def _train(work: Path, run: Run) -> Run:
    train_run(run, work / BASE, work, _material(work).lessons())
    return run


def _figures(work: Path, arm: geo_tables.Arm) -> tuple[Cells, Cells]:
    rows = geo_tables.asked(arm, work / BASE, work, _material(work))
    return geo_tables.cells(rows), geo_tables.unseen_cells(rows)


def _train_all(runs: Sequence[Run], work: Path, pool: ProcessPoolExecutor) -> None:
    """Train all, the lowest first: what lies on another waits for it."""
    every = {one.key(): one for run in runs for one in run.below}
    lessons = sum(one.lessons for one in every.values())
    logger.info("%d adapters, %d lessons in all", len(every), lessons)
    for depth in sorted({len(one.below) for one in every.values()}):
        for done in pool.map(partial(_train, work), [one for one in every.values() if len(one.below) == depth]):
            logger.info("%s (%s), seed %d: %s", done.name, done.data, done.seed, done.key())


_TITLES = {
    "ablation": "Reasons, places, or both: what does each of GeoReasoner's two adapters bring, and need they be two?",
    "thresholds": "Do views that show more of their place teach more? Location alone, one seed, equal steps.",
}


def _section(name: str, own: Sequence[tuple[geo_tables.Arm, tuple[Cells, Cells]]], processes: int) -> str:
    arms = dict.fromkeys(arm.name for arm, _ in own)
    rows = {one: [cells[0] for arm, cells in own if arm.name == one] for one in arms}
    unseen = {one: [cells[1] for arm, cells in own if arm.name == one] for one in arms}
    more = {arm.name: {"views": f"{arm.views:,}", "lessons": f"{arm.lessons:,}"} for arm, _ in own}
    made = f"{datetime.now(UTC):%Y-%m-%d}, {processes} processes with a thread each"
    return "\n".join(
        [
            f"## {name.capitalize()}\n",
            f"{_TITLES[name]} Percent, mean ± standard deviation over seeds (synthetic).\n",
            table(rows, more),
            "Countries that were not taught: no accuracy, since no answer that was taught can be right.\n",
            table(unseen, {}),
            f"`python -m geosleuth.training.adapter_claims {name}`; {made}.\n",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
