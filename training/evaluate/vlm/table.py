"""Figures as words: a row for each name, a column for each group, intervals in brackets."""

from __future__ import annotations

from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.record import Section

_NUMBERS = ("median", "per explanation")  # names of figures that are no shares
_COSINES = ("similarity to", "similarity, where")
_SCALES = ("AUC", "ECE")  # written as the field does, as 0.812


def rows_of(section: Section, *, signed: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a section's table.

    Args:
        section: What to write.
        signed: Its figures are differences: with a sign, and of shares in points.
    """
    names = list(dict.fromkeys(name for column in section.columns.values() for name in column))
    head = ["", *(f"{name} ({section.counts[name]:,})" for name in section.columns)]
    empty = Figure(value=None)
    rows = [
        [name, *(words(name, column.get(name, empty), signed=signed) for column in section.columns.values())]
        for name in names
    ]
    return head, rows


def words(name: str, figure: Figure, *, signed: bool = False) -> str:
    """Write a figure in the unit that its name has."""
    if figure.value is None:
        return "-"
    text = _written(name, figure.value, signed=signed)
    if figure.low is None or figure.high is None:
        return text
    low, high = (_number(name, value, signed=signed) for value in (figure.low, figure.high))
    return f"{text} [{low}, {high}]"


def _written(name: str, value: float, *, signed: bool) -> str:
    unit = " points" if signed else " %"
    return _number(name, value, signed=signed) + (unit if _is_share(name) else "")


def _number(name: str, value: float, *, signed: bool) -> str:
    sign = "+" if signed or name.startswith("yes-rate less") else ""
    if _is_share(name):
        return format(100 * value, f"{sign}.1f")
    if any(part in name for part in _NUMBERS):
        return format(value, f"{sign},.0f" if abs(value) >= 10 else f"{sign}.1f")
    return format(value, f"{sign}.3f")


def _is_share(name: str) -> bool:
    return not any(part in name for part in (*_NUMBERS, *_COSINES, *_SCALES))
