"""The data sets by the names that configurations and the command line use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.cross_view import CrossViewSet
from geosleuth.training.datasets.cvact import cvact
from geosleuth.training.datasets.cvusa import cvusa
from geosleuth.training.datasets.manifest import map_tiles, setvl
from geosleuth.training.datasets.university1652 import university1652
from geosleuth.training.datasets.vigor import vigor

SETS: dict[str, Callable[[Path, str], CrossViewSet]] = {
    "vigor": vigor,
    "university1652": university1652,
    "cvusa": cvusa,
    "cvact": cvact,
    "setvl": setvl,
    "map": map_tiles,
    # Of SetVL's form; invented towns have them.
    "night": partial(setvl, name="night", modality="night ground"),
    "infrared": partial(setvl, name="infrared", modality="infrared drone"),
}


def open_set(name: str, root: Path, split: str) -> CrossViewSet:
    """Read a split of a data set; no picture is decoded.

    Args:
        name: A key of `SETS`.
        root: The folder that the reader's module describes.
        split: One of the reader's.

    Raises:
        InputError: No such data set or split, or a root that does not hold it; says what was looked for and where.
    """
    if name not in SETS:
        raise InputError("a data set", f'"{name}"', f"Use one of: {', '.join(SETS)}.")
    return SETS[name](root, split)
