"""The report of an evaluation: a page that needs nothing else (no script, no request), and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.cross_view.curves import Curve, curves_svg
from geosleuth.training.evaluate.cross_view.evaluate import Evaluation
from geosleuth.training.evaluate.cross_view.measures import CURVE, Measures
from geosleuth.training.evaluate.cross_view.picture_rows import drawn, picture_rows, worst
from geosleuth.training.evaluate.cross_view.record import (
    REPORT_FILE,
    Difference,
    RunRecord,
    differences,
    record_of,
)
from geosleuth.training.evaluate.cross_view.report_style import COLOURS, POLICY, STYLE
from geosleuth.training.evaluate.cross_view.table import figures, interval, kinds, share

PAGE = "report.html"
_CURVES = f"<figcaption>Beside each name: its recall@{CURVE}.</figcaption>"
_LISTED = 20  # unreadable pictures that the page names; report.json has them all
_LEGEND = (
    "R@k: the true reference is among the k most similar. R@1 %: among a hundredth of the gallery. Hit rate: R@1 when "
    "references that also show the place do not count as errors. AP: average precision by trapezoid, as "
    "University-1652 has it. In brackets: 95 % intervals by bootstrap over places. Chance: a random order of the "
    "references."
)


def prepare_folder(folder: Path) -> None:
    """Make a report's folder before the work whose result goes there.

    Raises:
        InputError: It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with appearing(folder / ".writable") as scratch:
            scratch.write_bytes(b"")
        (folder / ".writable").unlink()
    except OSError as error:
        found = f"{folder}: {error.strerror or error}"
        raise InputError("a folder to write the report to", found, "Name another with --out.") from error


def write_report(folder: Path, evaluation: Evaluation, *, compare: RunRecord | None = None) -> RunRecord:
    """Write report.html and report.json.

    Args:
        folder: Made where it is not there; a report in it is replaced.
        evaluation: What to report.
        compare: Another run over the same pictures, to set beside it.

    Raises:
        InputError: The folder cannot be written to, or the other run is over other pictures.
    """
    changes = differences(evaluation, compare) if compare else []
    prepare_folder(folder)
    record = record_of(evaluation)
    page = report_html(evaluation, record, compare, changes)
    for name, text in ((REPORT_FILE, record.model_dump_json() + "\n"), (PAGE, page)):
        with appearing(folder / name) as scratch:
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace")
    return record


def report_html(
    evaluation: Evaluation, record: RunRecord, compare: RunRecord | None, changes: Sequence[Difference]
) -> str:
    """Write the page, light or dark as the reader's system is."""
    measures = evaluation.measures
    title = f"Retrieval across views: {measures.set} {measures.split}"
    subtitle = (
        f"Encoder {record.encoder}, weights {record.weights_sha256[:12]}; geosleuth {record.version}, {record.made_at}"
    )
    parts = [
        f"<h1>{_words(title)}</h1>\n<p class='soft'>{_words(subtitle)}</p>",
        _lead(measures),
        _notes(evaluation),
        f"<h2>Figures</h2>\n{grid_html(*figures(measures))}\n<p class='soft'>{_words(_LEGEND)}</p>",
        f"<h2>Recall at k</h2>\n<figure>{curves_svg(_curves(measures, compare))}{_CURVES}</figure>",
        _comparison(compare, changes) if compare else "",
        _section("The worst errors", evaluation, worst(evaluation).tolist()),
        _section("Errors drawn at random", evaluation, drawn(evaluation).tolist()),
        _unreadable(evaluation),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def searched(measures: Measures) -> str:
    """What the queries were searched in."""
    junk = f" (and {measures.junk:,} that are junk by the data set's rules, and were left out)" if measures.junk else ""
    return f"{measures.references:,} references{junk}"


def notes(evaluation: Evaluation) -> list[str]:
    """What a reader must know beside the figures."""
    measures, data = evaluation.measures, evaluation.data
    one = measures.overall
    counts = (
        ("Queries that cannot be read, and count as not found", one.unreadable),
        ("Queries without a true reference in the gallery, which count as not found", one.without_reference),
        ("References that cannot be read, and were not searched", measures.unreadable_references),
        ("Rows that were left out when the data set was opened", len(data.skipped)),
    )
    said = [f"{words}: {count:,}." for words, count in counts if count]
    if one.tied:
        said.append(
            f"Queries whose true reference shares the first place with a wrong one, exactly as similar: {one.tied:,}. "
            f"They count as right, as the field has it; as errors, R@1 would be {share(one.recall_1_ties_wrong)}."
        )
    return said


def _lead(measures: Measures) -> str:
    one = measures.overall
    text = (
        f"Recall@1 is {share(one.recall[1])} {interval(one.recall_1_interval)} of {one.queries:,} queries against "
        f"{searched(measures)}; chance is {share(one.chance[1])}."
    )
    return f'<p class="lead">{_words(text)}</p>'


def _notes(evaluation: Evaluation) -> str:
    return "\n".join(f'<p class="warning">{_words(note)}</p>' for note in notes(evaluation))


def _curves(measures: Measures, compare: RunRecord | None) -> list[Curve]:
    found = [Curve(one.modality, one.curve, f"c{i % COLOURS}") for i, one in enumerate(kinds(measures))]
    if compare:
        found.append(Curve("the other run", compare.measures.overall.curve, "other"))
    return [*found, Curve("chance", measures.overall.chance_curve, "chance")]


def _comparison(compare: RunRecord, changes: Sequence[Difference]) -> str:
    head = ["Queries", "R@1, this run", "R@1, the other", "Difference", "Gained", "Lost"]
    rows = [
        [
            one.modality,
            share(one.this),
            share(one.other),
            f"{100 * one.difference:+.1f} points {interval(one.interval)}",
            f"{one.gained:,}",
            f"{one.lost:,}",
        ]
        for one in (changes if len(changes) > 2 else changes[:1])  # one modality: the same as all
    ]
    other = f"The other run: encoder {compare.encoder}, weights {compare.weights_sha256[:12]}, {compare.made_at}."
    how = "The difference is paired by query; where its interval holds 0, chance may have made it."
    return f"<h2>Beside another run</h2>\n<p>{_words(f'{other} {how}')}</p>\n{grid_html(head, rows)}"


def _section(title: str, evaluation: Evaluation, queries: Sequence[int]) -> str:
    rows = picture_rows(evaluation, queries) if queries else "<p>There is none.</p>"
    return f"<h2>{_words(title)}</h2>\n{rows}"


def _unreadable(evaluation: Evaluation) -> str:
    listed = [(one.path, one.reason) for one in (*evaluation.unreadable, *evaluation.data.skipped)]
    if not listed:
        return ""
    more = f"<p>{len(listed) - _LISTED:,} more are not named here.</p>" if len(listed) > _LISTED else ""
    return (
        f"<h2>Pictures that are missing</h2>\n{grid_html(['Picture', 'Why'], listed[:_LISTED], numbers=False)}\n{more}"
    )


def grid_html(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """Write a table as part of a page; numbers stand to the right of their cells."""
    look = ' class="number"' if numbers else ""
    looks = ["", *[look] * (len(head) - 1)]
    names = "".join(f'<th scope="col"{a}>{_words(name)}</th>' for name, a in zip(head, looks, strict=True))
    lines = [
        "<tr>" + "".join(f"<td{a}>{_words(cell)}</td>" for cell, a in zip(row, looks, strict=True)) + "</tr>"
        for row in rows
    ]
    return f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody>\n</table>"


def _words(text: str) -> str:
    return escape(printable(text))
