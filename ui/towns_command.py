"""`geosleuth towns OUT`: invented towns, written as data sets.

Exit codes: 0 written; 2 bad input; 130 interrupted, and resumable.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine, duration
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.towns.write import TownsProgress, WrittenReport

_PROCESSES = "One per core if not given; each takes some 640 MB for towns of 512 m."
_INTERRUPTED = "Interrupted. The towns that are done are kept; the same command goes on from here."


class LayoutName(StrEnum):
    """The forms of data sets, as a type that the command line can list."""

    VIGOR = "vigor"
    UNIVERSITY1652 = "university1652"
    CVUSA = "cvusa"
    CVACT = "cvact"
    SETVL = "setvl"
    MAP = "map"
    NIGHT = "night"
    INFRARED = "infrared"
    STREET_VIEWS = "street_views"


class TileFormat(StrEnum):
    """Of VIGOR's tiles."""

    PNG = "png"
    JPG = "jpg"


def towns(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make; a data set a layout.")],
    layout: Annotated[
        list[LayoutName] | None, typer.Option("--layout", help="A data set to write. Repeatable. [default: vigor]")
    ] = None,
    count: Annotated[int, typer.Option("--towns", metavar="N", help="How many towns.")] = 8,
    places: Annotated[int, typer.Option(metavar="N", help="Places of each town and layout, at most.")] = 64,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the world: other towns.")] = 0,
    difficulty: Annotated[float, typer.Option(metavar="0..1", help="How alike places are.")] = 0.5,
    side_m: Annotated[float, typer.Option("--side-m", metavar="M", help="Of a town.")] = 512.0,
    satellite_px: Annotated[int, typer.Option("--satellite-px", metavar="PX", help="Of tiles and maps.")] = 128,
    panorama_px: Annotated[str, typer.Option("--panorama-px", metavar="HxW", help="Height x width.")] = "64x256",
    drone_px: Annotated[int, typer.Option("--drone-px", metavar="PX", help="Of a side.")] = 128,
    street_px: Annotated[str, typer.Option("--street-px", metavar="HxW", help="Height x width.")] = "96x128",
    drone_views: Annotated[int, typer.Option("--drone-views", metavar="N", help="Of a building: university1652.")] = 6,
    street_views: Annotated[int, typer.Option("--street-views", metavar="N", help="The same, from the street.")] = 2,
    queries: Annotated[int, typer.Option(metavar="N", help="Of a cell: setvl, night, infrared.")] = 4,
    tile_format: Annotated[TileFormat, typer.Option("--tile-format", help="Of VIGOR's tiles.")] = TileFormat.PNG,
    labels: Annotated[bool, typer.Option(help="With masks and lists of objects.")] = True,
    processes: Annotated[int | None, typer.Option(metavar="N", min=1, help=_PROCESSES)] = None,
    verbose: Verbose = False,
) -> None:
    """Draw invented towns and write them in the forms of real data sets; interrupted, the same command resumes."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.towns.write import write_towns

            with ProgressLine() as line:
                report = write_towns(
                    out, layouts=[one.value for one in layout or [LayoutName.VIGOR]], towns=count, places=places,
                    seed=seed, difficulty=difficulty, side_m=side_m, satellite_px=satellite_px,
                    panorama_px=_height_width(panorama_px, "--panorama-px"), drone_px=drone_px,
                    street_px=_height_width(street_px, "--street-px"), drone_views=drone_views,
                    street_views=street_views, queries=queries, tile_format=tile_format.value, labels=labels,
                    processes=processes, on_progress=partial(_show, line),
                )  # fmt: skip
        sys.stdout.write(_words(report))
        sys.stdout.flush()


def _show(line: ProgressLine, now: TownsProgress) -> None:
    parts = [f"towns {now.done:,} of {now.towns:,} ({now.done / now.towns:.0%})"]
    if now.pairs and now.seconds > 0:
        parts.append(f"{now.pairs / now.seconds:,.1f} pairs/s")
    line.draw("towns", ", ".join(parts), whole=now.done == now.towns)


def _words(report: WrittenReport) -> str:
    from geosleuth.agent.printable import printable

    rate = f", {report.pairs_per_s:,.1f} pairs/s" if report.pairs_per_s is not None else ""
    head = f"{report.out}: {report.towns:,} invented towns, {report.pictures:,} pictures in {duration(report.seconds)}"
    lines = [head + rate]
    for name, pairs in report.pairs.items():
        counts = report.texts[name]
        read = f"; a text can be read in {counts.readable:,} of {counts.with_text:,}" if counts.with_text else ""
        lines.append(f"  {name}: {pairs:,} queries with their references{read}")
    lines += [f"  warning: {gap}" for gap in report.gaps]
    if report.resumed:
        lines.append(f"  {report.resumed:,} towns had been drawn by an earlier run")
    return "\n".join(map(printable, lines)) + "\n"


def _height_width(text: str, option: str) -> tuple[int, int]:
    """Read "64x256".

    Raises:
        InputError: It is something else.
    """
    height, sign, width = text.partition("x")
    if sign and height.isdecimal() and width.isdecimal():
        return int(height), int(width)
    raise InputError(f"height and width for {option}", f'"{text}"', f"Write them like this: {option} 64x256.")
