"""A few queries of one world through all tables: what a process does at a time. Resumable by the query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.training.evaluate.ablations.look_alikes import TABLE as LOOK_ALIKES
from geosleuth.training.evaluate.ablations.query import Query
from geosleuth.training.evaluate.ablations.run import Outcome, makeable, run
from geosleuth.training.evaluate.ablations.setup import Setup
from geosleuth.training.evaluate.ablations.tables import TABLES
from geosleuth.training.evaluate.ablations.towns.draw import WorldSize
from geosleuth.training.evaluate.ablations.towns.world import open_twins, open_world

if TYPE_CHECKING:
    from geosleuth.tools.vlm.load import SharedModel


@dataclass(frozen=True)
class Cell:
    """Queries [first, last) of a seed's world."""

    folder: Path
    seed: int
    size: WorldSize
    first: int
    last: int
    tables: tuple[str, ...]
    judge: str | None = None  # spec of a vision-language model


def measured(cell: Cell) -> dict[str, list[Outcome]]:
    """Outcomes by table; those of the look-alikes only where a query has a twin."""
    setup, queries = _world(cell.folder, cell.seed, cell.size)
    setup = replace(setup, judge=_model(cell.judge))
    some = queries[cell.first : cell.last]
    rows = cell.folder / "rows"
    rows.mkdir(exist_ok=True)
    file = rows / f"{cell.first:05d}.jsonl"  # a file for each cell: no two processes write to one
    others = [TABLES[name] for name in cell.tables if name != LOOK_ALIKES.name]
    found = run(makeable(others, setup)[0], some, setup, file).outcomes
    twinned = [query for query in some if query.twin is not None]
    if LOOK_ALIKES.name in cell.tables and twinned:
        alike = _with_twins(cell.folder, cell.seed, cell.size)
        found |= run([LOOK_ALIKES], twinned, alike, file).outcomes
    return found


@lru_cache(maxsize=1)  # a process goes from world to world; cells of one come together
def _world(folder: Path, seed: int, size: WorldSize) -> tuple[Setup, list[Query]]:
    return open_world(folder, seed, size)


@lru_cache(maxsize=1)
def _with_twins(folder: Path, seed: int, size: WorldSize) -> Setup:
    return open_twins(folder, _world(folder, seed, size)[0])


@lru_cache(maxsize=1)
def _model(spec: str | None) -> SharedModel | None:
    if spec is None:
        return None
    from geosleuth.tools.vlm.load import load_vlm

    return load_vlm(spec)
