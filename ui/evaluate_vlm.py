"""`geosleuth evaluate vlm`: judge a vision-language model as the prior or as the verifier.

Exit codes: 0 done, 2 bad input, 130 interrupted; with --out the same command goes on where it stopped, and asks nothing
twice.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geosleuth.indexes.errors import InputError
from geosleuth.ui.columns import columns
from geosleuth.ui.options import Verbose
from geosleuth.ui.progress_line import ProgressLine
from geosleuth.ui.shell import exits, logs_to_stderr, stdout_kept_for_the_answer

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.answer_file import OnAsked
    from geosleuth.training.evaluate.vlm.record import Section, VlmRecord
    from geosleuth.training.evaluate.vlm.run import Phase
    from geosleuth.training.gleam_x.record import PairRecord

_INTERRUPTED = "Interrupted. With --out, the same command goes on: what was answered is not asked again."


def vlm(
    task: Annotated[str, typer.Option("--task", metavar="TASK", help="prior or verifier.")],
    model: Annotated[
        str, typer.Option("--model", metavar="SPEC", help="hf:ORG/NAME, dir:PATH, both with +dir:ADAPTER, openai:...")
    ],
    root: Annotated[Path, typer.Option("--root", metavar="FOLDER", help="What the paths in the data are relative to.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="prior: a CSV of street views; verifier: pairs as JSONL."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write report.html, report.json, and what was answered, there."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", metavar="FILE", help="The report.json of a run on the same data.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Only so many photos or pairs, drawn by chance.")
    ] = None,
    explanations: Annotated[
        bool, typer.Option("--explanations", help="verifier: have it write why as well, and judge that.")
    ] = False,
    similarity: Annotated[
        str,
        typer.Option("--similarity", metavar="SPEC", help="Of explanations: shipped, hf:ORG/NAME, dir:PATH, or off."),
    ] = "shipped",
    grounding: Annotated[
        str | None,
        typer.Option("--grounding", metavar="WHO", help="Check what explanations name: towns, or a model's spec."),
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option("--seen", metavar="CODES", help="prior: countries of training, as FR,JP; others are held out."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on one line.")] = False,
    verbose: Verbose = False,
) -> None:
    """Ask a model about photos or pairs whose answers are known, and measure what it says."""
    with exits(_INTERRUPTED), logs_to_stderr(verbose):
        with stdout_kept_for_the_answer():
            from geosleuth.training.evaluate.cross_view.report import prepare_folder
            from geosleuth.training.evaluate.vlm.record import compared, read_record

            _check(task, data, explanations=explanations, grounding=grounding, seen=seen)
            training_countries = _codes(seen)
            other = read_record(compare) if compare else None
            if out:
                prepare_folder(out)  # before the work whose result goes there
            with ProgressLine() as line:
                phase = _drawing(line)
                if task == "prior":
                    from geosleuth.training.evaluate.vlm.run import evaluate_prior
                    from geosleuth.training.georeasoner.street_views import read_street_views

                    views = read_street_views(root, data)
                    record, failures = evaluate_prior(
                        model,
                        views,
                        out=out,
                        limit=limit,
                        seen_countries=training_countries,
                        compare=other,
                        phase=phase,
                    )
                else:
                    from geosleuth.training.evaluate.vlm.run import evaluate_verifier

                    record, failures = evaluate_verifier(
                        model,
                        _pairs(data),
                        root,
                        data=data.name if data else "",
                        out=out,
                        limit=limit,
                        explanations=explanations,
                        similarity=similarity,
                        grounding=grounding,
                        compare=other,
                        phase=phase,
                    )
            changes = compared(record, other) if other else None
            if out:
                from geosleuth.training.evaluate.vlm.report import write_report

                write_report(out, record, failures, compare=other)
        sys.stdout.write(_json(record, changes) if as_json else report_text(record, changes, out))
        sys.stdout.flush()


def report_text(record: VlmRecord, changes: Section | None, out: Path | None) -> str:
    """Write the figures as small tables, for a person."""
    from geosleuth.agent.printable import printable
    from geosleuth.training.evaluate.vlm.report import PAGE
    from geosleuth.training.evaluate.vlm.table import rows_of

    lines = [f"{record.data}: {record.model}, weights {record.weights}"]
    for section in record.sections:
        head, rows = rows_of(section)
        if len(section.columns) > 1:  # of several groups each is a row: terminals are narrow, and names are long
            head, *rows = [list(column) for column in zip(head, *rows, strict=True)]
        lines += ["", section.title, *columns([head, *rows])]
    lines += ["", *record.notes]
    if record.missing:
        what, why = record.missing[0]
        lines.append(f"Could not be asked: {len(record.missing):,}, the first {what}: {why}")
    if changes is not None:
        head, rows = rows_of(changes, signed=True)
        lines += ["", changes.title, *columns([head, *rows])]
    lines += [f"Report: {out / PAGE}"] if out else []
    return "\n".join(map(printable, lines)) + "\n"


def _json(record: VlmRecord, changes: Section | None) -> str:
    """One line: the record without a row per item, which report.json has."""
    import json

    rows = {"prior_rows", "pair_rows", "explanation_rows", "grounding_rows"}
    said = record.model_dump(mode="json", exclude=rows)
    said["differences"] = None if changes is None else changes.model_dump(mode="json")
    return json.dumps(said, ensure_ascii=False) + "\n"


def _check(task: str, data: Path | None, *, explanations: bool, grounding: str | None, seen: str | None) -> None:
    """Refuse options that say nothing about the task, before anything is loaded."""
    if task not in ("prior", "verifier"):
        raise InputError("a task", repr(task), "Name one with --task: prior or verifier.")
    if task == "verifier" and data is None:
        raise InputError("a file of pairs", "no --data", "Name one with --data; `geosleuth curate pairs` makes it.")
    if task == "prior" and (explanations or grounding):
        raise InputError("options of the prior", "--explanations or --grounding", "They are for --task verifier.")
    if task == "verifier" and seen:
        raise InputError("options of the verifier", "--seen", "It is for --task prior.")


def _codes(text: str | None) -> frozenset[str] | None:
    """Read "FR,JP" or "FR JP".

    Raises:
        InputError: One is no country's code.
    """
    from geosleuth.indexes.countries import country_codes

    if text is None:
        return None
    codes = [part.upper() for part in re.split(r"[\s,;]+", text) if part]
    wrong = [code for code in codes if code not in country_codes()]
    if wrong or not codes:
        found = ", ".join(wrong[:5]) or "none"
        raise InputError("codes of countries for --seen", found, "Write ISO 3166-1 codes, as in --seen FR,JP.")
    return frozenset(codes)


def _pairs(data: Path | None) -> tuple[PairRecord, ...]:
    from geosleuth.training.gleam_x.record_file import read_records

    assert data is not None  # noqa: S101  # `_check` has seen to it
    return read_records(data).records


def _drawing(line: ProgressLine) -> Phase:
    """Draw a step's answers on the line of progress."""

    def begun(name: str) -> OnAsked:
        def told(done: int, total: int) -> None:
            line.draw(name, f"{name} {done:,} of {total:,} ({done / total:.0%})", whole=done == total)

        return told

    return begun
