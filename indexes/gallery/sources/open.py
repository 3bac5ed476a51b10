"""Tell what a source is by its content, and open it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from geosleuth.indexes.errors import InputError
from geosleuth.indexes.gallery.paths import absolute
from geosleuth.indexes.gallery.reference import View
from geosleuth.indexes.gallery.sources.folder import FolderSource, photo_paths
from geosleuth.indexes.gallery.sources.source import Source
from geosleuth.indexes.gallery.sources.table import TableSource, match_columns
from geosleuth.indexes.gallery.sources.table_rows import read_rows
from geosleuth.indexes.photo_file import refused_address, sniff

Kind = Literal["folder", "table", "geotiff", "mbtiles", "xyz"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_WANTED = "a source of images: a folder of photos, a table (CSV, Parquet), a GeoTIFF, an MBTiles file or an XYZ folder"
_SAVED = "Save it on this machine, and give its path."
_GEO_TAGS = (33550, 34264, 33922)  # ModelPixelScale, ModelTransformation, ModelTiepoint (OGC GeoTIFF 1.1, 7.1)
_OPTIONS = {"root": ("table",), "zoom": ("mbtiles", "xyz"), "tile-px": ("geotiff",), "overlap": ("geotiff",)}
_MAX_ZOOM = 24  # tiles of 2 m; nobody cuts finer ones


def open_source(
    path: str | Path,
    *,
    kind: Kind | None = None,
    view: View | None = None,
    root: str | Path | None = None,
    zoom: int | None = None,
    tile_px: int | None = None,
    overlap: float | None = None,
) -> Source:
    """Open a source of geotagged images.

    Args:
        path: A folder or a file.
        kind: Said where the content does not tell.
        view: What the images show. By default photos are ground, tiles satellite, and a table's column decides.
        root: Of a table: the folder that its paths are relative to, if not the table's own.
        zoom: Of MBTiles and XYZ: the level to take; by default the finest.
        tile_px: Of a GeoTIFF: side of the windows that it is cut into, in its pixels.
        overlap: Of a GeoTIFF: share of a side that neighbouring windows have in common.

    Raises:
        InputError: There is nothing that can be read as a source.
    """
    if (refused := refused_address(path, _WANTED, _SAVED)) is not None:
        raise refused
    path = absolute(path, _WANTED)
    if kind is not None and kind not in KINDS:
        raise InputError("a kind of source", f"{kind!r}", f"Use one of: {', '.join(KINDS)}.")
    if not path.exists():
        raise InputError(_WANTED, f"nothing at {path}", "Check the path.")
    kind = kind or (_kind_of_folder(path) if path.is_dir() else _kind_of_file(path))
    _check_options(path, kind, {"root": root, "zoom": zoom, "tile-px": tile_px, "overlap": overlap})
    if kind == "folder":
        return _open_folder(path, view)
    if kind == "table":
        return _open_table(path, view, absolute(root, "the folder of the files") if root else path.parent)
    if kind == "geotiff":
        from geosleuth.indexes.gallery.sources.geotiff import TILE_PX, open_geotiff

        return open_geotiff(path, view=view or "satellite", tile_px=tile_px or TILE_PX, overlap=overlap or 0.0)
    if kind == "mbtiles":
        from geosleuth.indexes.gallery.sources.mbtiles import open_mbtiles

        return open_mbtiles(path, view=view or "satellite", zoom=zoom)
    from geosleuth.indexes.gallery.sources.xyz import open_xyz

    return open_xyz(path, view=view or "satellite", zoom=zoom)


def _check_options(path: Path, kind: Kind, given: Mapping[str, object]) -> None:
    for option, value in given.items():
        if value is not None and kind not in _OPTIONS[option]:
            wanted = f"a source of kind {' or '.join(_OPTIONS[option])}, for --{option} to apply"
            raise InputError(wanted, f"a {kind}: {path}", f"Leave --{option} out.")


def _open_folder(path: Path, view: View | None) -> FolderSource:
    if not path.is_dir():
        raise InputError("a folder of photos", f"a file: {path}", "Name the folder.")
    if next(photo_paths(path), None) is None:
        tables = [entry.name for entry in sorted(path.iterdir()) if entry.suffix.lower() in (".csv", ".parquet")]
        found = f"no photo in {path}" + (f", but {tables[0]}" if tables else "")
        remedy = f"Name the table: {path / tables[0]}." if tables else "Name a folder that holds photos."
        raise InputError(_WANTED, found, remedy)
    return FolderSource(str(path.resolve()), view or "ground")


def _open_table(path: Path, view: View | None, root: Path) -> TableSource:
    if not path.is_file():
        raise InputError("a table", f"a folder: {path}", "Name the file.")
    if not root.is_dir():
        raise InputError("the folder that the table's paths are relative to", f"none at {root}", "Check --root.")
    names, rows = read_rows(path)
    match_columns(names, path)
    if next(rows, None) is None:
        raise InputError("a table of images", f"no row in {path}", "Fill it, or name another.")
    return TableSource(str(path.resolve()), str(root.resolve()), view)


def _kind_of_folder(path: Path) -> Kind:
    """Tiles lie at z/x/y.png; a photo archive at 2019/05/01.jpg must not be taken for them."""
    for level in islice(_numbered(path, _MAX_ZOOM + 1), 3):
        side = 1 << int(level.name)
        for column in islice(_numbered(level, side), 3):
            if any(tile.is_file() for tile in islice(_numbered(column, side), 3)):
                return "xyz"
    return "folder"


def _numbered(folder: Path, below: int) -> Iterator[Path]:
    """Entries named by a number without leading zeros."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.stem.isdecimal() and str(int(entry.stem)) == entry.stem and int(entry.stem) < below:
            yield entry


def _kind_of_file(path: Path) -> Kind:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise InputError(_WANTED, found, "Check the file and its permissions.") from error
    if head.startswith(b"SQLite format 3\0"):
        return "mbtiles"
    if head.startswith(b"PAR1"):
        return "table"
    kind = sniff(head)
    if kind == "TIFF" and _is_georeferenced(path):
        return "geotiff"
    if kind is not None:
        remedy = "Name the folder that it lies in, or ask where it was taken with `geosleuth localize`."
        if kind == "TIFF":
            remedy = "A GeoTIFF needs its georeference inside the file; of a photo, name the folder that it lies in."
        raise InputError(_WANTED, f"a single photo ({kind}): {path}", remedy)
    if not head.strip():
        raise InputError(_WANTED, f"an empty file: {path}", "Copy it again.")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return "table"
    raise InputError(_WANTED, f"a file of another kind: {path}", "Name one of these, or say which with --kind.")


def _is_georeferenced(path: Path) -> bool:
    """Whether a TIFF's first directory places it on the Earth; a world file beside it counts as well."""
    from PIL import TiffImagePlugin

    from geosleuth.indexes.photo_file import DAMAGED, quiet_decoder

    if any(path.with_suffix(suffix).is_file() for suffix in (".tfw", ".tifw", ".wld")):
        return True
    try:
        with path.open("rb") as file, quiet_decoder():
            header = file.read(8)
            header += file.read(8) if 43 in (header[2], header[3]) else b""  # BigTIFF
            directory = TiffImagePlugin.ImageFileDirectory_v2(header)
            file.seek(directory.next)
            directory.load(file)
            return any(tag in directory for tag in _GEO_TAGS)
    except DAMAGED:
        return path.suffix.lower() in (".tif", ".tiff")  # its own reader says what is wrong
