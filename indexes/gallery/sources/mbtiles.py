"""An MBTiles file: tiles in an SQLite database (MBTiles specification 1.3), rows counted from the south."""

from __future__ import annotations

import html
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.source import Item, Skipped
from geosleuth.indexes.gallery.sources.tile_picture import MAX_TILE_BYTES, is_vector_tile, open_tile, vector_tiles
from geosleuth.indexes.gallery.sources.web_mercator import MAX_ZOOM, Tile, row_from_south
from geosleuth.indexes.photo import Photo

_WANTED = "an MBTiles file"
_URI = re.compile(r"([0-9]{1,2})/([0-9]{1,10})/([0-9]{1,10})")
_ROWS_AT_ONCE = 10_000
_LONGEST_LICENCE = 200  # characters; attributions in the wild are one line with links
# `tiles` may be a view, and a hostile view never ends. Sorting 10 million rows takes 10 s.
_PATIENCE_S = 120.0
_STEPS_BETWEEN_LOOKS = 1_000_000  # of SQLite's machine: some 10 ms


@dataclass(frozen=True)
class MbtilesSource:
    """The tiles of one zoom. A connection per call, so that threads and processes may share it."""

    root: str  # the file itself
    zoom: int
    view: View = "satellite"
    licence: str | None = None
    kind: str = "mbtiles"

    def items(self) -> Iterator[Item | Skipped]:
        """List the tiles by column and row, the row counted from the north."""
        query = "SELECT tile_column, tile_row FROM tiles WHERE zoom_level = ? ORDER BY tile_column, tile_row DESC"
        with _connect(self.root) as connection:
            cursor = connection.execute(query, (self.zoom,))
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                for column, row in rows:
                    yield self._item(column, row)
                _limit_time(connection)  # what the caller does between two rows takes its own time

    def _item(self, column: object, row: object) -> Item | Skipped:
        if not isinstance(column, int) or not isinstance(row, int):  # SQLite's columns hold anything
            return Skipped(f"{self.zoom}/{column!r}/{row!r}"[:100], "its column or row is no number")
        tile = Tile(self.zoom, column, row_from_south(self.zoom, row))
        if not tile.exists:
            return Skipped(str(tile), f"zoom {self.zoom} has columns and rows up to {(1 << self.zoom) - 1}")
        return Item(str(tile), *tile.middle, view=self.view, extent_m=tile.side_m, licence=self.licence)

    def read(self, uri: str) -> Photo:
        """Open a tile's header.

        Raises:
            InputError: The file is gone or damaged, or the tile is.
        """
        match = _URI.fullmatch(uri)
        if match is None:
            raise InputError("a tile ZOOM/X/Y", repr(uri), "Build the index again.")
        zoom, x, y = (int(number) for number in match.groups())
        query = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"
        with _connect(self.root) as connection:
            row = connection.execute(query, (zoom, x, row_from_south(zoom, y))).fetchone()
        if row is None or not isinstance(row[0], bytes):
            found = "no such tile" if row is None else "something else than bytes"
            raise InputError(f"tile {uri} in {self.root}", found, "Build the index again, or bring the file back.")
        return open_tile(row[0], uri)


def open_mbtiles(path: Path | str, *, view: View = "satellite", zoom: int | None = None) -> MbtilesSource:
    """Open an MBTiles file; the highest zoom in it unless another is named.

    Raises:
        InputError: No such file, no SQLite, damaged, tables missing, no tiles, no such zoom, or vector tiles.
    """
    file = Path(path).absolute()
    with _connect(str(file)) as connection:
        metadata = _metadata(connection)
        if metadata.get("format") in ("pbf", "mvt"):
            raise vector_tiles(str(file))
        zooms = [row[0] for row in connection.execute("SELECT DISTINCT zoom_level FROM tiles ORDER BY zoom_level")]
        zooms = [number for number in zooms if isinstance(number, int) and 0 <= number <= MAX_ZOOM]
        if not zooms:
            raise InputError("tiles", f"none in {file}", "Make the file again.")
        if zoom is not None and zoom not in zooms:
            found = f"zooms {', '.join(map(str, zooms))} in {file}"
            raise InputError(f"tiles of zoom {zoom}", found, "Choose one of these.")
        chosen = zooms[-1] if zoom is None else zoom
        sample = connection.execute("SELECT tile_data FROM tiles WHERE zoom_level = ? LIMIT 1", (chosen,)).fetchone()
    if sample and isinstance(sample[0], bytes) and is_vector_tile(sample[0]):
        raise vector_tiles(str(file))
    return MbtilesSource(str(file), chosen, view, _licence(metadata))


@contextmanager
def _connect(path: str) -> Iterator[sqlite3.Connection]:
    """Open a database that nobody vouches for, to read; SQLite's errors become ours."""
    if not Path(path).is_file():  # SQLite would say "unable to open" for all of these
        found = f"a folder: {path}" if Path(path).is_dir() else f"no such file: {path}"
        raise InputError(_WANTED, found, "Check the path.")
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MAX_TILE_BYTES)  # a larger blob is refused, not read
            connection.execute("PRAGMA trusted_schema = OFF")  # views may call no function with effects
            connection.execute("PRAGMA query_only = ON")
            _limit_time(connection)
            yield connection
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        found = f"a file that SQLite cannot read ({error}): {path}"
        raise InputError(_WANTED, found, "Copy or make the file again; it is damaged or of another kind.") from error


def _limit_time(connection: sqlite3.Connection) -> None:
    """Let SQLite give up what takes too long from now on; that is an `OperationalError`."""
    deadline = time.monotonic() + _PATIENCE_S
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)


def _metadata(connection: sqlite3.Connection) -> dict[str, str]:
    """The table of names and values; the specification demands it, and files without it are read all the same."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'metadata'").fetchone():
        return {}
    rows = connection.execute("SELECT name, value FROM metadata LIMIT 1000").fetchall()
    return {name: value for name, value in rows if isinstance(name, str) and isinstance(value, str)}


def _licence(metadata: dict[str, str]) -> str | None:
    """Whom the tiles are owed to, without HTML. A name alone licenses nothing."""
    attribution = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", metadata.get("attribution", "")[:10_000])).split())
    if not attribution:
        return None
    name = " ".join(metadata.get("name", "").split())
    return (f"{name}: {attribution}" if name else attribution)[:_LONGEST_LICENCE]
