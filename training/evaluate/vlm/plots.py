"""Drawings of a report in SVG, in the colours of the page: reliability, ROC, and bars with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from geosleuth.agent.printable import printable
from geosleuth.training.evaluate.cross_view.report_style import COLOURS
from geosleuth.training.evaluate.vlm.intervals import Figure
from geosleuth.training.evaluate.vlm.reliability import Bin

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 250, 14, 48  # margins; on the right stands the legend
_SQUARE = _HEIGHT - _TOP - _BOTTOM  # both axes of a diagram go from 0 to 1
_DOT_PX = (3.0, 11.0)  # radius of a bin with few rows, and of one with all
_BAR_PX = 34

Point = tuple[float, float]


def reliability_svg(curves: Mapping[str, Sequence[Bin]]) -> str:
    """Draw how often predictions came true against their probability; a dot's area is the bin's number of rows."""
    marks, legend = [_line([(0, 0), (1, 1)], "chance")], [("as it should be", "chance")]
    for i, (name, bins) in enumerate(curves.items()):
        style = f"c{i % COLOURS}"
        filled = [(b.probability, b.came_true, b.count) for b in bins if b.probability is not None]
        total = sum(count for _, _, count in filled) or 1
        points = [(p, true or 0.0) for p, true, _ in filled]
        marks.append(_line(points, style))
        marks += [
            _dot(point, count / total, style, f"{count:,}") for point, (_, _, count) in zip(points, filled, strict=True)
        ]
        legend.append((name, style))
    return _diagram("Reliability", "probability", "share that came true", marks, legend)


def roc_svg(curves: Mapping[str, Sequence[Point]]) -> str:
    """Draw true against false positive rates."""
    marks, legend = [_line([(0, 0), (1, 1)], "chance")], [("chance", "chance")]
    for i, (name, points) in enumerate(curves.items()):
        style = "other" if i else "c0"
        marks.append(_line(points, style))
        legend.append((name, style))
    return _diagram("ROC", "false positive rate", "true positive rate", marks, legend)


def bars_svg(bars: Mapping[str, tuple[Figure, int]], title: str, axis: str) -> str:
    """Draw shares as bars with their intervals, each with the number of rows it is of."""
    step = (_WIDTH - _LEFT - 20) / max(len(bars), 1)
    parts = [_tick_y(i / 5, _WIDTH - 20) for i in range(6)]
    for i, (name, (figure, count)) in enumerate(bars.items()):
        x, zero = _LEFT + (i + 0.5) * step, _y(0)
        parts.append(_text(x, _HEIGHT - _BOTTOM + 17, name))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 32, f"{count:,}"))
        if figure.value is None:
            continue
        said = f"<title>{escape(name)}: {100 * figure.value:.1f} % of {count:,}</title>"
        width = f'style="stroke-width:{min(_BAR_PX, step * 0.7):.0f}; stroke-opacity:.55"'
        parts.append(f'<path class="curve c0" {width} d="M{x:.1f} {zero:.1f} V{_y(figure.value):.1f}">{said}</path>')
        if figure.low is not None and figure.high is not None:
            low, high = _y(figure.low), _y(figure.high)
            whisker = f"M{x:.1f} {low:.1f} V{high:.1f} M{x - 6:.1f} {low:.1f} h12 M{x - 6:.1f} {high:.1f} h12"
            parts.append(f'<path class="curve other" style="stroke-dasharray:none; stroke-width:1.6" d="{whisker}"/>')
    return _svg(title, [*parts, _text(_LEFT + (_WIDTH - _LEFT - 20) / 2, _HEIGHT - 2, axis)])


def _diagram(title: str, x_name: str, y_name: str, marks: Sequence[str], legend: Sequence[tuple[str, str]]) -> str:
    parts = [*(_tick_x(i / 5) for i in range(6)), *(_tick_y(i / 5, _LEFT + _SQUARE) for i in range(6)), *marks]
    parts.append(_text(_LEFT + _SQUARE / 2, _HEIGHT - 8, x_name))
    middle = _TOP + _SQUARE / 2
    parts.append(
        f'<text class="tick" text-anchor="middle" x="12" y="{middle:.0f}" transform="rotate(-90 12 {middle:.0f})">'
        f"{escape(y_name)}</text>"
    )
    for i, (name, style) in enumerate(legend):
        y = _TOP + 20 + 20 * i
        start = _LEFT + _SQUARE + 24
        parts.append(f'<path class="curve {style}" d="M{start} {y} h24"/>')
        parts.append(f'<text class="{style}" x="{start + 30}" y="{y + 4}">{escape(printable(name))}</text>')
    return _svg(title, parts)


def _svg(title: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">\n{inside}\n</svg>'


def _x(value: float) -> float:
    return _LEFT + _SQUARE * value


def _y(value: float) -> float:
    return _TOP + _SQUARE * (1 - value)


def _line(points: Sequence[Point], style: str) -> str:
    joined = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline class="curve {style}" points="{joined}"/>'


def _dot(point: Point, share: float, style: str, said: str) -> str:
    low, high = _DOT_PX
    radius = low + (high - low) * share**0.5
    x, y = _x(point[0]), _y(point[1])
    return f'<circle class="curve {style}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{said}</title></circle>'


def _tick_x(value: float) -> str:
    x = f"{_x(value):.1f}"
    line = f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    return line + _text(_x(value), _HEIGHT - _BOTTOM + 17, f"{value:.1f}")


def _tick_y(value: float, right: float) -> str:
    y = _y(value)
    line = f'<line class="grid" x1="{_LEFT}" x2="{right:.0f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{100 * value:.0f} %</text>'


def _text(x: float, y: float, words: str) -> str:
    return f'<text class="tick" text-anchor="middle" x="{x:.1f}" y="{y:.1f}">{escape(printable(words))}</text>'
