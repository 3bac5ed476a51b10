"""All tables of the claims: what each needs is trained and asked, several at a time, and written as sections.

A module beside `__main__`: processes that are spawned import what they are handed by its name, and nothing of a
package's `__main__` can be had so.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from geosleuth.tools.vlm.model_folder import import_vlm
from geosleuth.training.adapter_claims import agent_table, geo_tables, pair_tables, small_verifiers
from geosleuth.training.adapter_claims.geo_material import GeoMaterial, geo_material
from geosleuth.training.adapter_claims.locatability_table import locatability_section
from geosleuth.training.adapter_claims.page import Cells, table
from geosleuth.training.adapter_claims.pair_material import TEACHERS, PairMaterial, pair_material
from geosleuth.training.adapter_claims.run import Run, train_run
from geosleuth.training.adapter_claims.world import BASE, TOWNS, prepare
from geosleuth.training.gleam_c.claims.page import replaced

logger = logging.getLogger(__name__)

TABLES = ("ablation", "thresholds", "verdicts", "students", "small", "agent", "locatability")
_OF_VIEWS = {"ablation": geo_tables.ablation, "thresholds": geo_tables.thresholds}
_OF_PAIRS = {"verdicts": pair_tables.verdicts, "students": pair_tables.students}
# Adapters of the first tables that the others ask, which have no arms of their own.
_USED = {
    "agent": (agent_table.PRIOR, agent_table.VERIFIER),
    "locatability": (agent_table.PRIOR,),
    "small": (small_verifiers.VERIFIER,),
}
Arm = geo_tables.Arm | pair_tables.PairArm


@dataclass(frozen=True)
class _Material:
    """What all processes are given: made by one, since whoever scores views or asks a teacher holds its folder."""

    views: GeoMaterial
    pairs: PairMaterial


def make_tables(names: Sequence[str], work: Path, out: Path | None, processes: int) -> None:
    """Make tables, of `TABLES`; a page's sections of the same names are replaced, and without a page they are said.

    Raises:
        InputError: A folder is in use or cannot be written, or a teacher could not be asked.
    """
    runs = prepare(work, processes)
    teachers = TEACHERS if "students" in names else TEACHERS[:1] if {"verdicts", "agent", "small"} & set(names) else ()
    pairs = pair_material(work / TOWNS, work).with_explanations(teachers)
    material = _Material(geo_material(work / TOWNS, work), pairs)
    arms = [arm for name in names for arm in _arms(name, material)]
    began = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_on_one_core) as pool:
        used = [run for name in names for run in _USED.get(name, ())]
        _train_all([*(arm.run for arm in arms if arm.run), *used], partial(_train, material, work, runs), pool)
        asked = {_model(arm): arm for arm in arms}  # two tables may have an arm in common: its answers are one file
        found = dict(zip(asked, pool.map(partial(_figures, material, work, runs), asked.values()), strict=True))
    for name in names:
        if name == "agent":
            text = agent_table.agent_section(work, work / BASE, runs, processes)
        elif name == "locatability":
            text = locatability_section(work, work / BASE, runs)
        elif name == "small":
            text = small_verifiers.small_verifiers_section(work, work / BASE, runs)
        else:
            text = _section(name, [(arm, found[_model(arm)]) for arm in arms if arm.table == name], pairs, processes)
        if out is None:
            sys.stdout.write(text)
        else:
            replaced(out, name, text)
    logger.info("done in %.1f min", (time.monotonic() - began) / 60)


def _on_one_core() -> None:
    import_vlm("torch").set_num_threads(1)  # threads that wait for each other on cores that all processes share


def _model(arm: Arm) -> tuple[type, str | None]:
    return type(arm), arm.run.key() if arm.run else None


def _arms(name: str, material: _Material) -> Sequence[Arm]:
    if name in _USED:
        return ()
    return _OF_VIEWS[name](material.views) if name in _OF_VIEWS else _OF_PAIRS[name]()


def _train(material: _Material, work: Path, runs: Path, run: Run) -> Run:
    of = material.pairs if run.name == pair_tables.STAGE else material.views
    train_run(run, work / BASE, runs, of.lessons())
    return run


def _figures(material: _Material, work: Path, runs: Path, arm: Arm) -> tuple[Cells, Cells]:
    if isinstance(arm, pair_tables.PairArm):
        return pair_tables.verdict_cells(arm, work / BASE, runs, material.pairs), {}
    rows = geo_tables.asked(arm, work / BASE, runs, material.views)
    return geo_tables.cells(rows), geo_tables.unseen_cells(rows)


def _train_all(wanted: Sequence[Run], train: Callable[[Run], Run], pool: ProcessPoolExecutor) -> None:
    """Train all, the lowest first: what lies on another waits for it."""
    every = {one.key(): one for run in wanted for one in run.below}
    lessons = sum(one.lessons for one in every.values())
    logger.info("%d adapters, %d lessons in all", len(every), lessons)
    for depth in sorted({len(one.below) for one in every.values()}):
        for done in pool.map(train, [one for one in every.values() if len(one.below) == depth]):
            logger.info("%s (%s), seed %d: %s", done.name, done.data, done.seed, done.key())


_TITLES = {
    "ablation": "Reasons, places, or both: what does each of GeoReasoner's two adapters bring, and need they be two?",
    "thresholds": "Do views that show more of their place teach more? Location alone, one seed, equal steps.",
    "verdicts": "GLEAM-X: what do labels teach, what do explanations add or cost? Pairs of towns that were not taught.",
    "students": "Students of a teacher that imagines things: as it is, filtered, revised, not told; one seed.",
}


def _section(name: str, own: Sequence[tuple[Arm, tuple[Cells, Cells]]], pairs: PairMaterial, processes: int) -> str:
    arms = list(dict.fromkeys(arm.name for arm, _ in own))
    rows = {one: [cells[0] for arm, cells in own if arm.name == one] for one in arms}
    unseen = {one: [cells[1] for arm, cells in own if arm.name == one] for one in arms}
    more = {arm.name: {"lessons": f"{arm.lessons:,}", **_more(arm, pairs)} for arm, _ in own}
    made = f"{datetime.now(UTC):%Y-%m-%d}, {processes} processes with a thread each"
    several = len({arm.seed for arm, _ in own if arm.run}) > 1
    spread = "mean ± standard deviation over seeds" if several else "one seed"
    lines = [
        f"## {name.capitalize()}\n",
        f"{_TITLES[name]} Percent unless said otherwise, {spread} (synthetic).\n",
        table(rows, more),
    ]
    if any(any(cells) for cells in unseen.values()):
        lines.append("Countries that were not taught: no accuracy, since no answer that was taught can be right.\n")
        lines.append(table(unseen, {}))
    return "\n".join([*lines, f"`python -m geosleuth.training.adapter_claims {name}`; {made}.\n"])


def _more(arm: Arm, pairs: PairMaterial) -> dict[str, str]:
    if isinstance(arm, geo_tables.Arm):
        return {"views taught": f"{arm.views:,}"}
    return pair_tables.taught_cells(arm.name, pairs) if arm.table == "students" else {}
