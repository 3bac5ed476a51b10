"""`geosleuth index ...`: make a gallery of your own imagery, add to it, look at it, check it.

Exit codes: 0 done, 2 bad input or a damaged index, 130 interrupted; a build that was interrupted resumes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import BAD_INPUT, exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.indexes.gallery.progress import BuildReport
    from geosleuth.indexes.gallery.sources.source import Source
    from geosleuth.indexes.pixels import Pixels

logger = logging.getLogger(__name__)

index_commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Make, extend and check an index of your own geotagged imagery."
)

_FIT_SIDE_PX = 1024  # decoded at; twice what the embedded network sees, more than any encoder here
_RESUMES = "Interrupted. The same command resumes where this stopped."


class ViewName(StrEnum):
    """The values of `View`, as a type that the command line can list."""

    GROUND = "ground"
    DRONE = "drone"
    SATELLITE = "satellite"
    MAP = "map"
    PANORAMA = "panorama"


class KindName(StrEnum):
    """The kinds of source, the same."""

    FOLDER = "folder"
    TABLE = "table"
    GEOTIFF = "geotiff"
    MBTILES = "mbtiles"
    XYZ = "xyz"


class Aggregation(StrEnum):
    """What can be fitted on a gallery; GeM, which `embedded` has, needs no fitting."""

    NETVLAD = "netvlad"
    DENSEVLAD = "densevlad"


SourcePath = Annotated[
    Path,
    typer.Argument(metavar="SOURCE", help="A folder of photos, a CSV or Parquet table, a GeoTIFF, MBTiles or z/x/y."),
]
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of an index.")]
EncoderSpec = Annotated[
    str, typer.Option("--encoder", metavar="SPEC", help="embedded, timm:NAME, hf:ORG/NAME or dir:PATH.")
]
ViewOption = Annotated[ViewName | None, typer.Option("--view", help="What the images show; tiles are satellite.")]
KindOption = Annotated[KindName | None, typer.Option("--kind", help="Where the content of SOURCE does not tell.")]
RootOption = Annotated[
    Path | None, typer.Option("--root", metavar="FOLDER", help="Of a table: what its paths are relative to.")
]
ZoomOption = Annotated[int | None, typer.Option("--zoom", metavar="LEVEL", help="Of tiles: the level to take.")]
RayOption = Annotated[
    str | None, typer.Option("--ray", metavar="ADDRESS", help="Encode on a Ray cluster; 'local' for workers here.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@index_commands.command(short_help="Make an index of a source; resumable.")
def build(
    source: SourcePath,
    out: Annotated[Path, typer.Option("--out", metavar="INDEX", help="The folder to make.")],
    encoder: EncoderSpec = "embedded",
    view: ViewOption = None,
    kind: KindOption = None,
    root: RootOption = None,
    zoom: ZoomOption = None,
    ray: RayOption = None,
    verbose: Verbose = False,
) -> None:
    """Make an index of a source; interrupted or killed, the same command resumes it."""
    with exits(_RESUMES), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.indexes.gallery.build import build_index
            from geosleuth.ui.progress_line import ProgressLine

            with ProgressLine() as progress:
                report = build_index(
                    _source(source, view, kind, root, zoom), out, encoder=encoder, ray=ray, on_progress=progress
                )
        _say(build_report(report))


@index_commands.command(short_help="Add a source to an index; resumable.")
def add(
    source: SourcePath,
    index: IndexFolder,
    view: ViewOption = None,
    kind: KindOption = None,
    root: RootOption = None,
    zoom: ZoomOption = None,
    ray: RayOption = None,
    verbose: Verbose = False,
) -> None:
    """Add a source to an index, encoded as the index was; interrupted, the same command resumes."""
    with exits(_RESUMES), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.indexes.gallery.build import add_to_index
            from geosleuth.ui.progress_line import ProgressLine

            with ProgressLine() as progress:
                report = add_to_index(_source(source, view, kind, root, zoom), index, ray=ray, on_progress=progress)
        _say(build_report(report))


@index_commands.command(short_help="Say what an index holds and how it is searched.")
def info(
    index: Annotated[str, typer.Argument(metavar="INDEX", help="A folder, or milvus:COLLECTION@URI.")],
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Say what an index holds, what made it, how it is searched, and what was left out."""
    with exits(), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.ui.index_info import index_info, info_report

            found = index_info(index)
        _say(found.model_dump_json(indent=2) + "\n" if as_json else info_report(found))


@index_commands.command(short_help="Check every file of an index.", epilog="Exit codes: 0 whole, 2 damaged.")
def verify(index: IndexFolder, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Check every file of an index against its checksum, and the files against each other."""
    with exits(), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.printable import printable
            from geosleuth.indexes.gallery.paths import absolute
            from geosleuth.indexes.gallery.store import verify_index

            folder = absolute(index, "an index")
            _need_index(folder)
            report = verify_index(folder)
        if as_json:
            _say(report.model_dump_json(indent=2) + "\n")
        else:
            size = f"{report.references:,} references, {report.files} files, {report.bytes / 1e6:,.1f} MB"
            head = f"whole: {size}, checked in {report.seconds:.1f} s" if report.ok else "DAMAGED"
            lines = [f"{report.folder}: {head}", *(f"  {problem}" for problem in report.problems)]
            if not report.ok:
                lines.append("Restore these files from a copy, or build the index again.")
            _say("\n".join(map(printable, lines)) + "\n")
        if not report.ok:
            raise typer.Exit(BAD_INPUT)


@index_commands.command(short_help="Fit an encoder on your own imagery.")
def fit(
    source: SourcePath,
    aggregation: Annotated[Aggregation, typer.Option("--aggregation", help="What to fit.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The folder of the encoder, for dir:FOLDER.")],
    encoder: EncoderSpec = "embedded",
    view: ViewOption = None,
    kind: KindOption = None,
    root: RootOption = None,
    zoom: ZoomOption = None,
    verbose: Verbose = False,
) -> None:
    """Fit an aggregation of local features on your own imagery; `index build --encoder dir:FOLDER` uses it."""
    with exits(), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.printable import printable
            from geosleuth.indexes.encoders.fit import fit_encoder
            from geosleuth.indexes.gallery.paths import absolute
            from geosleuth.ui.progress_line import ProgressLine

            opened = _source(source, view, kind, root, zoom)
            with ProgressLine() as progress:
                fitted = fit_encoder(
                    _pictures(opened),
                    base=encoder,
                    aggregation=aggregation.value,
                    out=absolute(out, "a folder to write the encoder to"),
                    progress=progress.step,
                )
        made = f"{out}: {fitted.spec}, {fitted.dimension} numbers, weights {fitted.weights_sha256[:12]}"
        following = f"Next: geosleuth index build {source} --out INDEX --encoder dir:{out}"
        _say(f"{printable(made)}\n{printable(following)}\n")


@index_commands.command(short_help="Copy an index into Milvus.")
def upload(
    index: IndexFolder,
    target: Annotated[str, typer.Argument(metavar="milvus:COLLECTION@URI", help="A server's address, or a .db file.")],
    verbose: Verbose = False,
) -> None:
    """Copy an index into Milvus, for galleries past one machine; interrupted, the same command goes on."""
    with exits(_RESUMES), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.printable import printable
            from geosleuth.indexes.gallery.milvus import upload_index
            from geosleuth.indexes.gallery.paths import absolute
            from geosleuth.ui.progress_line import ProgressLine

            with ProgressLine() as progress:
                count = upload_index(absolute(index, "an index"), target, on_progress=progress)
        _say(f"{count:,} references in {printable(target)}\n")


def build_report(report: BuildReport) -> str:
    """Write what a build or an add did, for a person."""
    from geosleuth.agent.printable import printable
    from geosleuth.ui.progress_line import duration

    folder = printable(str(report.folder))
    new = "" if report.added == report.references else f", {report.added:,} of them new"
    lines = [
        f"{folder}: {report.references:,} references{new}, from {report.listed:,} images in {duration(report.seconds)}"
    ]
    if report.resumed:
        lines.append(f"  {report.resumed:,} images had been done before the interruption")
    left_out = (
        (report.skipped, "skipped: no position, unreadable, or gone"),
        (report.duplicates, "left out: the same image at the same place is there"),
        (report.already_there, "there already: added from this source before"),
        (report.repeated, "kept, but the same image is there at another place"),
    )
    lines += [f"  {count:,} {words}" for count, words in left_out if count]
    if any(count for count, _ in left_out):
        lines.append(f"  `geosleuth index info {folder}` lists which")
    return "\n".join(lines) + "\n"


def _need_index(folder: Path) -> None:
    """Tell a folder that is no index from an index that is damaged."""
    from geosleuth.indexes.gallery.manifest import MANIFEST, read_manifest

    try:
        (folder / MANIFEST).stat()
    except (FileNotFoundError, NotADirectoryError):
        read_manifest(folder)  # says what to do
    except OSError:
        pass  # it is there and cannot be reached: the check says so


def _source(path: Path, view: ViewName | None, kind: KindName | None, root: Path | None, zoom: int | None) -> Source:
    from geosleuth.indexes.gallery.sources.open import open_source

    return open_source(path, kind=kind.value if kind else None, view=view.value if view else None, root=root, zoom=zoom)


def _pictures(source: Source) -> Iterator[Pixels]:
    """Decode the images of a source one after the other; those that cannot be read are left out, and counted."""
    from geosleuth.indexes.errors import InputError
    from geosleuth.indexes.gallery.sources.source import Skipped

    unread = 0
    for item in source.items():
        if isinstance(item, Skipped):
            continue  # without a position, but that says nothing about its picture: rare, and not worth a second path
        try:
            yield source.read(item.uri).pixels_at(_FIT_SIDE_PX)
        except InputError:
            unread += 1
    if unread:
        logger.warning("%d images could not be read and were left out", unread)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
