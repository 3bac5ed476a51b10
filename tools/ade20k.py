"""The 150 classes of ADE20K: their names, and whether a model counts them in this order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from geosleuth.indexes.errors import InputError

CLASSES = 150
# What models with one class more call the first one: they count the benchmark's 0 ("other"), others drop it.
_BACKGROUND = frozenset({"background", "other", "others", "unlabeled", "unlabelled", "void"})
_SHOWN = 3  # wrong labels that an error names: enough to see what is going on


@cache
def class_names() -> tuple[tuple[str, ...], ...]:
    """Return the names of each class, the usual one first."""
    text = files("geosleuth.tools").joinpath("data/ade20k_classes.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]
    return tuple(tuple(names.split("; ")) for _, names in rows)


def class_name(index: int) -> str:
    """Return the usual name of a class."""
    return class_names()[index][0]


def is_name_of(label: str, index: int) -> bool:
    """Tell whether a label ("road, route", "street light") names the class; its first name counts."""
    return _key(re.split(r"[,;]", label)[0]) in _keys()[index]


def label_offset(labels: Mapping[int, str], model: str) -> int:
    """Return which of a model's outputs is class 0: 0, or 1 behind a background.

    Args:
        labels: The model's `id2label`.
        model: Its name, for errors.

    Raises:
        InputError: Other classes, another order, or no names to tell by.
    """
    wanted = f"a segmenter of the {CLASSES} classes of ADE20K, in their order"
    if len(labels) not in (CLASSES, CLASSES + 1):
        raise InputError(wanted, f"{len(labels)} classes in {model}", "Name a model that was trained on ADE20K-150.")
    offset = len(labels) - CLASSES
    if offset and _key(labels.get(0, "")) not in _BACKGROUND:
        remedy = "Name a model with the 150 classes alone, or with the background first."
        raise InputError(wanted, f"{CLASSES + 1} classes in {model}, the first being {labels.get(0)!r}", remedy)
    wrong = [index for index in range(CLASSES) if not is_name_of(labels.get(index + offset, ""), index)]
    if wrong:
        shown = ", ".join(f"{i} is {labels.get(i + offset)!r}, not {class_name(i)!r}" for i in wrong[:_SHOWN])
        remedy = "Name a model of that order; if only names are missing, write them into id2label of its config.json."
        raise InputError(wanted, f"{len(wrong)} other labels in {model}: {shown}", remedy)
    return offset


@cache
def _keys() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(map(_key, names)) for names in class_names())


def _key(name: str) -> str:
    """Letters alone: "street light", "Streetlight" and "street-light" are one."""
    return re.sub(r"[^a-z]", "", name.casefold())
