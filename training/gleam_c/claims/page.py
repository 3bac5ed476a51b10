"""A table as a section of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.indexes.whole_file import appearing

if TYPE_CHECKING:
    from geosleuth.training.evaluate.cross_view.measures import Measures, ModalityMeasures
    from geosleuth.training.gleam_c.claims.cell import Cell
    from geosleuth.training.gleam_c.claims.tables import Table


def section(name: str, table: Table, found: Mapping[Cell, Sequence[Measures]], made: str) -> str:
    """Write a table: recall@1 in percent, mean and standard deviation over the seeds."""
    arms = list(dict.fromkeys(cell.arm for cell in table.cells))
    seeds = sorted({cell.seed for cell in table.cells})
    tests = [one.overall for one in found[table.cells[0]]]  # cells test in the order of the columns
    chance = [f"{100 * one.chance[1]:.1f} ({100 * one.chance_curve[one.one_percent - 1]:.1f})" for one in tests]
    lines = [
        f"## {table.title}",
        "",
        f"{table.question} Recall@1 and, in brackets, recall@1% in percent on towns of another world (synthetic), "
        + (f"mean ± standard deviation of {len(seeds)} seeds." if len(seeds) > 1 else "one seed."),
        "",
        "| | " + " | ".join(table.columns) + " | steps | pairs |",
        "|---|" + "---|" * (len(table.columns) + 2),
        "| chance | " + " | ".join(chance) + " | | |",
    ]
    for arm in arms:
        cells = [cell for cell in table.cells if cell.arm == arm]
        values = [_cell([found[cell][i].overall for cell in cells]) for i in range(len(table.columns))]
        lines.append(f"| {arm} | " + " | ".join(values) + f" | {cells[0].steps:,} | {cells[0].pairs:,} |")
    lines += ["", f"`python -m geosleuth.training.gleam_c.claims {name}`; {made}.", ""]
    return "\n".join(lines)


def replaced(page: Path, name: str, text: str) -> None:
    """Put a section between its marks in a page, or at the page's end; the rest stays."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{begin}\n{text}{end}\n"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end) + r"\n", re.DOTALL)
    new = (
        pattern.sub(lambda _: block, old) if pattern.search(old) else old.rstrip("\n") + ("\n\n" if old else "") + block
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    with appearing(page) as scratch:
        scratch.write_text(new, encoding="utf-8")


def _cell(figures: Sequence[ModalityMeasures]) -> str:
    first = 100 * np.array([one.recall[1] for one in figures])
    percent = 100 * np.array([one.recall_1_percent for one in figures])
    if len(figures) == 1:
        return f"{first[0]:.1f} ({percent[0]:.1f})"
    return f"{first.mean():.1f} ± {first.std(ddof=1):.1f} ({percent.mean():.1f} ± {percent.std(ddof=1):.1f})"
