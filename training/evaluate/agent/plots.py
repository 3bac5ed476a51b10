"""Drawings of a report in SVG: how risk grows with coverage, and what share of photos lies within a distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

import numpy as np

from geosleuth.agent.printable import printable
from geosleuth.training.evaluate.agent.measures import THRESHOLDS_KM, confidences, errors_km, judged, named_right
from geosleuth.training.evaluate.agent.scored import Scored
from geosleuth.training.evaluate.agent.selective import risk_coverage

_WIDTH, _HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 190, 14, 48  # margins; on the right stands the legend
_LEAST_KM, _MOST_KM = 1.0, 20_004.0  # labels are no nearer; half of a meridian
_KM_TICKS = (1, 25, 200, 750, 2500, 20_000)
_KM_STEPS = 160  # of a curve, as many as its width has points of 3 px
_STYLES = ("c0", "other")  # this run, and the one that it is set beside

Point = tuple[float, float]


@dataclass(frozen=True)
class _Axis:
    """The lower axis."""

    name: str
    ticks: Mapping[float, str]
    place: Callable[[float], float]  # a value -> [0, 1] of the width


def risk_svg(runs: Mapping[str, Sequence[Scored]]) -> str:
    """Draw the share of wrong countries against the share of photos answered, the surest first; "" where none can."""
    curves = {
        name: risk_coverage(confidences(rows), ~named_right(rows), judged(rows))
        for name, rows in runs.items()
        if any(row.probability is not None for row in rows)
    }
    if not any(curves.values()):
        return ""
    axis = _Axis("share of photos answered, the surest first", {i / 5: f"{20 * i} %" for i in range(6)}, float)
    return _chart("Risk against coverage", axis, "wrong countries", curves)


def cumulative_svg(runs: Mapping[str, Sequence[Scored]]) -> str:
    """Draw the share of photos whose error is at most so many km; a missing point is never."""
    steps = np.geomspace(_LEAST_KM, _MOST_KM, _KM_STEPS).tolist()
    steps = sorted({*steps, *map(float, THRESHOLDS_KM)})
    curves = {}
    for name, rows in runs.items():
        errors = np.sort(errors_km(rows))
        curves[name] = [(km, float(np.searchsorted(errors, km, side="right")) / max(len(errors), 1)) for km in steps]
    axis = _Axis("error in km", {float(km): f"{km:,}" for km in _KM_TICKS}, lambda km: log10(km) / log10(_MOST_KM))
    return _chart("Photos within a distance", axis, "photos within it", curves)


def _chart(title: str, axis: _Axis, y_name: str, curves: Mapping[str, Sequence[Point]]) -> str:
    parts = [_tick_x(axis, value, words) for value, words in axis.ticks.items()]
    parts += [_tick_y(i / 5) for i in range(6)]
    for i, (name, points) in enumerate(curves.items()):
        style = _STYLES[min(i, 1)]
        joined = " ".join(f"{_x(axis.place(x)):.1f},{_y(y):.1f}" for x, y in points)
        start, y = _WIDTH - _RIGHT + 14, _TOP + 14 + 22 * i
        parts.append(f'<polyline class="curve {style}" points="{joined}"/>')
        parts.append(f'<path class="curve {style}" d="M{start} {y} h24"/>')
        parts.append(f'<text class="{style}" x="{start + 30}" y="{y + 4}">{escape(printable(name))}</text>')
    middle, low = _TOP + (_HEIGHT - _TOP - _BOTTOM) / 2, _HEIGHT - 8
    parts.append(_text(_x(0.5), low, axis.name))
    parts.append(
        f'<text class="tick" text-anchor="middle" x="12" y="{middle:.0f}" transform="rotate(-90 12 {middle:.0f})">'
        f"{escape(y_name)}</text>"
    )
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">\n{inside}\n</svg>'


def _x(share: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(share, 0.0), 1.0)


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _tick_x(axis: _Axis, value: float, words: str) -> str:
    x = _x(axis.place(value))
    line = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    return line + _text(x, _HEIGHT - _BOTTOM + 17, words)


def _tick_y(share: float) -> str:
    y = _y(share)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{100 * share:.0f} %</text>'


def _text(x: float, y: float, words: str) -> str:
    return f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{y:.1f}">{escape(printable(words))}</text>'
