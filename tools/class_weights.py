"""How much each of ADE20K's classes tells about a place: the weights of locatability, as a table that people may edit.

Tab-separated, with a heading: index, label, weight; one row per class, each weight in [0, 1]. Lines that begin with "#"
are remarks. The published weights come with geosleuth; `geosleuth.training.locatability` makes others from clue texts.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geosleuth.indexes.errors import InputError
from geosleuth.tools.ade20k import CLASSES, class_name, is_name_of

Weights = NDArray[np.float64]  # (150,), in [0, 1], read-only

_HEADING = ["index", "label", "weight"]
_DECIMALS = 9  # a score is to be the same to 1e-8 after a round trip


@lru_cache(maxsize=4)
def published_weights() -> Weights:
    """Return the weights published with GeoReasoner (arXiv 2406.18572), which come with geosleuth; sum 13.684."""
    text = files("geosleuth.tools").joinpath("data/locatability_weights.tsv").read_text(encoding="utf-8")
    return _parsed(text, "the published weights")


def read_weights(path: Path) -> Weights:
    """Read a table of weights.

    Raises:
        InputError: No such file, a row that is not understood, a class that is missing or named wrongly.
    """
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")  # spreadsheets put a mark at the beginning
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Name a file that `python -m geosleuth.training.locatability` wrote."
        raise InputError(f"a table of class weights in {path}", f"none that can be read ({error})", remedy) from error
    return _parsed(text, str(path))


def weights_text(weights: Weights, remarks: Iterable[str] = ()) -> str:
    """Write the table."""
    lines = [f"# {remark}" for remark in remarks] + ["\t".join(_HEADING)]
    lines += [f"{index}\t{class_name(index)}\t{weight:.{_DECIMALS}f}" for index, weight in enumerate(weights.tolist())]
    return "\n".join(lines) + "\n"


def _parsed(text: str, source: str) -> Weights:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != _HEADING:
        found = f"{rows[0] if rows else 'nothing'}"
        raise InputError(f"the heading {_HEADING} in {source}", found, "Separate the three by tabs.")
    weights = np.full(CLASSES, np.nan)
    for row in rows[1:]:
        index, weight = _checked(row, source)
        if not math.isnan(weights[index]):
            raise InputError(f"each class once in {source}", f"class {index} twice", "Remove one of the two rows.")
        weights[index] = weight
    missing = np.flatnonzero(np.isnan(weights))
    if missing.size:
        first = f"{missing[0]} ({class_name(int(missing[0]))})"
        found = f"{CLASSES - missing.size}; the first that is missing is {first}"
        raise InputError(f"{CLASSES} classes in {source}", found, "Give each class a row; 0 for no weight.")
    weights.flags.writeable = False
    return weights


def _checked(row: list[str], source: str) -> tuple[int, float]:
    try:
        index_text, label, weight_text = row
        index, weight = int(index_text), float(weight_text)
    except ValueError as error:
        raise InputError(f"index, label and weight in {source}", f"{row}", "Correct the row.") from error
    if not 0 <= index < CLASSES:
        raise InputError(f"an index from 0 to {CLASSES - 1} in {source}", f"{index}", "Count from 0.")
    if not is_name_of(label, index):
        found = f"{label!r} where {class_name(index)!r} belongs"
        raise InputError(f"ADE20K's classes in {source}", found, f"Correct row {index}: weights follow that order.")
    if not 0.0 <= weight <= 1.0:  # not-a-number is refused as well
        raise InputError(
            f"a weight in [0, 1] for {label} in {source}", f"{weight_text}", "Bring them there by min-max."
        )
    return index, weight
