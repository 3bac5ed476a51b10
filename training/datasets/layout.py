"""Whether a root, a split and a path in a table are what a data set has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.listing import Listing

_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 8  # names of a folder in an error


def check_split(name: str, split: str, known: Iterable[str]) -> None:
    """Refuse a split that a data set does not have.

    Raises:
        InputError: Lists the splits that it has.
    """
    known = tuple(known)
    if split not in known:
        raise InputError(f"a split of {name}", f'"{split}"', f"Use one of: {', '.join(known)}.")


def check_layout(listing: Listing, name: str, parts: Sequence[str], remedy: str) -> None:
    """Refuse a root that lacks files or folders which every copy of the data set has.

    Raises:
        InputError: Names what was looked for, and what the root holds instead.
    """
    root = listing.root
    wanted = f"{name} in {root}: {', '.join(parts)}"
    if not root.is_dir():
        raise InputError(wanted, "a file" if root.exists() else "no such folder", remedy)
    missing = [part for part in parts if not (root / part).exists()]
    if not missing:
        return
    held = sorted({*listing.files(""), *(f"{one}/" for one in listing.folders(""))})
    shown = ", ".join(held[:_SHOWN]) + (f" and {len(held) - _SHOWN:,} more" if len(held) > _SHOWN else "")
    raise InputError(wanted, f"no {', '.join(missing)}; it holds {shown or 'nothing'}", remedy)


def leads_out(path: str) -> bool:
    """Tell whether a relative path from a data set's table could leave the root, on any system."""
    return path.startswith(("/", "\\")) or bool(_DRIVE.match(path)) or ".." in re.split(r"[/\\]", path) or "\0" in path
