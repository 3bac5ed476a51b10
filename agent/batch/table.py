"""The rows of a batch as a file: GeoParquet, CSV or GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geosleuth.agent.export import rows_to_csv, rows_to_geodataframe
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing

_FORMS = (".parquet", ".csv", ".geojson")


def check_output(out: Path, journal: Path) -> None:
    """See whether a table may be written there, before the first photo.

    Raises:
        InputError: The ending is of no known form, it is a folder, or a file that no batch wrote.
    """
    if out.suffix.lower() not in _FORMS:
        found = f"one that ends in {out.suffix!r}" if out.suffix else f"one without an ending: {out}"
        raise InputError(f"an output that ends in {', '.join(_FORMS)}", found, "Name it accordingly.")
    if out.is_dir():
        raise InputError("an output file", f"a folder: {out}", "Name a file in it.")
    if out.exists() and not journal.exists():
        remedy = "Name another, or delete it."
        raise InputError("an output that a batch wrote", f"a file without its {journal.name}: {out}", remedy)


def write_table(rows: Sequence[dict[str, Any]], out: Path) -> None:
    """Write the rows; until all of them are on the disk, the file has its old content.

    Raises:
        InputError: The disk is full, or the folder may not be written to.
    """
    try:
        with appearing(out) as scratch:
            _write(rows, out.suffix.lower(), scratch)
    except OSError as error:
        remedy = "Free space or name another output, and run again: what is done is in the journal."
        raise InputError("an output that can be written", f"{out}: {error.strerror or error}", remedy) from error


def _write(rows: Sequence[dict[str, Any]], form: str, path: Path) -> None:
    if form == ".parquet":
        rows_to_geodataframe(rows).to_parquet(path, schema_version="1.1.0", index=False)
    elif form == ".csv":
        path.write_text(rows_to_csv(rows), encoding="utf-8", newline="")
    else:
        path.write_text(rows_to_geodataframe(rows).to_json(na="null", drop_id=True), encoding="utf-8")
