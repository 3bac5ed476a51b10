"""From the list of a data set to its photos: pictures found, positions checked, countries named, some drawn."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import parse_exif
from geosleuth.indexes.geodesy import LatLon
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import sniff
from geosleuth.training.datasets.cross_view import Skipped
from geosleuth.training.datasets.layout import leads_out
from geosleuth.training.datasets.listing import NO_FILE, PICTURE_SUFFIXES, Listing
from geosleuth.training.evaluate.data_sets.draw import spread
from geosleuth.training.evaluate.data_sets.label_table import Label
from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet
from geosleuth.training.evaluate.labelled import LabelledPhoto
from geosleuth.training.georeasoner.placing import placed
from geosleuth.training.georeasoner.view_table import NO_NAME, OUTSIDE, TWICE, Row

NO_POSITION = "no position: a control"
EMPTY = "an empty file"
NO_FOLDER = "its folder cannot be read"
NO_PICTURE = "not a picture, by its first bytes"
KNOWN = "photos whose own metadata hold a position, which a tool that reads metadata copies"
_HEAD_BYTES = 64  # more than any signature needs
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Listed:
    """What the list of a data set says, before its pictures are looked for."""

    name: str
    listing: Listing
    labels: Sequence[Label]
    folders: tuple[str, ...] = ("",)  # of the pictures, from the root; the first that has one counts
    published: int | None = None  # photos that the set has
    originals: bool = False  # pictures may be as a camera wrote them, with its metadata
    skipped: Sequence[Skipped] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


def assembled(listed: Listed, limit: int | None = None, seed: int = 0) -> LabelledSet:
    """Find the pictures of a list, and draw some of them.

    Args:
        listed: The list.
        limit: How many photos to draw, in the countries' proportions; None takes all.
        seed: Of the draw.

    Raises:
        InputError: A limit below 1, or not one usable photo; says why.
    """
    if limit is not None and limit < 1:
        raise InputError("a number of photos of 1 or more", str(limit), "Leave --limit out to take all.")
    rows, skipped = _rows(listed)
    views, unplaced, notes = placed(rows, name_cities=False)
    row_of = {row.path: row for row in rows}
    photos = [
        LabelledPhoto(view.path, LatLon(view.lat, view.lon), view.country or "", view.city, row_of[view.path].file)
        for view in views
    ]
    taken, broken = _taken(photos, limit, seed)
    if len(taken) < len(photos):
        _, _, notes = placed([row_of[photo.path] for photo in taken], name_cities=False)  # of these alone
    short = (listed.published or 0) - len(listed.labels)
    if short > 0:
        notes[f"rows of the published {listed.published:,} that this list has not"] = short
    if listed.originals and (known := sum(map(_tells_itself, taken))):
        notes[KNOWN] = known
    skipped = [*listed.skipped, *skipped, *unplaced, *broken]
    found = LabelledSet(listed.name, tuple(taken), tuple(skipped), {**listed.notes, **notes})
    if not taken:
        raise _nothing(found, listed)
    return found


def _rows(listed: Listed) -> tuple[list[Row], list[Skipped]]:
    """Rows whose picture is there, each picture once."""
    rows: dict[str, Row] = {}
    skipped = []
    for label in listed.labels:
        found, reason = _picture(listed, label.file)
        if found in rows:
            reason = TWICE
        elif found and not (label.lat or label.lon):
            reason = NO_POSITION
        if reason or found is None:
            skipped.append(Skipped(label.file, reason or NO_FILE))
        else:
            path = Path(listed.listing.path(found))
            rows[found] = Row(found, path, label.lat, label.lon, country=label.country, city=label.city)
    return list(rows.values()), skipped


def _picture(listed: Listed, written: str) -> tuple[str | None, str | None]:
    """The path of a picture from the root, or the reason why there is none."""
    if not written:
        return None, NO_NAME
    file = None if "\0" in written else _inside(written, listed.listing.root)
    if file is None:
        return None, OUTSIDE
    try:
        found = _found(listed, file)
    except InputError:  # one row's folder that may not be read, or whose name no folder can have
        return None, NO_FOLDER
    return found, None if found else NO_FILE


def _inside(written: str, root: Path) -> str | None:
    """A path relative to the root; None where it leads out of it. Whole paths are taken where they lie in it."""
    if Path(written).is_absolute():
        path = Path(os.path.normpath(written))
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
    return None if leads_out(written) else posixpath.normpath(written)


def _found(listed: Listed, file: str) -> str | None:
    """The picture in the first of the folders that has it; a name without a picture's ending may have any."""
    endings = ("",) if file.lower().endswith(PICTURE_SUFFIXES) else ("", *PICTURE_SUFFIXES)
    names = (f"{folder}/{file}{ending}" if folder else file + ending for folder in listed.folders for ending in endings)
    return next((name for name in names if listed.listing.has(name)), None)


def _taken(photos: Sequence[LabelledPhoto], limit: int | None, seed: int) -> tuple[list[LabelledPhoto], list[Skipped]]:
    """The photos drawn, in the order of the list, and broken ones met on the way: another is drawn for each."""
    order: Iterable[int] = range(len(photos)) if limit is None else spread(photos, seed)
    taken, broken = [], []
    for i in order:
        reason = _broken(photos[i].path)
        if reason:
            broken.append(Skipped(photos[i].file, reason))
            continue
        taken.append(i)
        if len(taken) == limit:
            break
    return [photos[i] for i in sorted(taken)], broken


def _broken(path: Path) -> str | None:
    """Say why a file can be no photo, by its first bytes: all of it is read when its turn comes."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if not head:
        return EMPTY
    return None if sniff(head) else NO_PICTURE


def _tells_itself(photo: LabelledPhoto) -> bool:
    try:
        opened = open_photo(photo.path)
    except InputError:  # the run that looks at it reports what is wrong
        return False
    return parse_exif(opened.exif, opened.xmp).position is not None


def _nothing(found: LabelledSet, listed: Listed) -> InputError:
    reasons = "; ".join(f"{n:,} x {why}" for why, n in list(found.skip_reasons.items())[:_REASONS_SHOWN])
    where = ", ".join(f"{one}/" if one else "the root" for one in listed.folders)
    return InputError(
        f"photos of {found.name} below {listed.listing.root}: in {where}",
        f"none ({reasons or 'the list is empty'})",
        "Unpack the pictures there, or name the folder that holds them as the root and the list by --labels.",
    )
