"""A record as grids of words: for the terminal, for Markdown and for the page."""

from __future__ import annotations

from geosleuth.training.evaluate.ablations.figures import AUC
from geosleuth.training.evaluate.ablations.record import AblationRecord, Change
from geosleuth.training.evaluate.vlm.intervals import Figure

Grid = tuple[str, list[str], list[list[str]]]  # title, head, rows
_NONE = Figure(value=None)


def grids(record: AblationRecord) -> list[Grid]:
    """All grids of a record, the main one first; figures that no arm has are left out."""
    made = [_crossed(record) if record.grid else _by_arm(record)]
    if record.changes:
        made.append(_changes(record))
    if record.distributions:
        made.append(_distributions(record))
    return made


def _by_arm(record: AblationRecord) -> Grid:
    """A row for each arm; intervals of the primary figure alone, or the table could not be read."""
    names = dict.fromkeys(name for arm in record.arms for name in arm.figures)
    known = {name for arm in record.arms for name, one in arm.figures.items() if one.value is not None}
    shown = [name for name in names if name in known and (record.distances or not name.startswith("within "))]
    ordered = sorted(shown, key=lambda name: name != record.primary)  # the primary first; sorting is stable
    rows = [
        [arm.name, *(_cell(name, arm.figures.get(name, _NONE), full=name == record.primary) for name in ordered)]
        for arm in record.arms
    ]
    return "", ["", *ordered], rows


def _crossed(record: AblationRecord) -> Grid:
    """The primary figure of arms named `row: column`; of others, the baseline, a row that has it once."""
    of = {arm.name: arm.figures.get(record.primary, _NONE) for arm in record.arms}
    crossed = [name.split(": ", 1) for name in of if name not in _baselines(record)]
    columns = list(dict.fromkeys(column for _, column in crossed))
    body = [
        [name, _cell(record.primary, of[name], full=True), *[""] * (len(columns) - 1)] for name in _baselines(record)
    ]
    for row in dict.fromkeys(row for row, _ in crossed):
        cells = (_cell(record.primary, of.get(f"{row}: {column}", _NONE), full=True) for column in columns)
        body.append([row, *cells])
    return record.primary, ["", *columns], body


def _baselines(record: AblationRecord) -> list[str]:
    """Arms that others are compared with, in their order."""
    against = {change.against for change in record.changes}
    return [arm.name for arm in record.arms if arm.name in against]


def _changes(record: AblationRecord) -> Grid:
    if record.grid:
        return _crossed_changes(record)
    rows = [
        [one.arm, one.against, _points(one), f"{one.gained}", f"{one.lost}", f"{one.p:.2g}"] for one in record.changes
    ]
    return f"{record.primary}, query by query", ["", "against", "points", "gained", "lost", "p (McNemar)"], rows


def _crossed_changes(record: AblationRecord) -> Grid:
    """The same as rows and columns; all against one arm."""
    cells = {change.arm: f"{_points(change)}, p {change.p:.2g}" for change in record.changes}
    crossed = [name.split(": ", 1) for name in cells]
    columns = list(dict.fromkeys(column for _, column in crossed))
    rows = [
        [row, *(cells.get(f"{row}: {column}", "-") for column in columns)]
        for row in dict.fromkeys(row for row, _ in crossed)
    ]
    against = ", ".join(_baselines(record))
    return f"{record.primary}, points against {against!r}, query by query, and p (McNemar)", ["", *columns], rows


def _points(change: Change) -> str:
    one = change.difference
    if one.value is None:
        return "-"
    text = f"{100 * one.value:+.1f}"
    return text if one.low is None or one.high is None else f"{text} [{100 * one.low:+.1f}, {100 * one.high:+.1f}]"


def _distributions(record: AblationRecord) -> Grid:
    rows = []
    for one in record.distributions:
        rows.append([one.arm, f"right ({one.right:,})", *(f"{value:.3g}" for value in one.right_quantiles)])
        rows.append([one.arm, f"wrong ({one.wrong:,})", *(f"{value:.3g}" for value in one.wrong_quantiles)])
    return "Scores of right and wrong candidates", ["", "", "5 %", "25 %", "median", "75 %", "95 %"], rows


def _cell(name: str, figure: Figure, *, full: bool) -> str:
    if figure.value is None:
        return "-"
    text = _number(name, figure.value)
    if not full or figure.low is None or figure.high is None:
        return text
    return f"{text} [{_number(name, figure.low)}, {_number(name, figure.high)}]"


def _number(name: str, value: float) -> str:
    if name.startswith("median km"):
        return f"{value:,.3f}" if value < 1 else f"{value:,.0f}"
    if name == AUC:
        return f"{value:.3f}"
    if name.endswith("per query"):
        return f"{value:.1f}"
    return f"{100 * value:.1f}"  # a share, in percent
