"""Errors to look at, as rows of pictures: photos placed far away, pairs judged wrong."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from geosleuth.agent.printable import printable
from geosleuth.indexes.countries import country_name
from geosleuth.tools.quoting import quoted
from geosleuth.training.evaluate.cross_view.picture_rows import figure_html
from geosleuth.training.evaluate.vlm.verifier import said_label
from geosleuth.training.evaluate.vlm.verifier_rows import once_each

if TYPE_CHECKING:
    from geosleuth.training.evaluate.vlm.prior import AskedViews
    from geosleuth.training.evaluate.vlm.record import VlmRecord
    from geosleuth.training.evaluate.vlm.verifier import AskedPairs

_ROWS = 6  # of each kind: a screen or two, as cross_view has it
_COLUMNS = 3  # photos in a row
_REASONS = 3


def photo_rows(asked: AskedViews, record: VlmRecord) -> dict[str, str]:
    """HTML by heading: the surest wrong countries, and the photos placed farthest away."""
    rows = list(enumerate(record.prior_rows))
    wrong = [(i, row) for i, row in rows if row.answered and row.country != row.truth and not row.held_out]
    surest = sorted(wrong, key=lambda pair: -(pair[1].top_share or 0.0))
    farthest = sorted(wrong, key=lambda pair: -(pair[1].error_km or 0.0))
    unanswered = [(i, row) for i, row in rows if not row.answered]
    found = {
        "Wrong countries, the surest first": [i for i, _ in surest],
        "The farthest away": [i for i, _ in farthest],
        "Unanswered": [i for i, _ in unanswered],
    }
    return {title: _photos(asked, record, some[:_ROWS]) for title, some in found.items() if some}


def pair_rows_html(asked: AskedPairs, record: VlmRecord, root: Path) -> dict[str, str]:
    """HTML by heading: the surest wrong verdicts of each kind."""
    single = {row.item for row in once_each(record.pair_rows)}
    order = sorted(range(len(record.pair_rows)), key=lambda i: -abs(record.pair_rows[i].logit or 0.0))
    seen: set[str] = set()
    missed: list[int] = []
    accepted: list[int] = []
    for i in order:
        row = record.pair_rows[i]
        if row.item in single and row.item not in seen and row.logit is not None and not row.right:
            seen.add(row.item)
            (missed if row.match else accepted).append(i)
    found = {
        "Matches taken for other places, the surest first": missed,
        "Other places taken for matches, the surest first": accepted,
    }
    return {title: "\n".join(_pair(asked, i, root) for i in some[:_ROWS]) for title, some in found.items() if some}


def _photos(asked: AskedViews, record: VlmRecord, numbers: Sequence[int]) -> str:
    figures = [_photo(asked, record, i) for i in numbers]
    rows = [figures[start : start + _COLUMNS] for start in range(0, len(figures), _COLUMNS)]
    return "\n".join('<div class="row">\n' + "\n".join(row) + "\n</div>" for row in rows)


def _photo(asked: AskedViews, record: VlmRecord, number: int) -> str:
    row, answer = record.prior_rows[number], asked.answers[number]
    truth = ", ".join(_clean(one) for one in (row.true_city, row.truth and country_name(row.truth)) if one)
    said = ", ".join(_clean(one) for one in (row.city, row.country and country_name(row.country)) if one)
    parts = [f"true: {truth or 'not known'}", f"answer: {said or 'none'}"]
    parts += [f"{row.error_km:,.0f} km away"] if row.error_km is not None else []
    if row.top is not None and row.top_share is not None:
        parts.append(f"likeliest {country_name(row.top)}, {row.top_share:.0%}")
    reply = answer.reply if answer else None
    parts += [quoted(reason) for reason in (reply.reasons if reply else [])[:_REASONS]]
    look = "asked right" if row.country == row.truth else "asked wrong"
    return figure_html(str(asked.views[number].path), printable("; ".join(parts)), look)


def _pair(asked: AskedPairs, number: int, root: Path) -> str:
    one = asked.pairs[number]
    record, said = one.record, said_label(one.verdict)
    logit = one.verdict.logit if one.verdict and one.verdict.logit is not None else 0.0
    rank = f", hard negative {record.hard_negative_rank}" if record.hard_negative_rank else ""
    tile = f"true: {_WORDS[record.label]}{rank}; answer: {_WORDS[said or 'no_match']}, ln P(yes)/P(no) {logit:+.2f}"
    figures = [
        figure_html(str(root / record.query_path), printable(f"query: {record.query_modality}"), "asked"),
        figure_html(str(root / record.satellite_path), tile, "wrong"),
    ]
    written = one.reasons.written if one.reasons else None
    if written:
        lines = [
            *(f"agreeing: {quoted(line)}" for line in written.agreeing[:_REASONS]),
            *(f"disagreeing: {quoted(line)}" for line in written.disagreeing[:_REASONS]),
            quoted(written.conclusion),
        ]
        words = "<br>".join(escape(printable(line)) for line in lines)
        figures.append(f'<figure class="asked"><figcaption><bdi>{words}</bdi></figcaption></figure>')
    return '<div class="row">\n' + "\n".join(figures) + "\n</div>"


_WORDS = {"match": "the same place", "no_match": "another place"}


def _clean(text: str) -> str:
    """A model's or a file's name of a city: cut, and without control characters."""
    return quoted(text, bare=True)
