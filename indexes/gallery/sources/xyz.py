"""A folder of tiles, {zoom}/{x}/{y}.png or .jpg or .webp, as map servers keep them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.source import Item, Skipped
from geosleuth.indexes.gallery.sources.tile_picture import IMAGE_SUFFIXES, open_tile, vector_tiles
from geosleuth.indexes.gallery.sources.web_mercator import MAX_ZOOM, Tile
from geosleuth.indexes.photo import Photo
from geosleuth.indexes.photo_file import read_file

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_URI = re.compile(r"([0-9]{1,2})/([0-9]{1,10})/([0-9]{1,10})(\.[a-z]{3,4})")
_VECTOR_SUFFIXES = (".pbf", ".mvt")
_FORM = "a folder of tiles, ZOOM/X/Y.png or .jpg or .webp"


@dataclass(frozen=True)
class XyzSource:
    """The tiles of one zoom. Nothing in the files tells from which side rows count: north is assumed, as XYZ has it."""

    root: str
    zoom: int
    view: View = "satellite"
    kind: str = "xyz"

    def items(self) -> Iterator[Item | Skipped]:
        """List the tiles by column and row."""
        folder = Path(self.root) / str(self.zoom)
        for x in _numbers(folder):
            for name, suffix, row in _rows(folder / str(x)):
                uri = f"{self.zoom}/{x}/{name}"
                if row is None:
                    yield Skipped(uri, f"{name!r} is no row number with {suffix}")
                    continue
                tile = Tile(self.zoom, x, row)
                if not tile.exists:
                    yield Skipped(uri, f"zoom {self.zoom} has columns and rows up to {(1 << self.zoom) - 1}")
                    continue
                yield Item(uri, *tile.middle, view=self.view, extent_m=tile.side_m)

    def read(self, uri: str) -> Photo:
        """Open a tile's header.

        Raises:
            InputError: It is gone, damaged, too large, or a link that leads out of the folder.
        """
        match = _URI.fullmatch(uri)
        if match is None or match[4] not in IMAGE_SUFFIXES:
            raise InputError("a tile's path ZOOM/X/Y.png", repr(uri), "Build the index again.")
        path = (Path(self.root) / uri).resolve()
        if not path.is_relative_to(Path(self.root).resolve()):
            raise InputError(f"a tile inside {self.root}", f"a link that leads out of it: {uri}", "Copy the tile.")
        return open_tile(read_file(path), uri)


def open_xyz(path: Path | str, *, view: View = "satellite", zoom: int | None = None) -> XyzSource:
    """Open a folder of tiles; the highest zoom in it unless another is named.

    Raises:
        InputError: No such folder, no tiles in it, no such zoom, vector tiles, or TMS by its own description.
    """
    root = Path(path).absolute()
    if not root.is_dir():
        found = f"a file: {root}" if root.exists() else f"no such folder: {root}"
        raise InputError(_FORM, found, "Name the folder that holds the zooms.")
    if (root / "tilemapresource.xml").exists():  # OSGeo's TMS specification asks for this file; XYZ has none
        remedy = "Make them with `gdal2tiles --xyz`, or delete that file if rows do count from the north."
        raise InputError(f"{_FORM}, rows from the north", f"TMS tiles (tilemapresource.xml): {root}", remedy)
    zooms = [number for number in _numbers(root) if number <= MAX_ZOOM and _holds_tiles(root / str(number))]
    if not zooms:
        raise InputError(_FORM, f"none in {root}", "Name the folder that holds the zooms.")
    if zoom is not None and zoom not in zooms:
        found = f"zooms {', '.join(map(str, zooms))} in {root}"
        raise InputError(f"tiles of zoom {zoom}", found, "Choose one of these.")
    chosen = zooms[-1] if zoom is None else zoom
    logger.info("%s: zoom %d, rows counted from the north (XYZ)", root.name, chosen)
    return XyzSource(str(root), chosen, view)


def _numbers(folder: Path) -> list[int]:
    """The sub-folders whose names are numbers, in the order of these."""
    return sorted(int(name) for name in _names(folder, folders=True) if _NUMBER.fullmatch(name))


def _names(folder: Path, *, folders: bool = False) -> list[str]:
    """The names in a folder, or of its sub-folders; strings, since a million paths would take seconds to make."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if not folders or entry.is_dir()]
    except OSError as error:
        raise InputError(_FORM, f"a folder that cannot be read ({error.strerror}): {folder}", "Check it.") from error


def _rows(folder: Path) -> list[tuple[str, str, int | None]]:
    """(name, suffix, row) of the pictures of a column by row; None where the name is no number."""
    found = []
    for name in _names(folder):
        stem, dot, extension = name.rpartition(".")
        if dot + extension in IMAGE_SUFFIXES and not name.startswith("."):
            found.append((name, dot + extension, int(stem) if _NUMBER.fullmatch(stem) else None))
    return sorted(found, key=lambda row: (-1 if row[2] is None else row[2], row[0]))


def _holds_tiles(folder: Path) -> bool:
    """Whether a zoom has a tile.

    Raises:
        InputError: It has vector tiles.
    """
    for x in _numbers(folder):
        if any(row is not None for _, _, row in _rows(folder / str(x))):
            return True
        if any(name.endswith(_VECTOR_SUFFIXES) for name in _names(folder / str(x))):
            raise vector_tiles(str(folder))
    return False
