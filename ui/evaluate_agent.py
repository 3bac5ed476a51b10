"""`geosleuth evaluate agent`: the whole agent on labelled photos, or a recorded model alone.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --notes or --out the same command goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.columns import columns
from geosleuth.ui.options import IndexPlace, PriorSpec, SettingsFile, Verbose
from geosleuth.ui.progress_line import ProgressLine
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.agent.settings import Settings
    from geosleuth.training.evaluate.agent.evaluate import OnPhase
    from geosleuth.training.evaluate.agent.paired import Paired
    from geosleuth.training.evaluate.agent.record import AgentReport
    from geosleuth.training.evaluate.data_sets.labelled_set import LabelledSet

_INTERRUPTED = "Interrupted. With --notes or --out, the same command goes on: what was looked at is kept."
_NOTES = "notes"  # in --out


def agent(
    data: Annotated[
        str,
        typer.Option("--data", metavar="NAME", help="im2gps, im2gps3k, yfcc4k, gws15k, osv5m, street-dev, or csv."),
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="CSV", help="Its list, where it is not in the root: file,lat,lon."),
    ] = None,
    settings: SettingsFile = None,
    prior: PriorSpec = None,
    planner: Annotated[
        str | None, typer.Option("--planner", metavar="SPEC", help="Who plans: embedded, hf:ORG/NAME, openai:...")
    ] = None,
    index: IndexPlace = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Only so many photos, drawn by country.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="TOOL", help="Leave a tool out. Repeatable.")
    ] = None,
    notes: Annotated[
        Path | None,
        typer.Option("--notes", metavar="FOLDER", help="Keep what tools found there; default: OUT/notes."),
    ] = None,
    vlm_alone: Annotated[
        bool, typer.Option("--vlm-alone", help="Judge what --prior file:CSV#MODEL says itself, without the agent.")
    ] = False,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="The report.json of a run on the same photos.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.html and report.json there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on one line.")] = False,
    verbose: Verbose = False,
) -> None:
    """Have the agent say where labelled photos were taken, and measure how far off and how honest it is."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose, failures=verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.agent.settings import load_settings
            from geosleuth.training.evaluate.agent.observe import truths
            from geosleuth.training.evaluate.agent.paired import check_same, paired
            from geosleuth.training.evaluate.agent.record import read_report
            from geosleuth.training.evaluate.agent.report import write_report
            from geosleuth.training.evaluate.cross_view.report import prepare_folder
            from geosleuth.training.evaluate.data_sets.by_name import open_labelled

            given = {"backends.prior": prior, "backends.planner": planner, "index": index}
            resolved = load_settings(settings, arguments=given)
            if vlm_alone and without:
                raise InputError("options of the agent", "--without beside --vlm-alone", "Leave one of them out.")
            other = read_report(compare) if compare else None
            opened = open_labelled(data, root, labels=labels, limit=limit)
            if other:
                # Before the hours that the run may take.
                check_same(truths(opened.photos, root), [row.truth for row in other.rows])
            if out:
                prepare_folder(out)
            kept = notes or (out / _NOTES if out else None)
            with ProgressLine() as line:
                found = _evaluated(opened, resolved, root, kept, without or [], _drawing(line), alone=vlm_alone)
            changes = paired(found.rows, other.rows) if other else None
            if out:
                write_report(out, found, root, compare=other, changes=changes)
        sys.stdout.write(_json(found, changes) if as_json else report_text(found, other, changes, out))
        sys.stdout.flush()


def report_text(found: AgentReport, other: AgentReport | None, changes: Paired | None, out: Path | None) -> str:
    """Write the figures as small tables, for a person."""
    from geosleuth.agent.printable import printable
    from geosleuth.training.evaluate.agent.report import PAGE, comparison, origin
    from geosleuth.training.evaluate.agent.table import region_rows, rows_of

    lines = [origin(found), f"{found.photos:,} photos"]
    if found.task == "prior alone":
        lines.append("What the recorded model said itself: no tool looked at a photo, and nothing was weighed.")
    head, rows = rows_of(found.measures)
    lines += ["", *columns([head, *rows]), ""]
    head, rows = region_rows(found.regions, found.counts)
    lines += [*columns([head, *rows]), ""]
    lines += found.notes
    failed = sum(found.failures.values())
    if failed:
        lines.append(f"Tools that did not take part: {failed:,} times, the first: {next(iter(found.failures))}")
    if other is not None and changes is not None:
        head, rows = rows_of(changes.differences, signed=True)
        lines += ["", comparison(other), *columns([head, *rows])]
    lines += [f"Report: {out / PAGE}"] if out else []
    return "\n".join(map(printable, lines)) + "\n"


def _evaluated(
    data: LabelledSet,
    settings: Settings,
    root: Path,
    notes: Path | None,
    without: list[str],
    progress: OnPhase,
    *,
    alone: bool,
) -> AgentReport:
    from geosleuth.training.evaluate.agent.evaluate import evaluate_agent, evaluate_prior_alone

    if alone:
        return evaluate_prior_alone(data, settings, root=root)
    with contextlib.ExitStack() as stack:
        folder = notes or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geosleuth-notes-")))
        return evaluate_agent(data, settings, root=root, notes=folder, without=without, progress=progress)


def _json(found: AgentReport, changes: Paired | None) -> str:
    """One line: the report without a row per photo, which report.json has."""
    import json

    said = found.model_dump(mode="json", exclude={"rows"})
    said["differences"] = None if changes is None else changes.model_dump(mode="json")
    return json.dumps(said, ensure_ascii=False) + "\n"


def _drawing(line: ProgressLine) -> OnPhase:
    """Draw a run's photos on the line of progress."""

    def told(phase: str, done: int, total: int) -> None:
        line.draw(phase, f"{phase} {done:,} of {total:,} ({done / total:.0%})", whole=done == total)

    return told
