"""A folder of photos that carry their own positions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.exif import Exif, parse_exif
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.source import Item, Skipped, reason_of
from geosleuth.indexes.photo import Photo, open_photo
from geosleuth.indexes.photo_file import DAMAGED, sniff

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".gif"}

# EXIF and XMP of a JPEG stand in segments of at most 64 KiB at its start; four of them hold colour profile and preview
# data of the cameras that we have seen. Listing a photo then costs 256 KiB of reading, not its 5 MB.
_HEAD_BYTES = 1 << 18


@dataclass(frozen=True)
class FolderSource:
    """Photos below a folder, in the order of their names; hidden files and folders are passed over."""

    root: str
    view: View = "ground"

    @property
    def kind(self) -> str:
        """As the manifest names it."""
        return "folder"

    def items(self) -> Iterator[Item | Skipped]:
        """List every photo, by the position in its EXIF or XMP."""
        unreadable: list[OSError] = []
        for path in photo_paths(Path(self.root), unreadable):
            uri = path.relative_to(self.root).as_posix()
            try:
                uri.encode()
            except UnicodeEncodeError:
                yield Skipped(os.fsencode(uri).decode("utf-8", "backslashreplace"), "its name is not UTF-8: rename it")
                continue
            try:
                exif = _metadata(resolve_inside(self.root, uri))
            except InputError as error:
                yield Skipped(uri, reason_of(error, uri))
                continue
            yield self._item(uri, exif)
        for trouble in unreadable:
            yield Skipped(str(trouble.filename), f"a folder that cannot be read ({trouble.strerror})")

    def stamp(self, uri: str) -> str:
        """Size and time of change: a photo that was replaced after the listing may be of another place.

        Raises:
            InputError: It is gone.
        """
        path = resolve_inside(self.root, uri)
        try:
            status = path.stat()
        except OSError as error:
            raise InputError("a photo", f"a file that is gone: {uri}", "Put it back.") from error
        return f"{status.st_size}:{status.st_mtime_ns}"

    def read(self, uri: str) -> Photo:
        """Open one photo."""
        return open_photo(resolve_inside(self.root, uri))

    def _item(self, uri: str, exif: Exif) -> Item | Skipped:
        if exif.position is None:
            return Skipped(uri, f"no position: {exif.no_position_reason}")
        return Item(
            uri=uri,
            lat=exif.position.lat,
            lon=exif.position.lon,
            view=self.view,
            heading_deg=exif.heading_deg,
            captured_at=_captured_at(exif),
        )


def photo_paths(root: Path, unreadable: list[OSError] | None = None) -> Iterator[Path]:
    """Walk the photos below a folder, sorted by name within each folder; folders that cannot be read are collected.

    Linked folders are not entered: inside the root their files are listed where they lie, outside they are not the
    user's choice. Linked files are listed (archives keep their content in a hidden folder), and `resolve_inside`
    refuses those that lead out of the root.
    """
    for folder, folders, files in os.walk(root, onerror=(unreadable if unreadable is not None else []).append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and (path.suffix.lower() in PHOTO_SUFFIXES or _is_photo(path)):
                yield path


def resolve_inside(root: str | Path, uri: str) -> Path:
    """Turn a URI of a source into the path of its file.

    Raises:
        InputError: It leads out of the root, by `..`, as an absolute path or through a link.
    """
    base = Path(root).resolve()
    try:
        path = (base / uri).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a null byte, a loop of links
        found = f"a path that cannot be read ({error})"
        raise InputError("a file of the source", found, "Correct the path.") from error
    if not path.is_relative_to(base):
        remedy = "Copy it there, or name a folder that holds everything as the root."
        raise InputError(f"a file inside {base}", f"a path that leads out of it: {uri}", remedy)
    return path


def _is_photo(path: Path) -> bool:
    """A photo without the ending of one: some archives name files by their hash."""
    if path.suffix:
        return False
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return sniff(file.read(16)) is not None
    except OSError:
        return False


def _metadata(path: Path) -> Exif:
    """Read the metadata from the first part of a JPEG where that is enough, else from the whole file.

    Raises:
        InputError: It is no photo.
    """
    try:
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
            if len(head) == _HEAD_BYTES and sniff(head) == "JPEG":
                photo = open_photo(head, name=path.name)
                return parse_exif(photo.exif, photo.xmp)
    except (InputError, *DAMAGED):
        pass  # the header is longer, or the file is not ours: the whole of it decides, and names the reason
    photo = open_photo(path)
    return parse_exif(photo.exif, photo.xmp)


def _captured_at(exif: Exif) -> str | None:
    if exif.taken_at is None:
        return None
    if exif.offset_minutes is None:
        return exif.taken_at.isoformat()
    return exif.taken_at.replace(tzinfo=timezone(timedelta(minutes=exif.offset_minutes))).isoformat()
