"""The report of ablations: Markdown for a page of the documentation, HTML that needs nothing else, and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.ablations.grids import Grid, grids
from geosleuth.training.evaluate.ablations.record import AblationRecord, AblationReport
from geosleuth.training.evaluate.cross_view.report import grid_html, prepare_folder
from geosleuth.training.evaluate.cross_view.report_style import POLICY, STYLE

NAME = "ablations"  # of both files; a table's own name follows, so that no other evaluation's report is overwritten
REPORT_FILE, PAGE = f"{NAME}.json", f"{NAME}.html"
_TITLE = "Ablations of place recognition"
_WIDE = """.wide { overflow-x: auto; } .wide td:first-child { white-space: nowrap; }
.wide thead .number { white-space: normal; overflow-wrap: normal; }
"""
LEGEND = (
    "Shares in percent. In brackets: 95 % intervals by bootstrap over places, paired where two arms are compared; "
    "Wilson's where all or none have it. p: exact McNemar test of gained against lost, two-sided, not corrected for "
    "the number of comparisons; it counts queries as independent, those of one place too, so that it is too small "
    "where a place has several."
)


def file_names(table: str | None = None) -> tuple[str, str]:
    """Name the JSON and the page of one table, or of all: reports of several lie beside each other in a folder."""
    return (f"{NAME}-{table}.json", f"{NAME}-{table}.html") if table else (REPORT_FILE, PAGE)


def write_report(folder: Path, report: AblationReport, table: str | None = None) -> None:
    """Write the JSON and the page under `file_names`.

    Raises:
        InputError: The folder cannot be written to.
    """
    prepare_folder(folder)
    texts = (report.model_dump_json() + "\n", report_html(report))
    for name, text in zip(file_names(table), texts, strict=True):
        with appearing(folder / name) as scratch:
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


def report_html(report: AblationReport) -> str:
    """Write the page, light or dark as the reader's system is."""
    parts = [f"<h1>{_words(_TITLE)}</h1>", *(_section(one) for one in report.tables)]
    parts += [_left_out(report), _skipped(report)]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(_TITLE)}</title>\n<style>{STYLE}{_WIDE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _section(record: AblationRecord) -> str:
    parts = [
        f"<h2>{_words(record.title)}</h2>\n<p>{_words(record.question)}</p>",
        f"<p class='soft'>{_words(made_of(record))}</p>",
    ]
    for title, head, rows in grids(record):
        heading = f"<h3>{_words(title)}</h3>\n" if title else ""
        parts.append(f'{heading}<div class="wide">{grid_html(head, rows)}</div>')
    parts += [f"<p class='soft'>{_words(note)}</p>" for note in (*record.notes, LEGEND)]
    return "\n".join(parts)


def _left_out(report: AblationReport) -> str:
    if not report.left_out:
        return ""
    rows = [list(one) for one in report.left_out]
    return f"<h2>Tables that were not made</h2>\n{grid_html(['Table', 'Why'], rows, numbers=False)}"


def _skipped(report: AblationReport) -> str:
    if not report.skipped:
        return ""
    rows = [list(one) for one in report.skipped[:20]]
    return (
        f"<h2>What could not be read: {len(report.skipped):,}</h2>\n{grid_html(['What', 'Why'], rows, numbers=False)}"
    )


def markdown(record: AblationRecord, made: str) -> str:
    """Write a record as a section of a Markdown page.

    Args:
        record: The table.
        made: The command and where it ran.
    """
    lines = [f"## {record.title}", "", f"{record.question} {made_of(record)}", ""]
    for title, head, rows in grids(record):
        lines += [f"{title}:", ""] if title else []
        lines += _markdown_grid((title, head, rows))
        lines.append("")
    lines += [*record.notes, LEGEND, "", made, ""]
    return "\n".join(lines)


def _markdown_grid(grid: Grid) -> Sequence[str]:
    _, head, rows = grid
    written = [[_cell(cell) for cell in row] for row in (head, *rows)]
    ruled = ["|---" * len(head) + "|"]
    lines = [f"| {' | '.join(row)} |" for row in written]
    return [lines[0], *ruled, *lines[1:]]


def made_of(record: AblationRecord) -> str:
    """What a table is of, in a sentence."""
    facts = "; ".join(f"{name}: {value}" for name, value in record.facts.items() if value != "none")
    return f"{record.data}: {record.queries:,} queries of {record.places:,} places. {facts}."


def _cell(text: str) -> str:
    """What a file or a model named must not end a cell, or begin a tag."""
    return escape(printable(text), quote=False).replace("|", "\\|").replace("\n", " ")


def _words(text: str) -> str:
    return escape(printable(text))
