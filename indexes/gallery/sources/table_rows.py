"""The rows of a CSV, Parquet or GeoParquet file, one mapping each."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError

_WANTED = "a table (CSV, Parquet or GeoParquet)"
_DELIMITERS = ",;\t|"
_BATCH_ROWS = 65_536  # of Parquet at a time: some 50 MB as Python objects

Rows = Iterator[Mapping[str, Any]]


def read_rows(path: Path) -> tuple[list[str], Rows]:
    """Open a table: the names of its columns, and its rows, read as they are asked for.

    A column `geometry` of points comes as (lat, lon) in WGS 84 where the table has no columns of latitude and
    longitude.

    Raises:
        InputError: It cannot be read; for a CSV that breaks later on, while the rows are iterated.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
        return _parquet(path) if parquet else _csv(path)
    except OSError as error:
        raise InputError(_WANTED, f"{path}: {error.strerror or error}", "Check the path and the file.") from error


def _csv(path: Path) -> tuple[list[str], Rows]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    delimiter = max(_DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    return [name.strip() for name in names], _csv_rows(path, delimiter)


def _csv_rows(path: Path, delimiter: str) -> Rows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            names = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if cells:  # an empty line is no row
                    yield dict(zip(names, cells, strict=False))
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except csv.Error as error:
        found = f"{path}, which breaks off after line {reader.line_num} ({error})"
        raise InputError(_WANTED, found, "Export it again.") from error


def _not_utf8(path: Path) -> InputError:
    return InputError("a CSV in UTF-8", f"other bytes in {path}", "Save it as UTF-8, or as Parquet.")


def _parquet(path: Path) -> tuple[list[str], Rows]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        names: list[str] = list(file.schema_arrow.names)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(_WANTED, f"a damaged Parquet file: {path} ({error})", "Export it again.") from error
    lower = {name.lower() for name in names}
    if "geometry" in lower and not (lower & {"lat", "latitude"} and lower & {"lon", "lng", "long", "longitude"}):
        return names, _geo_rows(path)
    return names, _parquet_rows(path, [name for name in names if name.lower() != "geometry"])


def _parquet_rows(path: Path, names: list[str]) -> Rows:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=names):
            yield from batch.to_pylist()


def _geo_rows(path: Path) -> Rows:
    """Let geopandas decode the geometry, whichever of GeoParquet's encodings and reference systems it has.

    Raises:
        InputError: It is no GeoParquet.
    """
    import geopandas

    try:
        frame = geopandas.read_parquet(path)
    except ValueError as error:  # no "geo" metadata, and the like
        remedy = "Write it with geopandas' to_parquet, or add columns lat and lon."
        raise InputError("a GeoParquet", f"{path} ({error})", remedy) from error
    shapes = frame.geometry if frame.crs is None else frame.geometry.to_crs(4326)
    names = [name for name in frame.columns if name != frame.geometry.name]
    for values, shape in zip(frame[names].itertuples(index=False, name=None), shapes, strict=True):
        point = (shape.y, shape.x) if shape is not None and shape.geom_type == "Point" and not shape.is_empty else None
        yield {**dict(zip(names, values, strict=True)), frame.geometry.name: point}
