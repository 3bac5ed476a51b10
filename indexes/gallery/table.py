"""The table of references: as Arrow in memory, as plain Parquet while staged, as GeoParquet in an index."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geosleuth.indexes.gallery.reference import MOST_LICENCE, VIEWS, Reference
from geosleuth.indexes.geodesy import Floats

# Rows that are decoded to read one of them. Measured over 300,000 rows: ten hits take 4 ms at 2,048 without
# compression, 30 ms at 16,384, 50 ms with zstd; at 10 million rows the footer has 5 MB and opens in 50 ms.
GROUP_ROWS = 2048
_IN_MEMORY_ROWS = 1_000_000  # kept decoded from the first hit on: 200 MB, and ten hits take 0.1 ms
_WRITE_ROWS = 64 * GROUP_ROWS  # taken from the unsorted table at once: 20 MB
_CELL_ROWS = 1 << 20  # Python's numbers of more would take a gigabyte
MOST_COUNTRIES = 26 * 26  # different codes of two letters (ISO 3166-1)
_REPEATING = ["view", "country", "licence", "source"]  # few different values: stored as numbers into a dictionary

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("uri", pa.string(), nullable=False),
        pa.field("source", pa.int32(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("view", pa.string(), nullable=False),
        pa.field("country", pa.string()),
        pa.field("heading_deg", pa.float64()),
        pa.field("extent_m", pa.float64()),
        pa.field("captured_at", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)
COLUMNS = tuple(field.name for field in fields(Reference))
_STORED = SCHEMA.append(pa.field("geometry", pa.binary(), nullable=False))  # as it lies in an index


def reference_table(references: Sequence[Reference]) -> pa.Table:
    """Make an Arrow table of references, a column for each field."""
    return pa.table({name: [getattr(one, name) for one in references] for name in COLUMNS}, schema=SCHEMA)


def references_of(table: pa.Table) -> list[Reference]:
    """Make references of a table's rows."""
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return [Reference(*row) for row in zip(*columns, strict=True)]


def save_rows(path: Path, references: Sequence[Reference]) -> None:
    """Write the rows of a staged chunk; equal rows give equal bytes."""
    pq.write_table(reference_table(references), path, compression="none", write_statistics=False)


def sorted_order(table: pa.Table) -> NDArray[np.int64]:
    """Order of the rows by (view, finest H3 cell, id): a view is one run of rows, a place a few.

    An H3 index lists its cell's ancestors from the coarsest down, so that rows of one cell of any resolution are
    neighbours.
    """
    import pyarrow.compute as pc

    from geosleuth.indexes.cells import cells_at

    view = pc.index_in(table.column("view"), value_set=pa.array(VIEWS))
    lat, lon = _floats(table, "lat"), _floats(table, "lon")
    parts = [slice(start, start + _CELL_ROWS) for start in range(0, max(1, len(lat)), _CELL_ROWS)]
    cells = np.concatenate([cells_at(lat[part], lon[part], 15) for part in parts])  # 15: H3's finest, 0.9 m2
    keys = pa.table({"view": view, "cell": cells, "id": table.column("id")})
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
    return np.asarray(order, dtype=np.int64)


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table.column(name).to_numpy(), dtype=np.float64)


def write_geoparquet(path: Path, table: pa.Table, order: NDArray[np.int64]) -> None:
    """Write the rows in an order, with a point each (GeoParquet 1.1, WKB), and force them to disk."""
    lats, lons = _floats(table, "lat"), _floats(table, "lon")
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB",
                "geometry_types": ["Point"],
                "bbox": [float(lons.min()), float(lats.min()), float(lons.max()), float(lats.max())],
            }
        },
    }
    schema = _STORED.with_metadata({"geo": json.dumps(geo)})
    with path.open("wb") as file:
        options: dict[str, Any] = {"compression": "none", "use_dictionary": _REPEATING, "write_statistics": False}
        with pq.ParquetWriter(file, schema, **options) as writer:
            for start in range(0, len(order), _WRITE_ROWS):
                part = table.take(pa.array(order[start : start + _WRITE_ROWS])).select(list(COLUMNS))
                shapes = points(_floats(part, "lat"), _floats(part, "lon"))
                writer.write_table(part.append_column(schema.field("geometry"), shapes).cast(schema), GROUP_ROWS)
        file.flush()
        os.fsync(file.fileno())


def column_faults(schema: pa.Schema) -> list[str]:
    """Name the columns that differ from an index's own; one that may hold nulls where none are allowed does."""
    found = {field.name: field for field in schema}
    return [
        f"its column {field.name} is {_described(found.get(field.name))} instead of {_described(field)}"
        for field in _STORED
        if field.name not in found or not field.equals(found[field.name])  # Arrow's cannot be compared with None
    ]


def _described(field: pa.Field | None) -> str:
    if field is None:
        return "missing"
    return f"{field.type} {'with' if field.nullable else 'without'} nulls"


def points(lats: Floats, lons: Floats) -> pa.Array:
    """Points as well-known binary: byte order 1, type 1, x, y."""
    rows = np.zeros(len(lats), dtype=[("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])
    rows["order"], rows["type"], rows["x"], rows["y"] = 1, 1, lons, lats
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.itemsize
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(rows)])


def storage_faults(metadata: pq.FileMetaData) -> Iterator[str]:
    """Say how a file is stored otherwise than a build stores it, in words.

    Compressed, or with long values stored once for many rows, a small file from a stranger could fill any memory.
    """
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        if number < metadata.num_row_groups - 1 and group.num_rows != GROUP_ROWS:
            yield f"its group {number} has {group.num_rows:,} rows instead of {GROUP_ROWS:,}"
        for column in map(group.column, range(group.num_columns)):
            if column.compression != "UNCOMPRESSED":
                yield f"its column {column.path_in_schema} is compressed ({column.compression})"
            elif column.has_dictionary_page and column.path_in_schema not in _REPEATING:
                yield f"its column {column.path_in_schema} is stored as numbers into a dictionary"


def check_texts(batch: pa.RecordBatch) -> None:
    """Check the columns country, view and licence, read as numbers into a dictionary.

    Raises:
        ValueError: A value is none that a build writes.
    """
    import pyarrow.compute as pc

    for name, most in (("country", 2), ("view", max(map(len, VIEWS))), ("licence", MOST_LICENCE)):
        values = batch.column(name).dictionary
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        if longest > 4 * most:  # bytes, of which a letter has up to four
            raise ValueError(f"a {name} of {longest:,} bytes")
    check_countries(len(batch.column("country").dictionary.unique()))
    views = set(batch.column("view").dictionary.to_pylist())
    if not views <= set(VIEWS):
        raise ValueError(f"a view that there is not: {sorted(views - set(VIEWS))[0]!r}")


def check_countries(different: int) -> None:
    """Check how many codes of countries there are: searches number them in 16 bits.

    Raises:
        ValueError: They are more than there can be.
    """
    if different > MOST_COUNTRIES:
        raise ValueError(f"more than {MOST_COUNTRIES} different countries")


class ReferenceFile:
    """References on disk, read by row number when they are asked for; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = pq.ParquetFile(path, memory_map=True)
        self._lock = threading.Lock()  # Arrow's reader keeps a position
        self._table: pa.Table | None = None
        self.count: int = self._file.metadata.num_rows
        first = next(storage_faults(self._file.metadata), None)
        self.faults = column_faults(self._file.schema_arrow) + ([first] if first else [])

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Read whole columns."""
        with self._lock:
            return self._file.read(columns=list(names))

    def batches(self, names: Sequence[str], rows: int = 1 << 18) -> Iterator[pa.RecordBatch]:
        """Read columns piece by piece; the file must not be read otherwise meanwhile."""
        yield from self._file.iter_batches(batch_size=rows, columns=list(names))

    def coded_batches(self, names: Sequence[str], rows: int = 1 << 18) -> Iterator[pa.RecordBatch]:
        """Read columns of text piece by piece, each value once: a long one takes no more memory than in the file."""
        with pq.ParquetFile(self._path, memory_map=True, read_dictionary=list(names)) as file:
            yield from file.iter_batches(batch_size=rows, columns=list(names))

    def read(self, rows: Sequence[int]) -> dict[int, Reference]:
        """Read some references, by row number."""
        if not rows:
            return {}
        wanted = np.unique(np.asarray(rows, dtype=np.int64))
        with self._lock:
            table = self._in_memory() if self.count <= _IN_MEMORY_ROWS else None
            if table is not None:
                found = table.take(pa.array(wanted))
            else:
                groups, group_of = np.unique(wanted // GROUP_ROWS, return_inverse=True)
                decoded = self._file.read_row_groups(groups.tolist(), columns=list(COLUMNS), use_threads=False)
                # every group but the file's last, which is the last here too, has GROUP_ROWS rows
                found = decoded.take(pa.array(group_of * GROUP_ROWS + wanted % GROUP_ROWS))
        return dict(zip(wanted.tolist(), references_of(found), strict=True))

    def _in_memory(self) -> pa.Table:
        if self._table is None:
            self._table = self._file.read(columns=list(COLUMNS)).combine_chunks()
        return self._table
