"""The report of an evaluation: a page that needs nothing else (no script, no request), and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.cross_view.report import grid_html, prepare_folder
from geosleuth.training.evaluate.cross_view.report_style import POLICY, STYLE
from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.measured import BY_LOCATABILITY
from geosleuth.training.evaluate.vlm.plots import bars_svg, reliability_svg, roc_svg
from geosleuth.training.evaluate.vlm.record import REPORT_FILE, Section, VlmRecord, compared
from geosleuth.training.evaluate.vlm.table import rows_of, words

PAGE = "report.html"
_TITLES = {"prior": "A model as a prior: country and city", "verifier": "A model as a verifier: the same place or not"}
_LISTED = 20  # that could not be asked, named on the page; report.json has them all
_LEGENDS = {
    "prior": (
        "Precision of the answered is what the paper calls accuracy, the answer rate what it calls recall; F1 is of "
        "the two. Accuracy, all: unanswered is wrong. Distances are geodesic. ECE: expected calibration error, ten "
        "bins. In brackets: 95 % intervals by bootstrap over cities, or cells of "
        "10 km where none is known; Wilson's where all or none are right."
    ),
    "verifier": (
        "TPR, TNR: share of the pairs of one place, of two, judged right. Yes-rate less base rate: below 0 the model "
        "leans to no. ECE: expected calibration error, ten bins; calibrated: by Platt scaling fitted on the pairs of "
        "other queries. In brackets: 95 % intervals by bootstrap over queries; "
        "Wilson's where all or none are right."
    ),
}
# Many columns: their names may break, those of the rows must not, and what is still too wide is scrolled by itself.
_WIDE = """.wide { overflow-x: auto; } .wide td:first-child { white-space: nowrap; }
.wide thead .number { white-space: normal; overflow-wrap: normal; }
"""
_COMPARISON = "Each figure is paired, item by item: where its interval holds 0, chance may have made the difference."


def write_report(
    folder: Path, record: VlmRecord, failures: Mapping[str, str], *, compare: VlmRecord | None = None
) -> None:
    """Write report.html and report.json.

    Args:
        folder: Made where it is not there; a report in it is replaced.
        record: What to report.
        failures: HTML of rows of pictures, by heading.
        compare: Another run over the same items, to set beside it.

    Raises:
        InputError: The folder cannot be written to, or the other run is over other items.
    """
    changes = compared(record, compare) if compare else None
    prepare_folder(folder)
    page = report_html(record, failures, changes, compare)
    for name, text in ((REPORT_FILE, record.model_dump_json() + "\n"), (PAGE, page)):
        with appearing(folder / name) as scratch:
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


def report_html(
    record: VlmRecord, failures: Mapping[str, str], changes: Section | None, compare: VlmRecord | None = None
) -> str:
    """Write the page, light or dark as the reader's system is."""
    title = _TITLES[record.task]
    subtitle = f"{record.model}, weights {record.weights}; {record.data}; geosleuth {record.version}, {record.made_at}"
    parts = [
        f"<h1>{_words(title)}</h1>\n<p class='soft'>{_words(subtitle)}</p>",
        f'<p class="lead">{_words(lead(record))}</p>',
        "\n".join(f'<p class="warning">{_words(note)}</p>' for note in record.notes),
        *(_section(section) for section in record.sections),
        f"<p class='soft'>{_words(_LEGENDS[record.task] + _judges(record))}</p>",
        _plots(record, compare),
        _changes(changes),
        *(f"<h2>{_words(heading)}</h2>\n{rows}" for heading, rows in failures.items()),
        _missing(record),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(title)}</title>\n<style>{STYLE}{_WIDE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def lead(record: VlmRecord) -> str:
    """The main figures in a sentence."""
    column = next(iter(record.sections[0].columns.values()), {})
    names = (
        ("country: precision of the answered", "country: answer rate", "country: accuracy, all")
        if record.task == "prior"
        else ("accuracy", "TPR", "TNR", "yes-rate less base rate")
    )
    said = [f"{name} {words(name, column[name])}" for name in names if name in column]
    return "; ".join(said) or "Every photo is of a country that training never saw: no accuracy is given."


def _section(section: Section) -> str:
    # Of many groups, names of groups are rows: a table wider than the page cannot be read.
    head, rows = rows_of(section)
    if len(section.columns) > 4:
        turned = [list(column) for column in zip(head, *rows, strict=True)]
        head, rows = turned[0], turned[1:]
    return f'<h2>{_words(section.title)}</h2>\n<div class="wide">{grid_html(head, rows)}</div>'


def _judges(record: VlmRecord) -> str:
    return "".join(f" Similarity in {lang}: {weights}." for lang, weights in record.similarity.items())


def _plots(record: VlmRecord, compare: VlmRecord | None) -> str:
    parts = []
    bins = next((section for section in record.sections if section.title == BY_LOCATABILITY), None)
    if bins:
        name = "country: accuracy, all"
        bars = {bin_: (column.get(name, _NONE), bins.counts[bin_]) for bin_, column in bins.columns.items()}
        drawing = bars_svg(bars, "Accuracy by locatability", "locatability, and photos")
        parts.append(f"<h2>Country right, by locatability</h2>\n<figure>{drawing}</figure>")
    if record.reliability:
        caption = "<figcaption>A dot's area is the number of predictions in its bin.</figcaption>"
        drawing = reliability_svg(record.reliability)
        parts.append(f"<h2>Do probabilities mean what they say?</h2>\n<figure>{drawing}{caption}</figure>")
    if record.roc:
        curves = {"this run": record.roc} | ({"the other run": compare.roc} if compare and compare.roc else {})
        parts.append(f"<h2>ROC</h2>\n<figure>{roc_svg(curves)}</figure>")
    return "\n".join(parts)


_NONE = Figure(value=None)


def _changes(changes: Section | None) -> str:
    if changes is None:
        return ""
    table = grid_html(*rows_of(changes, signed=True))
    return f"<h2>Beside another run</h2>\n<p>{_words(f'{changes.title}. {_COMPARISON}')}</p>\n{table}"


def _missing(record: VlmRecord) -> str:
    if not record.missing:
        return ""
    rest = len(record.missing) - _LISTED
    more = f"<p>{rest:,} more are not named here.</p>" if rest > 0 else ""
    listed = [list(one) for one in record.missing[:_LISTED]]
    return f"<h2>What could not be asked</h2>\n{grid_html(['What', 'Why'], listed, numbers=False)}\n{more}"


def _words(text: str) -> str:
    return escape(printable(text))
