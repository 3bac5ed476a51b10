"""`geosleuth evaluate ...`: judge the agent, an encoder, or a vision-language model, on a data set.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --cache the same command goes on where it stopped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.ui.columns import columns
from geosleuth.ui.evaluate_ablations import ablations
from geosleuth.ui.evaluate_agent import agent
from geosleuth.ui.evaluate_human import human
from geosleuth.ui.evaluate_vlm import vlm
from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.evaluate.cross_view.evaluate import Evaluation
    from geosleuth.training.evaluate.cross_view.record import Difference

evaluate_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Judge the agent, an encoder or a model on a data set whose answers are known.",
)


@evaluate_commands.callback()
def _evaluate() -> None:
    """Judge the agent, an encoder or a model on a data set whose answers are known."""


evaluate_commands.command(short_help="The whole agent on labelled photos.")(agent)
evaluate_commands.command(short_help="What each step of place recognition is worth.")(ablations)
evaluate_commands.command(short_help="People, on the same photos as the agent.")(human)
evaluate_commands.command(short_help="A vision-language model as the prior or the verifier.")(vlm)


@evaluate_commands.command(short_help="Recall of references of another view.")
def retrieval(
    data: Annotated[
        str, typer.Option("--data", metavar="NAME", help="vigor, university1652, cvusa, cvact, setvl, map.")
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="One of the data set's; a wrong one lists them.")
    ],
    encoder: Annotated[
        str,
        typer.Option("--encoder", metavar="SPEC", help="embedded, timm:NAME, hf:ORG/NAME, or dir:RUN of a training."),
    ] = "embedded",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.html and report.json there.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="The report.json of a run on the same pictures.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="FOLDER", help="Keep vectors there: the next run takes seconds.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="QUERIES", min=1, help="Only so many queries, drawn by chance.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on one line.")] = False,
    verbose: Verbose = False,
) -> None:
    """Search the references of a data set for each of its queries, and measure how often the true one is found."""
    with exits("Interrupted."), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.datasets.open import open_set
            from geosleuth.training.evaluate.cross_view.evaluate import evaluate_encoder, some_queries
            from geosleuth.training.evaluate.cross_view.record import differences, read_record
            from geosleuth.training.evaluate.cross_view.report import prepare_folder, write_report
            from geosleuth.ui.progress_line import ProgressLine

            other = read_record(compare) if compare else None
            opened = open_set(data, root, split)
            if out:
                prepare_folder(out)  # before the work whose result goes there
            if limit is not None:
                opened = some_queries(opened, limit)
            with ProgressLine() as progress:
                found = evaluate_encoder(opened, encoder, cache=cache, progress=progress)
            changes = differences(found, other) if other else []
            if out:
                write_report(out, found, compare=other)
        _say(_json(found, changes) if as_json else retrieval_report(found, changes, out))


def retrieval_report(found: Evaluation, changes: list[Difference], out: Path | None) -> str:
    """Write the figures as a small table, for a person."""
    from geosleuth.agent.printable import printable
    from geosleuth.training.datasets.columns import said
    from geosleuth.training.evaluate.cross_view.report import PAGE, notes, searched
    from geosleuth.training.evaluate.cross_view.table import figures, interval, share

    head, rows = figures(found.measures)
    lines = [
        said(found.data),
        f"searched: {searched(found.measures)}",
        f"encoder {found.encoder}, weights {found.weights_sha256[:12]}",
    ]
    lines += ["", *columns([head, *rows]), ""]
    lines += notes(found)
    lines += [
        f"Against the other run, {one.modality}: {100 * one.difference:+.1f} points {interval(one.interval)} "
        f"({share(one.this)} and {share(one.other)})"
        for one in changes
    ]
    lines += [f"Report: {out / PAGE}"] if out else []
    return "\n".join(map(printable, lines)) + "\n"


def _json(found: Evaluation, changes: list[Difference]) -> str:
    import json

    said = {
        "encoder": found.encoder,
        "weights_sha256": found.weights_sha256,
        "measures": found.measures.model_dump(mode="json"),
        "skipped": len(found.data.skipped),
        "differences": [one.model_dump(mode="json") for one in changes],
    }
    return json.dumps(said, ensure_ascii=False) + "\n"


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
