"""`geosleuth curate explanations`: have a teacher explain pairs, within a budget.

Exit codes: 0 done, or the budget is spent; 2 bad input, pairs whose pictures cannot be read or that got no answer, or a
server that answers no more; 130 interrupted. The same command goes on, and what was answered is never asked again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.ui.options import Verbose
from geosleuth.ui.shell import BAD_INPUT, exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.gleam_x.teacher import Explained, ExplainingProgress
    from geosleuth.ui.progress_line import ProgressLine

_INTERRUPTED = "Interrupted. What was answered is kept; the same command goes on from here."


def explanations(
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS.jsonl", help="Of `geosleuth curate pairs`.")],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="Where the data set lies.")],
    teacher: Annotated[str, typer.Option("--teacher", metavar="SPEC", help="openai:MODEL@URL; pictures go there.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="What is asked and answered is kept there.")],
    budget: Annotated[
        int | None,
        typer.Option("--budget", metavar="N", min=1, help="Requests tried in all: earlier runs' and vain ones count."),
    ] = None,
    budget_tokens: Annotated[
        int | None, typer.Option("--budget-tokens", metavar="N", min=1, help="Tokens in all, read and written.")
    ] = None,
    per_minute: Annotated[
        float | None, typer.Option("--per-minute", metavar="N", help="At most so many requests a minute.")
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", metavar="N", min=1, max=8, help="At once.")] = 4,
    samples: Annotated[
        int, typer.Option("--samples", metavar="K", min=1, help="Answers per pair; what most of them name is kept.")
    ] = 1,
    second_look: Annotated[
        str | None, typer.Option("--second-look", metavar="SPEC", help="A model that looks for each named thing.")
    ] = None,
    without_label: Annotated[
        bool, typer.Option("--without-label", help="The teacher judges by itself, for the comparison.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Have a teacher that is told the label explain each pair; what it writes is checked, and asked for once more.

    The server's key is read from GEOSLEUTH_ENDPOINT_KEY.
    """
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.gleam_x.record_file import read_records
            from geosleuth.training.gleam_x.teacher import explain_pairs
            from geosleuth.ui.progress_line import ProgressLine

            read = read_records(pairs)
            with ProgressLine() as line:
                report = explain_pairs(
                    read.records,
                    root,
                    teacher,
                    out,
                    budget_requests=budget,
                    budget_tokens=budget_tokens,
                    requests_per_minute=per_minute,
                    concurrency=concurrency,
                    samples=samples,
                    with_label=not without_label,
                    second_look=second_look,
                    progress=lambda now: _show(line, now),
                )
        bad = [f"  line {one.number} of {pairs} is no record: {one.reason}" for one in read.bad[:1]]
        bad += [f"  neither {_count(len(read.bad) - 1, 'more line')}" for _ in read.bad[1:2]]
        sys.stdout.write(_words(report, bad))
        sys.stdout.flush()
        if report.unreadable or report.failed or not report.within_budget:
            raise typer.Exit(BAD_INPUT)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _show(line: ProgressLine, now: ExplainingProgress) -> None:
    text = f"explained {now.done:,} of {now.total:,}, {now.rejected:,} set aside, {now.requests:,} requests"
    line.draw("explaining", text, whole=now.done == now.total)


def _words(report: Explained, bad: list[str]) -> str:
    from geosleuth.agent.printable import printable
    from geosleuth.ui.progress_line import duration

    lines = [f"{report.folder}: {report.explained:,} of {report.total:,} explained in {duration(report.seconds)}", *bad]
    if report.rejected:
        why = ", ".join(f"{check} {count:,}" for check, count in sorted(report.checks.items()))
        lines.append(f"  {report.rejected:,} set aside in rejected.jsonl ({why})")
    if report.asked_again:
        lines.append(f"  asked once more for {_count(report.asked_again, 'answer')} that failed a check")
    if report.disagreeing:
        lines.append(f"  in {report.disagreeing:,} the teacher judges against the label")
    if report.failed or report.unreadable:
        lines.append(f"  {report.failed:,} without an answer, {report.unreadable:,} with pictures that cannot be read")
        lines += [f"    {one}" for one in report.failures if not report.stopped or one not in report.stopped]
    if report.others:
        lines.append(f"  {_count(report.others, 'pair')} of other runs in this folder kept in explained.jsonl")
    lines.append(
        f"  {_count(report.requests, 'request')} now, {report.requests_in_all:,} in all; "
        f"{_count(report.tokens_in_all, 'token')} in all"
    )
    if report.stopped:
        lines.append(f"Stopped with {report.left:,} left: {report.stopped}")
    return "\n".join(map(printable, lines)) + "\n"
