"""The comparison as a page that needs nothing else: no script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.agent.table import words
from geosleuth.training.evaluate.cross_view.report import grid_html
from geosleuth.training.evaluate.cross_view.report_style import POLICY, STYLE
from geosleuth.training.evaluate.human.agreement import Agreed
from geosleuth.training.evaluate.human.answer import CLUES, in_words
from geosleuth.training.evaluate.human.comparison import Comparison
from geosleuth.training.evaluate.human.side_by_side import Row
from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.record import Section

LEGEND = (
    "Gave up: says that the place cannot be told. Of people and agent alike such an answer has no point and no "
    "country, whatever the agent's belief would have guessed: it is wrong in every figure. Country wrong: the point "
    "lies in another one. City wrong: the country is right, but neither is the named city the true one nor the point "
    "within 25 km. These three and the right ones are all answers. Beyond 750 km: the point is that far away. ECE: "
    "expected calibration error of the named country's probability, which a person states, of the answers that name "
    "one. In brackets: 95 % intervals by bootstrap over places."
)
_LISTED = 50  # of who alone is right
_ROWS_TURN = 4  # groups, above which they are rows: a table wider than the page cannot be read
_NONE = Figure(value=None)
_TITLE = "People beside the agent"
_WIDE = ".wide { overflow-x: auto; } .wide td:first-child { white-space: nowrap; } .wide thead .number "
_WIDE += "{ white-space: normal; overflow-wrap: normal; }\n"


def write_page(path: Path, found: Comparison, subtitle: str) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with appearing(path) as scratch:
            scratch.write_text(page_html(found, subtitle), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        remedy = "Name another with --out-report."
        raise InputError("a file to write the report to", f"{path}: {error.strerror or error}", remedy) from error


def page_html(found: Comparison, subtitle: str) -> str:
    """Write the page, light or dark as the reader's system is."""
    parts = [
        f"<h1>{_words(_TITLE)}</h1>\n<p class='soft'>{_words(subtitle)}</p>",
        "\n".join(f'<p class="warning">{_words(note)}</p>' for note in found.notes),
        *(_section(section) for section in found.sections),
        _section(found.differences, signed=True),
        f"<p class='soft'>{_words(LEGEND)}</p>",
        _agreed(found.agreed),
        _alone("The country: right for a person, wrong for the agent", found.people_alone),
        _alone("The country: right for the agent, wrong for a person", found.agent_alone),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_words(_TITLE)}</title>\n<style>{STYLE}{_WIDE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def grid_of(section: Section, *, signed: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return head and rows; of many groups the groups are the rows."""
    names = list(dict.fromkeys(name for column in section.columns.values() for name in column))
    head = ["", *(f"{name} ({section.counts[name]:,})" for name in section.columns)]
    rows = [
        [name, *(words(name, column.get(name, _NONE), signed=signed) for column in section.columns.values())]
        for name in names
    ]
    if len(section.columns) > _ROWS_TURN:
        head, *rows = [list(column) for column in zip(head, *rows, strict=True)]
    return head, rows


def agreement_grid(agreed: Sequence[Agreed]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of who agrees with whom."""
    head = ["people", "photos of both", "the same country", "kappa", "both placed", "median km apart"]
    rows = [
        [
            " and ".join(one.people),
            f"{one.countries.count:,}",
            "-" if one.countries.share is None else f"{one.countries.share:.0%}",
            "not defined" if one.countries.kappa is None else f"{one.countries.kappa:.2f}",
            f"{one.placed:,}",
            "-" if one.median_km is None else f"{one.median_km:,.0f}",
        ]
        for one in agreed
    ]
    return head, rows


def _section(section: Section, *, signed: bool = False) -> str:
    table = grid_html(*grid_of(section, signed=signed))
    return f'<h2>{_words(section.title)}</h2>\n<div class="wide">{table}</div>'


def _agreed(agreed: Sequence[Agreed]) -> str:
    if not agreed:
        return ""
    table = grid_html(*agreement_grid(agreed))
    said = "Cohen's kappa of the country named, \"cannot tell\" being one; nobody has seen another's answers."
    return f"<h2>Agreement between people</h2>\n<p class='soft'>{_words(said)}</p>\n{table}"


def _alone(title: str, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    head = ["photo", "true country", "person", "said", "clues", "agent's country", "agent's km"]
    listed = [
        [
            row.human.truth.file,
            row.human.truth.country or "",
            row.person,
            in_words(row.answer),
            ", ".join(CLUES[clue] for clue in row.answer.clues),
            row.agent.point_country or "-",
            "-" if row.agent.error_km is None else f"{row.agent.error_km:,.0f}",
        ]
        for row in rows[:_LISTED]
    ]
    rest = len(rows) - _LISTED
    more = f"<p>{rest:,} more are not named here.</p>" if rest > 0 else ""
    return f'<h2>{_words(title)}</h2>\n<div class="wide">{grid_html(head, listed, numbers=False)}</div>\n{more}'


def _words(text: str) -> str:
    return escape(printable(text))
