"""Errors to look at, as rows of small pictures: what was confidently wrong comes first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.countries import country_name
from geosleuth.tools.quoting import quoted
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.cross_view.picture_rows import figure_html

_PICTURES = 9  # of each kind: a screen or two
_COLUMNS = 3
_STATUS = {"localized": "answered", "coarse": "answered coarsely", "not_locatable": "not answered"}


def worst(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Errors by heading, the worst first; headings without one are left out."""
    wrong = [row for row in scored if row.truth.country is not None and row.named_country != row.truth.country]
    answered = [row for row in wrong if row.status == "localized" and row.named_country is not None]
    missed = [row for row in scored if row.in_90 is False]
    silent = [row for row in scored if row.status == "not_locatable"]
    found = {
        "Answered with the wrong country, the surest first": sorted(answered, key=_confidence, reverse=True),
        "The true place outside the 90 % region, the farthest first": sorted(missed, key=_error, reverse=True),
        "Not answered, the nearest guess first": sorted(silent, key=_error),
    }
    found = {title: rows[:_PICTURES] for title, rows in found.items()}
    shown = {row.truth.file for rows in found.values() for row in rows}
    others = [row for row in scored if row.error_km is not None and row.truth.file not in shown]
    found["The farthest of the others"] = sorted(others, key=_error, reverse=True)[:_PICTURES]
    return {title: rows for title, rows in found.items() if rows}


def worst_html(scored: Sequence[Scored], root: Path) -> dict[str, str]:
    """HTML of `worst` by heading; the photos lie under `root`."""
    return {title: _pictures(rows, root) for title, rows in worst(scored).items()}


def caption(row: Scored) -> str:
    """Say the truth, the answer and the distance; names that others wrote are quoted."""
    truth = _place(row.truth.city, row.truth.country)
    said = _place(row.named_city, row.named_country)
    sure = "" if row.probability is None else f" {row.probability:.0%}"
    far = "no point" if row.error_km is None else f"{row.error_km:,.0f} km away"
    return printable(f"true: {truth or 'not known'}; answer: {said or 'none'}{sure}, {_STATUS[row.status]}; {far}")


def _confidence(row: Scored) -> tuple[float, float]:
    return (0.0 if row.probability is None else row.probability), _error(row)


def _error(row: Scored) -> float:
    return float("inf") if row.error_km is None else row.error_km


def _place(city: str | None, code: str | None) -> str:
    parts = [quoted(city, bare=True) if city else "", country_name(code) if code else ""]
    return ", ".join(part for part in parts if part)


def _pictures(rows: Sequence[Scored], root: Path) -> str:
    figures = [
        figure_html(
            str(root / row.truth.file),
            caption(row),
            "asked right" if row.named_country == row.truth.country else "asked wrong",
        )
        for row in rows
    ]
    lines = [figures[start : start + _COLUMNS] for start in range(0, len(figures), _COLUMNS)]
    return "\n".join('<div class="row">\n' + "\n".join(line) + "\n</div>" for line in lines)
