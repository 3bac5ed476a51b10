"""Street views with geotags, from a manifest or from folders as exports of Google Street View come.

A manifest is a CSV file (UTF-8, commas, a header), for any collection (`view_table.py`):

=============== ====================================================================================================
file            of the picture, from the root, with slashes; also: path, image, image_path, filename, file_name
lat, lon        WGS 84 degrees; also: latitude; longitude, lng, long
country         optional, ISO 3166-1 or a name in any language; where it is empty, the country at the coordinates
city            optional; where it is empty, none, or with `name_cities` the gazetteer's place for the coordinates
heading_deg     optional, of the camera, clockwise from north; also: heading, northdeg, bearing, yaw
locatability    optional, in [0, 1]
split           optional, of any name: "train", "held_out_town"
=============== ====================================================================================================

Without one named, `street_views.csv`, `manifest.csv` or `metadata.csv` at the root is such a table; else the folders
are read (`exported_folders.py`). Licences are those of whoever made the pictures: Google's terms bar bulk downloads.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.datasets.cross_view import Skipped

TABLES = ("street_views.csv", "manifest.csv", "metadata.csv")  # at the root, the first that is there
COLUMNS = ("file", "lat", "lon", "country", "city", "heading_deg", "locatability", "split")
_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class StreetView:
    """One picture and where it was taken."""

    path: Path  # absolute
    lat: float
    lon: float
    country: str | None = None  # ISO 3166-1 alpha-2; None on the open ocean
    city: str | None = None  # as its source writes it
    heading_deg: float | None = None  # of the camera, clockwise from north, [0, 360)
    locatability: float | None = None  # [0, 1]
    split: str | None = None  # as its table calls it


@dataclass(frozen=True)
class StreetViews:
    """Street views in the order of their source, and what was left out."""

    views: tuple[StreetView, ...]
    skipped: tuple[Skipped, ...] = ()
    name: str = "street views"
    root: Path | None = None
    layout: str = "manifest"  # what was read: "manifest", "folders"
    notes: Mapping[str, int] = field(default_factory=dict)  # what was filled in or set aside in rows kept -> rows

    def __len__(self) -> int:
        return len(self.views)

    def __iter__(self) -> Iterator[StreetView]:
        return iter(self.views)

    def __repr__(self) -> str:
        countries = len({view.country for view in self.views} - {None})
        return f"StreetViews({self.name}: {len(self):,} in {countries} countries, {len(self.skipped):,} skipped)"

    @property
    def splits(self) -> dict[str, int]:
        """How many views are of which split; "" are those of none."""
        return dict(Counter(view.split or "" for view in self.views))

    @property
    def skip_reasons(self) -> dict[str, int]:
        """Why rows were left out, the commonest first."""
        return dict(Counter(one.reason for one in self.skipped).most_common())

    def about(self) -> dict[str, Any]:
        """Facts for a run's record, as JSON."""
        first: dict[str, str] = {}
        for one in self.skipped:
            first.setdefault(one.reason, one.path)
        return {
            "name": self.name,
            "layout": self.layout,
            "views": len(self),
            "countries": len({view.country for view in self.views} - {None}),
            "with_city": sum(view.city is not None for view in self.views),
            "skipped": self.skip_reasons,
            "first_skipped": first,
            "notes": dict(self.notes),
        }


def read_street_views(
    root: Path, manifest: Path | None = None, *, split: str | None = None, name_cities: bool = False
) -> StreetViews:
    """Read the street views of a folder.

    Args:
        root: The folder that holds the pictures.
        manifest: The table; None looks for one at the root, and reads the folders where there is none.
        split: Of a table with a column "split", the rows of one; None takes all, those held out as well.
        name_cities: Name the city of views without one by the gazetteer: the place that a person would name for the
            coordinates. It takes 10 ms for each square kilometre that has views.

    Raises:
        InputError: No such folder, a table without the columns, or no usable picture; says what was looked for.
    """
    from geosleuth.training.georeasoner.exported_folders import read_folders
    from geosleuth.training.georeasoner.placing import placed
    from geosleuth.training.georeasoner.view_table import read_table

    root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100 - Path.absolute() keeps `..`
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise InputError(f"a folder of street views, {root}", found, "Name the folder that holds the pictures.")
    table = manifest.expanduser() if manifest else next((root / one for one in TABLES if (root / one).is_file()), None)
    if split is not None and table is None:
        remedy = "Name a table with a column split, or no split."
        raise InputError(f"a table with the split {split!r} in {root}", "folders without a table", remedy)
    rows, skipped = read_table(root, table, split) if table else read_folders(root)
    views, unplaced, notes = placed(rows, name_cities=name_cities)
    layout = "manifest" if table else "folders"
    read = StreetViews(views, (*skipped, *unplaced), root.name, root, layout, notes)
    if not views:
        reasons = "; ".join(f"{n:,} x {why}" for why, n in list(read.skip_reasons.items())[:_REASONS_SHOWN])
        remedy = "Check the root that the paths are relative to, and the coordinates."
        raise InputError(f"street views in {table or root}", f"none ({reasons or 'no rows'})", remedy)
    return read


def write_street_views(path: Path, views: StreetViews | Iterable[StreetView], root: Path | None = None) -> None:
    """Write the manifest of some views, whole or not at all; `read_street_views(root, path)` reads the same.

    Args:
        path: Of the table.
        views: `StreetViews`, or some of its views.
        root: What paths are written relative to; None: the root of `StreetViews`, else the table's folder. Those of
            pictures elsewhere are written whole.

    Raises:
        InputError: The file cannot be written.
    """
    path = path.expanduser()
    known = views.root if isinstance(views, StreetViews) else None
    base = Path(os.path.abspath(root or known or path.parent))  # noqa: PTH100
    try:
        with appearing(path) as scratch, scratch.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(_row(view, base) for view in views)
    except OSError as error:
        raise InputError(f"a file {path} that can be written", f"{error}", "Name another.") from error


def _row(view: StreetView, base: Path) -> list[str]:
    inside = view.path.is_relative_to(base)
    file = view.path.relative_to(base).as_posix() if inside else view.path.as_posix()
    optional = (view.country, view.city, view.heading_deg, view.locatability, view.split)
    return [file, repr(view.lat), repr(view.lon), *("" if one is None else str(one) for one in optional)]
