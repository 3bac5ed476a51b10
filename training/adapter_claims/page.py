"""Tables of several seeds as sections of a Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Cells = Mapping[str, float]  # a row's figures by column


def table(rows: Mapping[str, Sequence[Cells]], more: Mapping[str, Mapping[str, str]]) -> str:
    """Write a table: mean and standard deviation over the seeds of each row.

    Args:
        rows: By name, an entry for each seed; what a row lacks is a dash.
        more: Columns of one value, by row's name.
    """
    columns = list(dict.fromkeys(column for seeds in rows.values() for one in seeds for column in one))
    extra = list(next(iter(more.values()), {}))
    lines = ["| | " + " | ".join([*columns, *extra]) + " |", "|---" * (1 + len(columns) + len(extra)) + "|"]
    for name, seeds in rows.items():
        values = [_cell([one.get(column, float("nan")) for one in seeds]) for column in columns]
        lines.append("| " + " | ".join([name, *values, *(more.get(name, {}).get(one, "") for one in extra)]) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float]) -> str:
    data = np.array(values, dtype=np.float64)
    if np.isnan(data).any():
        return "-"
    digits = 2 if abs(data.mean()) < 2 else 1 if abs(data.mean()) < 1000 else 0  # counts per explanation are small
    if len(data) == 1:
        return f"{data[0]:,.{digits}f}"
    return f"{data.mean():,.{digits}f} ± {data.std(ddof=1):,.{digits}f}"
