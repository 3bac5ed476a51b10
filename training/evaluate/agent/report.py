"""The report of an evaluation: a page that needs nothing else (no script, no request), and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from geosleuth.agent.printable import printable
from geosleuth.indexes.whole_file import appearing
from geosleuth.training.evaluate.agent.measures import IN_50, IN_90
from geosleuth.training.evaluate.agent.paired import Paired
from geosleuth.training.evaluate.agent.plots import cumulative_svg, risk_svg
from geosleuth.training.evaluate.agent.record import REPORT_FILE, AgentReport
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.agent.table import lead, region_rows, rows_of
from geosleuth.training.evaluate.agent.worst import worst_html
from geosleuth.training.evaluate.cross_view.report import grid_html, prepare_folder
from geosleuth.training.evaluate.cross_view.report_style import POLICY, STYLE
from geosleuth.training.evaluate.vlm.plots import bars_svg, reliability_svg

PAGE = "report.html"
_TITLES = {"agent": "The agent on labelled photos", "prior alone": "The recorded model alone on labelled photos"}
_LISTED = 20  # left out, named on the page; report.json has them all
_LEGEND = (
    "accuracy@n km: of all photos, the share whose point lies within n km (geodesic); without a point it is wrong. "
    "Country accuracy: the point lies in the true country. Answer rate: share with the status localized. AURC: mean "
    "share of wrong countries over all coverages, the surest answered first. In the 50 % (90 %) region: share whose "
    "true place the region of half (nine tenths) of the belief holds; it should be 50 % (90 %). ECE: expected "
    "calibration error, ten bins. Bits lost: mean of -log2 of the true country's probability. Intervals: 95 %, by "
    "bootstrap over cities, or cells of 10 km where none is known; Wilson's where all or none are right."
)
_COMPARISON = "Each figure is paired, photo by photo: where its interval holds 0, chance may have made the difference."
# Many columns: their names may break, those of the rows must not, and what is still too wide is scrolled by itself.
_WIDE = """.wide { overflow-x: auto; } .wide td:first-child { white-space: nowrap; }
.wide thead .number { white-space: normal; overflow-wrap: normal; }
"""
_RUN, _OTHER = "this run", "the other run"


def write_report(
    folder: Path,
    report: AgentReport,
    root: Path,
    *,
    compare: AgentReport | None = None,
    changes: Paired | None = None,
) -> None:
    """Write report.html and report.json.

    Args:
        folder: Made where it is not there; a report in it is replaced.
        report: What to report.
        root: Where the photos lie: the worst are shown.
        compare: Another run over the same photos.
        changes: This run less that one.

    Raises:
        InputError: The folder cannot be written to.
    """
    prepare_folder(folder)
    page = report_html(report, worst_html(report.rows, root), compare=compare, changes=changes)
    for name, text in ((REPORT_FILE, report.model_dump_json() + "\n"), (PAGE, page)):
        with appearing(folder / name) as scratch:
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


def report_html(
    report: AgentReport,
    pictures: Mapping[str, str],
    *,
    compare: AgentReport | None = None,
    changes: Paired | None = None,
) -> str:
    """Write the page, light or dark as the reader's system is; `pictures` is HTML by heading."""
    title = _TITLES[report.task]
    parts = [
        f"<h1>{_words(title)}</h1>\n<p class='soft'>{_words(origin(report))}</p>",
        f'<p class="lead">{_words(lead(report.measures, report.photos))}</p>',
        "\n".join(f'<p class="warning">{_words(note)}</p>' for note in report.notes),
        f"<h2>Figures</h2>\n{grid_html(*rows_of(report.measures))}\n<p class='soft'>{_words(_LEGEND)}</p>",
        _regions(report),
        _changes(compare, changes),
        _plots(report, compare),
        *(f"<h2>{_words(heading)}</h2>\n{rows}" for heading, rows in pictures.items()),
        _listed("Tools that did not take part", ("What it said", "Photos"), _counted(report.failures)),
        _listed("Left out when the data set was opened", ("Photo", "Why"), report.skipped),
        _listed("Settings", ("Setting", "Value"), _settings(report), shown=None),
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


def origin(report: AgentReport) -> str:
    """Where the figures come from: data, prior, version, commit, date."""
    commit = f", commit {report.commit}" if report.commit else ""
    return f"{report.data}; prior {report.prior}; geosleuth {report.version}{commit}, {report.made_at}"


def comparison(compare: AgentReport) -> str:
    """Say what the other run is."""
    return f"This run less the other: {compare.task}; {origin(compare)}"


def _regions(report: AgentReport) -> str:
    table = grid_html(*region_rows(report.regions, report.counts))
    return f'<h2>By region of the world</h2>\n<div class="wide">{table}</div>'


def _changes(compare: AgentReport | None, changes: Paired | None) -> str:
    if compare is None or changes is None:
        return ""
    counts = (
        f"The point lies in the true country in this run alone: {changes.gained:,}; in the other: {changes.lost:,}."
    )
    said = f"<p>{_words(f'{comparison(compare)}. {_COMPARISON} {counts}')}</p>"
    return f"<h2>Beside another run</h2>\n{said}\n{grid_html(*rows_of(changes.differences, signed=True))}"


def _plots(report: AgentReport, compare: AgentReport | None) -> str:
    runs: dict[str, Sequence[Scored]] = {_RUN: report.rows}
    if compare:
        runs[_OTHER] = compare.rows
    found = {"How far off": cumulative_svg(runs), "Wrong countries among the surest": risk_svg(runs)}
    bins = {_RUN: report.reliability} | ({_OTHER: compare.reliability} if compare else {})
    bins = {name: some for name, some in bins.items() if any(one.count for one in some)}
    found["Do probabilities mean what they say?"] = reliability_svg(bins) if bins else ""
    bars = {
        f"{which}, {share} %": (one.measures[region], sum(row.in_90 is not None for row in one.rows))
        for which, one in (("this", report), ("other", compare))
        if one is not None
        for share, region in ((50, IN_50), (90, IN_90))
        if region in one.measures
    }
    found["Do regions hold the true place?"] = (
        bars_svg(bars, "Share of true places inside", "run and region, and photos") if bars else ""
    )
    return "\n".join(
        f"<h2>{_words(title)}</h2>\n<figure>{drawing}</figure>" for title, drawing in found.items() if drawing
    )


def _listed(title: str, head: tuple[str, str], rows: Sequence[tuple[str, str]], *, shown: int | None = _LISTED) -> str:
    if not rows:
        return ""
    some = list(rows if shown is None else rows[:shown])
    more = f"<p>{len(rows) - len(some):,} more are not named here.</p>" if len(rows) > len(some) else ""
    return f"<h2>{_words(title)}</h2>\n{grid_html(head, some, numbers=False)}\n{more}"


def _counted(failures: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(what, f"{count:,}") for what, count in sorted(failures.items(), key=lambda pair: -pair[1])]


def _settings(report: AgentReport) -> list[tuple[str, str]]:
    found = []
    for key, value in report.settings.items():
        inner = value.items() if isinstance(value, dict) else ()
        found += [(f"{key}.{name}", str(one)) for name, one in inner] if inner else [(key, str(value))]
    return found


def _words(text: str) -> str:
    return escape(printable(text))
