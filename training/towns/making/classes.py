"""Numbers of ADE20K's classes as label masks hold them: 1 to 150, 0 where nothing is labelled."""

from __future__ import annotations

from functools import cache

from geosleuth.tools.ade20k import class_names

UNLABELLED = 0


@cache
def class_number(kind: str) -> int:
    """Return the label of a class by its usual name ("road" is 7, "streetlight" is 88).

    Raises:
        KeyError: ADE20K has no such class.
    """
    return _numbers()[kind]


def class_of(number: int) -> str:
    """Return the usual name of a label above 0."""
    return class_names()[number - 1][0]


@cache
def _numbers() -> dict[str, int]:
    return {names[0]: index for index, names in enumerate(class_names(), start=1)}
