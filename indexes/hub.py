"""Weights of a model hub: those on this machine come first, and nobody is asked about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from geosleuth.indexes.errors import InputError

Loaded = TypeVar("Loaded")


def cached_first(load: Callable[[], Loaded], *, fetch: bool = True) -> Loaded:
    """Call `load` without the hub, and only if that fails, and `fetch` allows it, once more with it.

    The hub's client would otherwise ask about a model that it has in its cache, at every load.

    Raises:
        InputError: `load` raised it.
    """
    try:
        with _without_hub():
            return load()
    except InputError:
        if not fetch:
            raise
    return load()


@contextmanager
def _without_hub() -> Iterator[None]:
    try:
        from huggingface_hub import constants
    except ImportError:  # `load` says what is missing
        yield
        return
    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
