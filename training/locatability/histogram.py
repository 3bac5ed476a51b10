"""The scores of a set as a histogram, and pictures drawn from each of its tenths, to look at what a score means."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from geosleuth.agent.printable import printable
from geosleuth.agent.report.pictures import jpeg_of
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import open_photo
from geosleuth.indexes.photo_file import DAMAGED
from geosleuth.training.locatability.curation import passes, with_scores

if TYPE_CHECKING:
    from geosleuth.training.georeasoner.street_views import StreetView, StreetViews
    from geosleuth.training.locatability.score_set import Scores

logger = logging.getLogger(__name__)

BARS = 20  # of 0.05: the paper's threshold is an edge, and a set of 300 still fills them
_BINS = 10  # of example pictures
_EXAMPLES = 5  # a row of the page
_PX = 300  # longest side of an example: 8 kB each, so that a full page is below a megabyte
_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 26, 44  # margins; above the bars stands the threshold's name
_GAP = 1.5  # between bars, in units of the drawing

STYLE = """
.bar { fill: var(--c0); } .bar.dropped { fill: var(--soft); opacity: .55; }
.threshold { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; } svg text.limit { fill: var(--bad); }
tr.chosen { font-weight: bold; } h3 { font-size: 1rem; margin: 1rem 0 0; }
"""


def histogram(values: Sequence[float], bars: int = BARS) -> list[int]:
    """Count scores in equal bins of [0, 1]; each has its lower edge, the last both."""
    # Rounded: 0.3 / 0.05 is 5.999..., which would fall into the bin below.
    places = np.floor(np.round(np.asarray(values, np.float64) * bars, 9)).astype(np.int64)
    counts: list[int] = np.bincount(np.minimum(places, bars - 1), minlength=bars).tolist()
    return counts


def histogram_svg(values: Sequence[float], threshold: float) -> str:
    """Draw the histogram; bars below the threshold are pale, and a dashed line marks it."""
    counts = histogram(values)
    most = max(*counts, 1)
    wide = (_WIDTH - _LEFT - _RIGHT) / len(counts)
    bars = []
    for number, count in enumerate(counts):
        low, high = number / len(counts), (number + 1) / len(counts)
        top = _y(count / most)
        look = "bar" if (low + high) / 2 > threshold else "bar dropped"
        bars.append(
            f'<rect class="{look}" x="{_x(low) + _GAP / 2:.1f}" y="{top:.1f}" width="{wide - _GAP:.1f}" '
            f'height="{_y(0) - top:.1f}"><title>{low:.2f} to {high:.2f}: {count:,}</title></rect>'
        )
    at, beside = f"{_x(threshold):.1f}", "end" if threshold > 0.8 else "start"
    limit = (
        f'<line class="threshold" x1="{at}" x2="{at}" y1="{_TOP - 16}" y2="{_y(0):.1f}"/><text class="limit" '
        f'text-anchor="{beside}" x="{_x(threshold) + (-6 if beside == "end" else 6):.1f}" y="{_TOP - 8}">'
        f"kept above {threshold:g}</text>"
    )
    label = f"Histogram of {len(values):,} scores"
    middle = (_x(0) + _x(1)) / 2
    axis = f'<text class="tick" text-anchor="middle" x="{middle:.0f}" y="{_HEIGHT - 6}">locatability</text>'
    lines = [*_ticks(most), *bars, limit, axis]
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">\n' + "\n".join(lines) + "\n</svg>"


def example_rows(views: StreetViews, scores: Scores, threshold: float, seed: int = 0) -> str:
    """Write, as HTML, pictures drawn by chance from each tenth of the scale, the highest scores first."""
    rng = np.random.default_rng(seed)
    groups: list[list[tuple[StreetView, float]]] = [[] for _ in range(_BINS)]
    for view, score in with_scores(views, scores):
        groups[histogram([score], _BINS).index(1)].append((view, score))
    parts = []
    for number, group in reversed(list(enumerate(groups))):
        if group:
            some = [group[i] for i in sorted(map(int, rng.permutation(len(group))[:_EXAMPLES]))]
            title = f"{number / _BINS:.1f} to {(number + 1) / _BINS:.1f}: {len(group):,}"
            figures = "\n".join(_figure(view, score, scores, threshold) for view, score in some)
            parts.append(f'<h3>{title}</h3>\n<div class="row">\n{figures}\n</div>')
    return "\n".join(parts)


def _figure(view: StreetView, score: float, scores: Scores, threshold: float) -> str:
    one = scores.by_path[str(view.path)]
    said = one.flag or ", ".join(f"{name} {value:.2f}" for name, value in one.leading.items() if value >= 0.005)
    place = ", ".join(filter(None, (view.city, view.country)))
    name = printable("/".join(PurePath(view.path).parts[-2:]))
    caption = f"<b>{score:.3f}</b> {escape(printable(place))}<br><small>{escape(said)}</small>"
    caption += f"<br><small><bdi>{escape(name)}</bdi></small>"
    try:
        jpeg, (width, height) = jpeg_of(open_photo(view.path).pixels_at(_PX), _PX)
    except (InputError, *DAMAGED) as error:
        logger.info("%s is not shown: %s", view.path, error)
        image = '<p class="missing">This picture cannot be read.</p>'
    else:
        source = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        image = f'<img src="{source}" width="{width}" height="{height}" alt="score {score:.3f}">'
    look = "right" if passes(score, threshold) else ""
    return f'<figure class="{look}">{image}<figcaption>{caption}</figcaption></figure>'


def _ticks(most: int) -> list[str]:
    across = [
        f'<text class="tick" text-anchor="middle" x="{_x(i / 10):.1f}" y="{_y(0) + 17:.1f}">{i / 10:.1f}</text>'
        for i in range(11)
    ]
    up = []
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        up.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        up.append(f'<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{share * most:,.4g}</text>')
    return up + across


def _x(score: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * score


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)
