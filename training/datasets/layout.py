"""Whether a root, a split and a path in a table are what a data set has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from geosleuth.indexes.errors import InputError
from geosleuth.training.datasets.listing import Listing

_DRIVE = re.compile(r"[A-Za-z]:")
_PARTS_SHOWN = 4  # of what is looked for, in an error: VIGOR has 16, all after one pattern
_HELD_SHOWN = 8  # names of the folder that is there


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
    wanted = f"{name} in {root}: {_some(parts, _PARTS_SHOWN)}"
    if not root.is_dir():
        raise InputError(wanted, "a file" if root.exists() else "no such folder", remedy)
    missing = [part for part in parts if not (root / part).exists()]
    if not missing:
        return
    lacks = "none of them" if len(missing) == len(parts) > 1 else f"no {_some(missing, _PARTS_SHOWN)}"
    held = sorted({*listing.files(""), *(f"{one}/" for one in listing.folders(""))})
    raise InputError(wanted, f"{lacks}; it holds {_some(held, _HELD_SHOWN) or 'nothing'}", remedy)


def _some(names: Sequence[str], count: int) -> str:
    """List the first names, and say how many more there are."""
    more = f" and {len(names) - count:,} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def leads_out(path: str) -> bool:
    """Tell whether a relative path from a data set's table could leave the root, on any system."""
    return path.startswith(("/", "\\")) or bool(_DRIVE.match(path)) or ".." in re.split(r"[/\\]", path) or "\0" in path
