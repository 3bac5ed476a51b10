"""What the page is told behind "--" by the command that serves it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from geosleuth.indexes.errors import InputError

USE = "Start it with `geosleuth evaluate human --data NAME --root FOLDER --out FILE.jsonl`."


class Told(NamedTuple):
    """Which photos, and where the answers go."""

    data: str
    root: Path
    out: Path
    labels: Path | None = None
    limit: int | None = None


def arguments_of(told: Told) -> list[str]:
    """Return what stands behind "--"."""
    given = told._asdict().items()
    return [word for name, value in given if value is not None for word in (f"--{name}", str(value))]


def told_by(arguments: Sequence[str]) -> Told:
    """Read it; what else stands there is not ours.

    Raises:
        InputError: Something is missing.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    for name, form in (("data", str), ("root", Path), ("out", Path), ("labels", Path), ("limit", int)):
        parser.add_argument(f"--{name}", type=form)
    try:
        given, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise InputError("the page's arguments", str(error), USE) from error
    if given.data is None or given.root is None or given.out is None:
        raise InputError("a data set, its folder and a file for answers", "none", USE)
    return Told(given.data, given.root, given.out, given.labels, given.limit)
