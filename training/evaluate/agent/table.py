"""Figures as words: each in its unit, with its interval in brackets."""

from __future__ import annotations

from collections.abc import Mapping

from geosleuth.training.evaluate.agent.measures import COUNTRY, IN_90, MEDIAN_KM
from geosleuth.training.evaluate.agent.paired import MEDIAN_CHANGE
from geosleuth.training.evaluate.vlm.intervals import Figure

# Of a region, and in the first sentence of a report: what a row has room for.
SHORT = ("accuracy@25km", "accuracy@200km", "accuracy@750km", MEDIAN_KM, COUNTRY, "answer rate", IN_90)
_COUNTS = ("median km", "GeoGuessr score", "seconds", "calls")  # how names of figures that are no shares begin
_SCALES = ("AURC", "ECE", "bits")  # written as the field does, as 0.812
_LARGE = 1e5  # areas, where digits say nothing: 1.2e+06
_NONE = Figure(value=None)

Table = Mapping[str, Figure]


def rows_of(table: Table, *, signed: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a table with a line for each figure."""
    head = ["figure", "difference" if signed else "value", "95 % interval"]
    return head, [
        [name, value_words(name, one, signed=signed), interval_words(name, one, signed=signed)]
        for name, one in table.items()
    ]


def region_rows(regions: Mapping[str, Table], counts: Mapping[str, int]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a table with a line for each region of the world."""
    shown = [name for name in SHORT if any(name in table for table in regions.values())]
    rows = [
        [region, f"{counts[region]:,}", *(words(name, table.get(name, _NONE)) for name in shown)]
        for region, table in regions.items()
    ]
    return ["region", "photos", *shown], rows


def words(name: str, figure: Figure, *, signed: bool = False) -> str:
    """Write a figure with its interval, in the unit that its name has."""
    interval = interval_words(name, figure, signed=signed)
    return " ".join(part for part in (value_words(name, figure, signed=signed), interval) if part)


def value_words(name: str, figure: Figure, *, signed: bool = False) -> str:
    """Write a figure without its interval; differences have a sign, and those of shares are in points."""
    if figure.value is None:
        return "-"
    unit = "" if not _is_share(name) else " points" if signed and name != MEDIAN_CHANGE else " %"
    return _number(name, figure.value, signed=signed) + unit


def interval_words(name: str, figure: Figure, *, signed: bool = False) -> str:
    """Write the interval alone; an end that is None is infinite where the other is not."""
    if figure.low is None and figure.high is None:
        return ""
    low = "-∞" if figure.low is None else _number(name, figure.low, signed=signed)
    high = "∞" if figure.high is None else _number(name, figure.high, signed=signed)
    return f"[{low}, {high}]"


def lead(table: Table, photos: int) -> str:
    """The main figures in a sentence."""
    said = [f"{name} {words(name, table[name])}" for name in SHORT if name in table]
    return f"{photos:,} photos: {'; '.join(said)}"


def _number(name: str, value: float, *, signed: bool) -> str:
    sign = "+" if signed else ""
    if _is_share(name):
        return format(100 * value, f"{sign}.1f")
    if name.startswith(_SCALES):
        return format(value, f"{sign}.3f")
    if abs(value) >= _LARGE:
        return format(value, f"{sign}.2g")
    return format(value, f"{sign},.0f" if abs(value) >= 10 else f"{sign}.1f")


def _is_share(name: str) -> bool:
    return name == MEDIAN_CHANGE or not name.startswith((*_COUNTS, *_SCALES))
