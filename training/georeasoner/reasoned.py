"""Reasoned image-text pairs: pictures with their place and the reasons for it, as JSON lines (stage 1).

One object a line, UTF-8, keys in any case:

======== ===========================================================================================================
image    of the picture, from the root (the file's own folder unless named), with slashes; also: file, path
country  ISO 3166-1 or a name in any language; "unknown" or empty where there is none
city     optional, the same
reasons  a list of sentences, or one text; also: reason, as the paper's prompt has it
lat, lon optional, WGS 84 degrees
======== ===========================================================================================================
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.tools.georeasoner_reply import GeoAnswer
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.datasets.listing import NO_FILE, Listing
from geosleuth.training.georeasoner.view_table import NAMES, OUTSIDE, TWICE, country_of_cell, parsed_degrees

IMAGE_KEYS = ("image", "file", "path", "image_path")
NOT_READABLE = "no JSON object"
NO_IMAGE = "no image is named"
NO_PLACE = "neither country nor city is named"
NO_REASONS = "no reasons are given"
BAD_COUNTRY = "country that is none"
BAD_POSITION = "lat and lon that are no position: set aside"
_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ReasonedView:
    """One picture with its place, and why it is there."""

    path: Path  # absolute
    country: str | None  # ISO 3166-1 alpha-2
    city: str | None
    reasons: tuple[str, ...]
    position: tuple[float, float] | None = None  # (lat, lon)


@dataclass(frozen=True)
class Reasoned:
    """Pairs in the order of their file, and what was left out."""

    views: tuple[ReasonedView, ...]
    skipped: tuple[Skipped, ...] = ()
    name: str = "reasoned"
    notes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.views)

    def __repr__(self) -> str:
        return f"Reasoned({self.name}: {len(self):,} pairs, {len(self.skipped):,} lines skipped)"

    @property
    def skip_reasons(self) -> dict[str, int]:
        """Why lines were left out, the commonest first."""
        return dict(Counter(one.reason for one in self.skipped).most_common())

    def about(self) -> dict[str, Any]:
        """Facts for a run's record, as JSON."""
        return {
            "name": self.name,
            "pairs": len(self),
            "countries": len({view.country for view in self.views} - {None}),
            "with_city": sum(view.city is not None for view in self.views),
            "reasons": sum(len(view.reasons) for view in self.views),
            "skipped": self.skip_reasons,
            "notes": dict(self.notes),
        }


def read_reasoned(path: Path, root: Path | None = None) -> Reasoned:
    """Read reasoned pairs; lines that cannot be used are counted with their reasons.

    Args:
        path: Of the JSON lines.
        root: The folder that images are relative to; None: the file's own.

    Raises:
        InputError: No such file, or no usable pair in it.
    """
    path = path.expanduser()
    listing = Listing(path.parent if root is None else root.expanduser())
    views: dict[Path, ReasonedView] = {}
    skipped = []
    notes: Counter[str] = Counter()
    for number, line in _lines(path):
        read = _read(line, listing, notes)
        if isinstance(read, ReasonedView) and read.path in views:
            read = TWICE
        if isinstance(read, str):
            skipped.append(Skipped(f"line {number}", read))
        else:
            views[read.path] = read
    found = Reasoned(tuple(views.values()), tuple(skipped), path.stem, dict(+notes))
    if not views:
        reasons = "; ".join(f"{n:,} x {why}" for why, n in list(found.skip_reasons.items())[:_REASONS_SHOWN])
        remedy = "Check the root of the images; training/georeasoner/reasoned.py describes the file."
        raise InputError(f"reasoned image-text pairs in {path}", f"none ({reasons or 'no lines'})", remedy)
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Name a file of JSON lines in UTF-8."
        raise InputError(f"reasoned image-text pairs in {path}", f"none that can be read ({error})", remedy) from error
    # splitlines would cut at separators that JSON allows in texts
    yield from ((number, line) for number, line in enumerate(content.split("\n"), start=1) if line.strip())


def _read(line: str, listing: Listing, notes: Counter[str]) -> ReasonedView | str:
    """The pair of a line; where it is none, the reason."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return NOT_READABLE
    if not isinstance(value, dict):
        return NOT_READABLE
    cells = {str(key).strip().casefold(): one for key, one in value.items()}
    image = next((cells[key] for key in IMAGE_KEYS if isinstance(cells.get(key), str) and cells[key]), None)
    if image is None:
        return NO_IMAGE
    if leads_out(image):
        return OUTSIDE
    file = os.path.normpath(image).replace(os.sep, "/")
    if not listing.has(file):
        return NO_FILE
    if not cells.keys() & {"country", "city"}:
        return NO_PLACE
    answer = GeoAnswer.model_validate(cells)  # as replies are read, so that what is taught can be read back
    country = country_of_cell(answer.country)
    if country is None and answer.city_name is None:
        return BAD_COUNTRY if answer.country and not answer.is_silent else NO_PLACE
    if not answer.reasons:
        return NO_REASONS
    notes[BAD_COUNTRY] += country is None and not answer.is_silent
    reasons = tuple(" ".join(one.split()) for one in answer.reasons)
    return ReasonedView(Path(listing.path(file)), country, answer.city_name, reasons, _position(cells, notes))


def _position(cells: Mapping[str, Any], notes: Counter[str]) -> tuple[float, float] | None:
    lat, lon = (
        next((cells[name] for name in NAMES[key] if cells.get(name) is not None), None) for key in ("lat", "lon")
    )
    if lat is None and lon is None:
        return None
    usable = all(isinstance(one, str | int | float) for one in (lat, lon))
    position = parsed_degrees(lat, lon) if usable else ""  # type: ignore[arg-type]
    if isinstance(position, str):
        notes[BAD_POSITION] += 1
        return None
    return position
