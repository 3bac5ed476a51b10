"""`geosleuth evaluate ablations TABLE`: what each step of place recognition is worth, on photos whose place is known.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --out the same command goes on where it stopped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.ui.columns import columns
from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosleuth.training.evaluate.ablations.arm import Ablation
    from geosleuth.training.evaluate.ablations.prior import PriorSource
    from geosleuth.training.evaluate.ablations.query import Query
    from geosleuth.training.evaluate.ablations.record import AblationRecord, AblationReport
    from geosleuth.training.evaluate.ablations.run import Ran
    from geosleuth.training.evaluate.ablations.setup import Setup

_INTERRUPTED = "Interrupted. With --out, the same command goes on: no query is done twice."
_FARTHEST_RIGHT_M = 10_000.0  # beyond it a reference shows another town: no place recognition


def ablations(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="submaps, geographic, corrupted, reranking, verifier, missing, look_alikes; or all that can be made.",
        ),
    ],
    data: Annotated[
        str, typer.Option("--data", metavar="NAME", help="A labelled set, as in `geosleuth evaluate agent`, or csv.")
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    index: Annotated[
        str, typer.Option("--index", metavar="INDEX", help="The gallery: a folder, or milvus:COLLECTION@URI.")
    ],
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="FILE", help="csv: the table of files, positions and countries.")
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option("--prior", metavar="SPEC", help="file:PREDICTIONS.csv#MODEL, or simulated (synthetic)."),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="SPEC", help="A vision-language model that reranks and verifies as well."),
    ] = None,
    strategies: Annotated[
        str | None, typer.Option("--strategies", metavar="NAMES", help="Of the judge: yes_no,pairwise; all by default.")
    ] = None,
    matcher: Annotated[str, typer.Option("--matcher", metavar="SPEC", help="Of local features.")] = "embedded",
    twins: Annotated[
        Path | None,
        typer.Option("--twins", metavar="FILE", help="look_alikes: CSV of file, twin_lat, twin_lon."),
    ] = None,
    within_m: Annotated[
        float,
        typer.Option(
            "--within-m", metavar="METRES", min=1.0, max=_FARTHEST_RIGHT_M, help="How near a right reference lies."
        ),
    ] = 25.0,
    buffer_km: Annotated[
        float, typer.Option("--buffer-km", metavar="KM", min=0.0, max=1000.0, help="Of widened borders.")
    ] = 50.0,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="PHOTOS", min=1, help="Only so many photos, drawn by chance.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of what is drawn by chance.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Write ablations-TABLE.html and .json (of all: ablations.html), and keep what is done, there.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on one line.")] = False,
    verbose: Verbose = False,
) -> None:
    """Switch steps of place recognition off, vary them and corrupt them, and measure what that changes."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.evaluate.ablations.chosen import Chosen
            from geosleuth.training.evaluate.ablations.record import AblationReport
            from geosleuth.training.evaluate.ablations.report import file_names, write_report
            from geosleuth.training.evaluate.cross_view.report import prepare_folder

            chosen = Chosen.of(table, prior=prior is not None, twins=twins is not None)
            if out:
                prepare_folder(out)  # before the work whose result goes there
            name, queries, notes = _queries(data, root, labels, limit, seed)
            alike = chosen.with_twins(queries, twins)
            setup = _setup(index, matcher, judge, strategies, within_m=within_m, buffer_km=buffer_km, seed=seed)
            setup = replace(setup, prior=_prior(prior, setup))
            chosen.fit(setup)
            ran = _run(chosen.tables, queries, setup, out, alike.queries)
            report = AblationReport(
                tables=tuple(_records(chosen.tables, ran, name, setup, notes, alike.note)),
                skipped=tuple((one.path, one.reason) for one in ran.skipped),
                left_out=tuple(chosen.left_out),
            )
            if out:
                write_report(out, report, chosen.named)
        page = out / file_names(chosen.named)[1] if out else None
        sys.stdout.write(report.model_dump_json() + "\n" if as_json else report_text(report, page))
        sys.stdout.flush()


def report_text(report: AblationReport, page: Path | None) -> str:
    """Write the figures as small tables, for a person; `page` is where the report stands."""
    from geosleuth.agent.printable import printable
    from geosleuth.training.evaluate.ablations.grids import grids
    from geosleuth.training.evaluate.ablations.report import LEGEND, made_of

    lines: list[str] = []
    for record in report.tables:
        lines += [record.title, made_of(record)]
        for title, head, rows in grids(record):
            lines += ["", *([title] if title else []), *columns([head, *rows])]
        lines += ["", *record.notes, ""]
    lines.append(LEGEND)
    lines += [f"Not made: {table}: {why}" for table, why in report.left_out]
    if report.skipped:
        what, why = report.skipped[0]
        lines.append(f"Could not be read: {len(report.skipped):,}, the first {what}: {why}")
    lines += [f"Report: {page}"] if page else []
    return "\n".join(map(printable, lines)) + "\n"


def _queries(
    data: str, root: Path, labels: Path | None, limit: int | None, seed: int
) -> tuple[str, list[Query], list[str]]:
    from geosleuth.training.evaluate.ablations.query import Query
    from geosleuth.training.evaluate.data_sets.by_name import open_labelled

    opened = open_labelled(data, root, labels=labels, limit=limit, seed=seed)
    notes = [f"{note}: {count:,} photos." for note, count in opened.notes.items()]
    if opened.skipped:
        notes.append(f"Rows left out when the data set was opened: {len(opened.skipped):,}.")
    return opened.name, [Query.of(photo) for photo in opened.photos], notes


def _setup(
    index: str,
    matcher: str,
    judge: str | None,
    strategies: str | None,
    *,
    within_m: float,
    buffer_km: float,
    seed: int,
) -> Setup:
    from geosleuth.agent.references import open_gallery
    from geosleuth.indexes.encoders.load import load_encoder
    from geosleuth.tools.matching import load_matcher
    from geosleuth.training.evaluate.ablations.setup import Setup, strategies_named

    named = strategies_named(strategies)
    gallery = open_gallery(index)
    load_matcher(matcher)  # a wrong spec is heard of before any photo is read
    model = None
    if judge is not None:
        from geosleuth.tools.vlm.load import load_vlm

        model = load_vlm(judge)
    # An index may come from a stranger: what it names is never fetched.
    encoder = load_encoder(gallery.encoder_spec, local_only=True)
    return Setup(
        gallery,
        encoder,
        matcher=matcher,
        judge=model,
        strategies=named,
        within_m=within_m,
        buffer_km=buffer_km,
        seed=seed,
    )


def _prior(spec: str | None, setup: Setup) -> PriorSource | None:
    from geosleuth.training.evaluate.ablations.prior import recorded, simulated

    if spec is None:
        return None
    return simulated(setup.ground, seed=setup.seed) if spec == "simulated" else recorded(spec)


def _run(chosen: Sequence[Ablation], queries: list[Query], setup: Setup, out: Path | None, twinned: list[Query]) -> Ran:
    from geosleuth.training.evaluate.ablations.look_alikes import TABLE as LOOK_ALIKES
    from geosleuth.training.evaluate.ablations.run import ROWS_FILE, Ran, run

    rows = out / ROWS_FILE if out else None
    parts = []
    with ProgressLine() as line:

        def told(done: int, total: int) -> None:
            line.draw("ablations", f"query {done:,} of {total:,}", whole=done == total)

        others = [one for one in chosen if one.name != LOOK_ALIKES.name]
        if others:
            parts.append(run(others, queries, setup, rows, on_query=told))
        if len(others) < len(chosen):
            alike = [one for one in chosen if one.name == LOOK_ALIKES.name]
            parts.append(run(alike, twinned, setup, rows, on_query=told))
    outcomes = {name: found for part in parts for name, found in part.outcomes.items()}
    return Ran(outcomes, tuple(dict.fromkeys(one for part in parts for one in part.skipped)))


def _records(
    chosen: Sequence[Ablation], ran: Ran, data: str, setup: Setup, notes: Sequence[str], of_twins: str
) -> list[AblationRecord]:
    from geosleuth.training.evaluate.ablations.figures import summarised
    from geosleuth.training.evaluate.ablations.look_alikes import TABLE as LOOK_ALIKES

    made = []
    for one in chosen:
        also = [*notes, *one.notes_of(setup), *([of_twins] if one.name == LOOK_ALIKES.name else [])]
        made.append(summarised(one, ran.outcomes[one.name], data=data, facts=setup.facts, notes=also))
    return made
