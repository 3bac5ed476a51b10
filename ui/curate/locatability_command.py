"""`geosleuth curate locatability`: score street views, and keep those that show enough to be placed.

Exit codes: 0 done, 2 bad input, 130 interrupted; the same command goes on.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine, duration
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetViews
    from geosleuth.training.locatability.score_set import Scores, ScoringProgress

KEPT = "kept.csv"
_INTERRUPTED = "Interrupted. What is scored is kept; the same command goes on from here."
_NAMED = 8  # countries that the terminal names; the report has them all


def locatability(
    views: Annotated[Path, typer.Argument(metavar="VIEWS", help="The folder of street views with positions.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="For scores, kept.csv and the report.")],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", metavar="CSV", help="Their table: file, lat, lon, country, city.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", metavar="NAME", help="Only rows of this split, of a table with a column split."),
    ] = None,
    segmenter: Annotated[
        str | None,
        typer.Option("--segmenter", metavar="SPEC", help="hf:ORG/NAME or dir:PATH; the embedded score without one."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="TSV", help="Class weights; the published ones without.")
    ] = None,
    masks: Annotated[
        bool, typer.Option("--masks", help="Take the classes from masks in VIEWS/labels, which towns have.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="Keep what scores above; 0.4, the paper's, unless given. The embedded score needs one of yours.",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="Of the segmenter: cpu, cuda, cuda:1, mps.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", metavar="N", min=1, help="Pictures at once.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    verbose: Verbose = False,
) -> None:
    """Score street views by GeoReasoner's locatability and keep those above a threshold; resumable."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.georeasoner.street_views import read_street_views, write_street_views
            from geosleuth.training.locatability.curation import curate
            from geosleuth.training.locatability.curation_report import write_curation_report
            from geosleuth.training.locatability.score_set import score_views

            if threshold is None:
                threshold = _paper_threshold(embedded=not segmenter and not masks)
            found = read_street_views(views, manifest, split=split)
            with ProgressLine() as line:
                scores = score_views(
                    found, out, segmenter=segmenter, weights=weights, masks=masks, device=device, batch=batch,
                    progress=partial(_show, line),
                )  # fmt: skip
            write_street_views(out / KEPT, curate(found, scores, threshold), found.root)
            figures = write_curation_report(out, found, scores, threshold)
        sys.stdout.write(_json(figures, out) if as_json else _words(figures, found, scores, out))
        sys.stdout.flush()


def _paper_threshold(*, embedded: bool) -> float:
    from geosleuth.indexes.errors import InputError
    from geosleuth.tools.learned_locatability import TRAINING_THRESHOLD

    if embedded:
        found = f"none: the paper's {TRAINING_THRESHOLD:g} is for GeoReasoner's formula"
        remedy = "Name one with --threshold, or a segmenter with --segmenter."
        raise InputError("a threshold for the embedded score", found, remedy)
    return TRAINING_THRESHOLD


def _show(line: ProgressLine, now: ScoringProgress) -> None:
    parts = [f"scored {now.done:,} of {now.total:,}" + (f" ({now.done / now.total:.0%})" if now.total else "")]
    parts += [f"{now.broken:,} broken"] if now.broken else []
    parts += [f"{now.pictures_per_s:,.1f} pictures/s"] if now.pictures_per_s else []
    parts += [f"{duration(now.eta_s)} left"] if now.eta_s else []
    line.draw("scoring", ", ".join(parts), whole=now.done == now.total)


def _words(figures: dict[str, Any], views: StreetViews, scores: Scores, out: Path) -> str:
    from geosleuth.agent.printable import printable
    from geosleuth.indexes.countries import country_name
    from geosleuth.training.locatability.curation_report import PAGE, cautions, level_cells, remarks
    from geosleuth.training.locatability.sensitivity import Level, sensitivity

    at = Level(**figures["at"])
    share = "" if at.share is None else f" ({at.share:.1%})"
    lines = [
        f"{views.name}: {figures['scored']:,} pictures scored in {duration(scores.seconds)}",
        f"  by {scores.settings.words()}",
        f"  {at.kept:,}{share} above {at.threshold:g} are kept, of {len(at.countries_kept):,} countries",
    ]
    if at.countries_lost:
        named = ", ".join(map(country_name, at.countries_lost[:_NAMED]))
        more = len(at.countries_lost) - _NAMED
        lines.append(f"  lost: {named}" + (f" and {more:,} more" if more > 0 else ""))
    if scores.resumed:
        lines.append(f"  {scores.resumed:,} had been scored by an earlier run")
    lines += [f"  {remark}" for remark in remarks(views, scores)]
    rows = [["above", "kept", "share", "countries", "lost", "balance", "largest", "cities"]]
    rows += map(level_cells, sensitivity(views, scores))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines += ["", *table, "", f"Report: {out / PAGE}", *(f"Caution: {one}" for one in cautions(views, scores))]
    if len(views.splits) == 1:
        lines.append(f"Next: {out / KEPT} is the manifest of the kept views, for `geosleuth train georeasoner`")
    return "\n".join(map(printable, lines)) + "\n"


def _json(figures: dict[str, Any], out: Path) -> str:
    import json

    return json.dumps({**figures, "kept_csv": str(out / KEPT)}, ensure_ascii=False) + "\n"
