"""The images of a source, listed once per build and read again chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from geosleuth.indexes.gallery.journal_files import read_problems, readable, write_problems
from geosleuth.indexes.gallery.manifest import Problem
from geosleuth.indexes.gallery.progress import Meter
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.source import Item, Skipped, Source
from geosleuth.indexes.whole_file import appearing

_ITEMS, _SKIPPED = "listing.parquet", "listing-skipped.jsonl"


@runtime_checkable
class Stamped(Protocol):
    """A source whose listing came from the images themselves, so that a changed image may be of another place."""

    def stamp(self, uri: str) -> str:
        """What changes when the image does.

        Raises:
            InputError: It is gone.
        """


@dataclass(frozen=True, slots=True)
class Listed:
    """An image to encode, and its stamp where the source has one."""

    item: Item
    stamp: str | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive images of the listing: what is staged, or lost to a kill, as a whole."""

    number: int
    listed: tuple[Listed, ...]


class Listing:
    """The stored listing; a chunk is a row group of its file."""

    def __init__(self, folder: Path) -> None:
        import pyarrow.parquet

        self._folder = folder
        with readable(folder / _ITEMS):
            self._file = pyarrow.parquet.ParquetFile(folder / _ITEMS)

    def __len__(self) -> int:
        """Number of images with a position."""
        return int(self._file.metadata.num_rows)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return int(self._file.metadata.num_row_groups)

    def size(self, number: int) -> int:
        """Number of images of a chunk."""
        return int(self._file.metadata.row_group(number).num_rows)

    def chunk(self, number: int) -> Chunk:
        """Read one chunk."""
        with readable(self._folder / _ITEMS):
            rows = self._file.read_row_group(number).to_pylist()
            stamps = [row.pop("stamp") for row in rows]
            return Chunk(number, tuple(Listed(Item(**row), stamp) for row, stamp in zip(rows, stamps, strict=True)))

    def skipped(self) -> list[Problem]:
        """Those that cannot be references."""
        return read_problems(self._folder / _SKIPPED)

    def close(self) -> None:
        """Let go of the file, so that it can be removed on every system."""
        self._file.close()


def store_listing(
    source: Source, folder: Path, *, number: int, view: View | None, chunk_size: int, meter: Meter
) -> None:
    """List a source into a folder.

    Args:
        source: What to list.
        folder: The journal's.
        number: Of the source, in the index.
        view: Overrules the source's own.
        chunk_size: Images per chunk.
        meter: Told of every image.
    """
    import pyarrow
    import pyarrow.parquet

    skipped: list[Problem] = []
    rows: list[dict[str, Any]] = []
    with appearing(folder / _ITEMS) as scratch, pyarrow.parquet.ParquetWriter(scratch, _schema()) as writer:

        def flush() -> None:
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=_schema()), row_group_size=chunk_size)
            rows.clear()

        for entry in source.items():
            meter.add(skipped=int(isinstance(entry, Skipped)))
            if isinstance(entry, Skipped):
                skipped.append(Problem(kind="skipped", uri=entry.uri, reason=entry.reason, source=number))
                continue
            rows.append(_row(source, entry if view is None else replace(entry, view=view)))
            if len(rows) == chunk_size:
                flush()
        if rows:
            flush()
    write_problems(folder / _SKIPPED, skipped)


def _row(source: Source, item: Item) -> dict[str, Any]:
    fields = {name: getattr(item, name) for name in Item.__slots__}
    return fields | {"stamp": source.stamp(item.uri) if isinstance(source, Stamped) else None}


def _schema() -> Any:
    import pyarrow

    text, number = pyarrow.string(), pyarrow.float64()
    return pyarrow.schema(
        {
            "uri": text,
            "lat": number,
            "lon": number,
            "view": text,
            "heading_deg": number,
            "extent_m": number,
            "captured_at": text,
            "licence": text,
            "stamp": text,
        }
    )
