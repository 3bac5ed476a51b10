"""The report of a curation: a page that needs nothing else (no script, no request), and its figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geosleuth.agent.printable import printable
from geosleuth.indexes.countries import country_name
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.cross_view.report_style import POLICY
from geosleuth.training.evaluate.cross_view.report_style import STYLE as PAGE_STYLE
from geosleuth.training.locatability.curation import passes
from geosleuth.training.locatability.histogram import STYLE, example_rows, histogram, histogram_svg
from geosleuth.training.locatability.sensitivity import Level, sensitivity

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetViews
    from geosleuth.training.locatability.score_set import Scores

PAGE = "report.html"
FIGURES = "report.json"
_LISTED = 20  # broken pictures that the page names; scores.jsonl has them all
_HEADS = ("Above", "Kept", "Share", "Countries", "Lost", "Balance", "Largest country", "Cities")
_LEGEND = (
    "Lost: countries of the set of which no picture is kept. Balance: the entropy of the kept pictures' countries "
    "over that of equal shares of all the set's countries (1: all alike, 0: one has them all). Cities: as the set "
    "names them."
)
_EXAMPLES = '<p class="soft">Drawn by chance; a green frame: kept.</p>'
_EMBEDDED = (
    "These are scores of the embedded tool, which knows no classes and reads no text here: not GeoReasoner's formula. "
    "The paper's threshold of 0.4 means nothing for them; name a segmenter of ADE20K's classes for that."
)


def write_curation_report(out: Path, views: StreetViews, scores: Scores, threshold: float) -> dict[str, Any]:
    """Write report.html and report.json into a folder that is there, and return the figures.

    Args:
        out: The folder.
        views: The whole set.
        scores: Of its pictures.
        threshold: Above which pictures are kept.

    Raises:
        InputError: One of the two cannot be written.
    """
    found = curation_figures(views, scores, threshold)
    levels = sensitivity(views, scores)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    for name, content in ((FIGURES, text), (PAGE, curation_html(views, scores, threshold, levels))):
        try:
            with appearing(out / name) as scratch:
                scratch.write_text(content, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            remedy = "Make room or leave to write there; the same command then goes on from here."
            raise InputError("to keep the report", f"{out / name}: {error.strerror or error}", remedy) from error
    return found


def curation_figures(views: StreetViews, scores: Scores, threshold: float) -> dict[str, Any]:
    """Return all figures of the report as JSON has them."""
    values = [one.score for one in scores.by_path.values()]
    at = sensitivity(views, scores, [threshold])[0]
    return {
        "set": views.name,
        "views": len(views.views),
        "splits": views.splits,
        "skipped": views.skip_reasons,
        "notes": dict(views.notes),
        "scored": len(values),
        "broken": len(scores.broken),
        "settings": scores.settings.model_dump(),
        "median": float(np.median(values)) if values else None,
        "histogram": histogram(values),
        "at": asdict(at),
        "sensitivity": [asdict(level) for level in sensitivity(views, scores)],
    }


def curation_html(views: StreetViews, scores: Scores, threshold: float, levels: Sequence[Level]) -> str:
    """Write the page, light or dark as the reader's system is."""
    title = f"Locatability of {views.name}"
    values = [one.score for one in scores.by_path.values()]
    kept = sum(passes(value, threshold) for value in values)
    share = f" ({kept / len(values):.1%})" if values else ""
    parts = [
        f"<h1>{_words(title)}</h1>\n<p class='soft'>{_words(_sentence(scores.settings.words()))}</p>",
        f'<p class="lead">{kept:,} of {len(values):,} pictures{share} score above {threshold:g}.</p>',
        *(f'<p class="warning">{_words(note)}</p>' for note in (*cautions(views, scores), *remarks(views, scores))),
        f"<h2>Scores</h2>\n<figure>{histogram_svg(values, threshold)}</figure>" if values else "",
        f"<h2>What a threshold leaves</h2>\n{_level_table(levels, threshold)}\n<p class='soft'>{_words(_LEGEND)}</p>",
        _lost(levels),
        f"<h2>Pictures by score</h2>\n{_EXAMPLES}\n{example_rows(views, scores, threshold)}",
        _broken(scores),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(title)}</title>\n<style>{PAGE_STYLE}{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def level_cells(level: Level) -> list[str]:
    """Write a threshold's figures as cells, in the order of the page's table."""
    largest = "-"
    if level.largest_country and level.largest_share is not None:
        largest = f"{level.largest_country} {level.largest_share:.0%}"
    return [
        f"{level.threshold:g}",
        f"{level.kept:,}",
        "-" if level.share is None else f"{level.share:.1%}",
        f"{len(level.countries_kept):,}",
        f"{len(level.countries_lost):,}",
        "-" if level.balance is None else f"{level.balance:.3f}",
        largest,
        f"{level.cities:,}",
    ]


def cautions(views: StreetViews, scores: Scores) -> list[str]:
    """Say why what is kept may not be what a training needs."""
    said = [_EMBEDDED] if scores.settings.method == "embedded" else []
    if len(views.splits) > 1:
        counts = ", ".join(f"{name or 'of none'} {count:,}" for name, count in views.splits.items())
        said.append(f"Several splits are mixed ({counts}): --split takes one, so that nothing held out is trained on.")
    return said


def remarks(views: StreetViews, scores: Scores) -> list[str]:
    """Say what became of pictures and rows that are not as the others, each reason with its count."""
    said = [f"{len(scores.broken):,} could not be scored, and are not kept."] if scores.broken else []
    said += [f"{count:,} rows left out when the set was read: {why}." for why, count in views.skip_reasons.items()]
    return said + [f"{count:,} rows: {what}." for what, count in views.notes.items()]


def _level_table(levels: Sequence[Level], threshold: float) -> str:
    heads = "".join(f'<th scope="col" class="number">{name}</th>' for name in _HEADS)
    rows = []
    for level in levels:
        cells = "".join(f'<td class="number">{_words(cell)}</td>' for cell in level_cells(level))
        rows.append(f"<tr>{cells}</tr>" if level.threshold != threshold else f'<tr class="chosen">{cells}</tr>')
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table>"


def _lost(levels: Sequence[Level]) -> str:
    """Name the countries at the threshold that loses them first."""
    gone: set[str] = set()
    lines = []
    for level in levels:
        new = [code for code in level.countries_lost if code not in gone]
        gone.update(new)
        if new:
            names = ", ".join(f"{country_name(code)} ({code})" for code in new)
            lines.append(f"<p>Lost above {level.threshold:g}: {_words(names)}</p>")
    return "\n".join(lines)


def _broken(scores: Scores) -> str:
    if not scores.broken:
        return ""
    rows = "\n".join(
        f"<tr><td>{_words(one.path)}</td><td>{_words(one.reason)}</td></tr>" for one in scores.broken[:_LISTED]
    )
    more = len(scores.broken) - _LISTED
    rest = f"\n<p>{more:,} more are not named here.</p>" if more > 0 else ""
    heads = '<tr><th scope="col">Picture</th><th scope="col">Why</th></tr>'
    return (
        f"<h2>Pictures that could not be scored</h2>\n<table>\n<thead>{heads}</thead>\n<tbody>\n{rows}\n"
        f"</tbody>\n</table>{rest}"
    )


def _sentence(text: str) -> str:
    return f"Scored by {text}."


def _words(text: str) -> str:
    return escape(printable(text))
