"""A table of images and their positions: CSV, Parquet or GeoParquet."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.reference import MOST_LICENCE, View
from geosleuth.indexes.gallery.sources.folder import resolve_inside
from geosleuth.indexes.gallery.sources.source import Item, Skipped, reason_of
from geosleuth.indexes.gallery.sources.table_rows import read_rows
from geosleuth.indexes.gps import UnusableError, check_position
from geosleuth.indexes.photo import Photo, open_photo

logger = logging.getLogger(__name__)

# Accepted names of each column, the first that is there wins; lower case. Our own references.parquet is among them.
COLUMNS: dict[str, tuple[str, ...]] = {
    "file": ("file", "path", "uri", "image", "filename", "file_name"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "heading": ("heading", "heading_deg", "compass_angle"),
    "captured": ("captured", "captured_at", "datetime", "date"),
    "view": ("view",),
    "licence": ("licence", "license"),
    "extent": ("extent_m",),
}


@dataclass(frozen=True)
class TableSource:
    """Images that a table lists, in its order; paths are relative to `root`."""

    path: str
    root: str
    view: View | None = None  # for every row; None: the column `view`, else ground

    @property
    def kind(self) -> str:
        """As the manifest names it."""
        return "table"

    def items(self) -> Iterator[Item | Skipped]:
        """List the rows; one that cannot be used is named by its number, the first data row being 1.

        Raises:
            InputError: The table cannot be read, or lacks a column.
        """
        undated = 0
        names, rows = read_rows(Path(self.path))
        columns = match_columns(names, self.path)
        for number, row in enumerate(rows, start=1):
            cells = {key: _filled(row.get(name)) for key, name in columns.items()}
            uri = str(cells.get("file") or "")
            try:
                item = self._item(uri, cells)
            except (UnusableError, InputError) as error:
                reason = reason_of(error, uri) if isinstance(error, InputError) else str(error)
                yield Skipped(uri, f"row {number}: {reason}") if uri else Skipped(f"row {number}", reason)
                continue
            undated += item.captured_at is None and cells.get("captured") is not None
            yield item
        if undated:
            logger.warning("%s: %d times of capture are not ISO 8601 and were left out", self.path, undated)

    def read(self, uri: str) -> Photo:
        """Open one image."""
        return open_photo(resolve_inside(self.root, uri))

    def _item(self, uri: str, cells: Mapping[str, Any]) -> Item:
        """Turn one row into an item.

        Raises:
            UnusableError: A value cannot be meant.
            InputError: The file lies outside the root.
        """
        if not uri:
            raise UnusableError("it names no file")
        if "://" in uri:
            raise UnusableError(f"it names a web address, and only files are read: {uri}")
        if "geometry" in cells:
            lat, lon = cells["geometry"] or (None, None)
        else:
            lat, lon = cells["lat"], cells["lon"]
        position = check_position(_number(lat, "latitude"), _number(lon, "longitude"))
        return Item(
            uri=resolve_inside(self.root, uri).relative_to(Path(self.root).resolve()).as_posix(),
            lat=position.lat,
            lon=position.lon,
            view=self.view or _view(cells.get("view")),
            heading_deg=_heading(cells.get("heading")),
            extent_m=_number(cells["extent"], "extent") if cells.get("extent") is not None else None,
            captured_at=_time(cells.get("captured")),
            licence=str(cells["licence"])[:MOST_LICENCE] if cells.get("licence") is not None else None,
        )


def match_columns(names: Sequence[str], path: str | Path) -> dict[str, str]:
    """Tell which column of a table plays which part.

    Raises:
        InputError: There is no column of files, or none of positions.
    """
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    found = {
        part: next(by_lower[name] for name in accepted if name in by_lower)
        for part, accepted in COLUMNS.items()
        if any(name in by_lower for name in accepted)
    }
    if "geometry" in by_lower and not ("lat" in found and "lon" in found):
        found["geometry"] = by_lower["geometry"]
    if "file" in found and ("geometry" in found or ("lat" in found and "lon" in found)):
        return found
    raise InputError(
        "a table with a column of files and two of positions",
        f"the columns {', '.join(names) or '(none)'} in {path}",
        f"Name them file ({', '.join(COLUMNS['file'][1:4])} will do), lat (latitude) and lon (lng, longitude), or give "
        "a GeoParquet with a geometry of points.",
    )


def _filled(value: Any) -> Any:
    """None for what tables write where there is nothing."""
    if isinstance(value, str):
        value = value.strip()
        return None if value.lower() in ("", "nan", "none", "null", "na") else value
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: Any, name: str) -> float:
    if value is None:
        raise UnusableError(f"its {name} is missing")
    try:
        # A comma is what spreadsheets of half of Europe write for the point.
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise UnusableError(f"its {name} is no number ({value!r})") from error
    if not math.isfinite(number):
        raise UnusableError(f"its {name} is not finite ({value!r})")
    return number


def _heading(value: Any) -> float | None:
    if value is None:
        return None
    heading = _number(value, "heading")
    if not -360.0 <= heading <= 360.0:  # full turns either way are a habit of some tools, more is another quantity
        raise UnusableError(f"its heading is out of range ({heading:g} degrees)")
    return heading % 360.0


def _view(value: Any) -> View:
    if value is None:
        return "ground"
    for view in get_args(View):
        if str(value).lower() == view:
            chosen: View = view
            return chosen
    raise UnusableError(f"its view is {value!r}, not one of {', '.join(get_args(View))}")


def _time(value: Any) -> str | None:
    """ISO 8601, or None where it is something else."""
    try:
        return (value if isinstance(value, datetime) else datetime.fromisoformat(str(value))).isoformat()
    except ValueError:
        return None
