"""Recall against k as a drawing in SVG; its colours are those of the page, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log10

from geosleuth.agent.printable import printable
from geosleuth.training.evaluate.cross_view.measures import CURVE

_WIDTH, _HEIGHT = 760, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 210, 14, 44  # margins; on the right stand the names of the lines
_TICKS_K = (1, 2, 3, 5, 10, 20, 50, 100)
_NAME_PX = 17  # between the names of two lines


@dataclass(frozen=True)
class Curve:
    """recall@k for k = 1 to 100."""

    name: str
    shares: Sequence[float]
    style: str  # a class of the page's style: its colour and dashes


def curves_svg(curves: Sequence[Curve]) -> str:
    """Draw curves over a logarithmic k, each named at its end."""
    ticks = [*(_tick_k(k) for k in _TICKS_K), *(_tick_share(share) for share in range(0, 101, 20))]
    lines = [
        f'<polyline class="curve {one.style}" points="{_points(one.shares)}">'
        f"<title>{escape(printable(one.name))}</title></polyline>"
        for one in curves
    ]
    names = [
        f'<text class="{one.style}" x="{_WIDTH - _RIGHT + 8}" y="{y + 4:.1f}">{escape(_short(printable(one.name)))} '
        f"{100 * one.shares[-1]:.0f} %</text>"
        for one, y in zip(curves, _apart([_y(one.shares[-1]) for one in curves]), strict=True)
    ]
    middle = _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Recall at k, for k from 1 to {CURVE}">\n'
        + "\n".join([*ticks, *lines, *names])
        + f'\n<text class="tick" text-anchor="middle" x="{middle:.0f}" y="{_HEIGHT - 6}">k, the references looked at'
        "</text>\n</svg>"
    )


def _x(k: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log10(k) / log10(CURVE)


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _points(shares: Sequence[float]) -> str:
    return " ".join(f"{_x(k):.1f},{_y(share):.1f}" for k, share in enumerate(shares, start=1))


def _tick_k(k: int) -> str:
    x = f"{_x(k):.1f}"
    line = f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    return f'{line}<text class="tick" text-anchor="middle" x="{x}" y="{_HEIGHT - _BOTTOM + 17}">{k}</text>'


def _tick_share(percent: int) -> str:
    y = _y(percent / 100)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="tick" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{percent} %</text>'


def _apart(heights: Sequence[float]) -> list[float]:
    """Move names apart, downwards and then back up from the lower edge, in the order of their lines."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = list(heights)
    lowest = _HEIGHT - _BOTTOM + _NAME_PX
    for before, now in pairwise(order):
        placed[now] = max(placed[now], placed[before] + _NAME_PX)
    for i, now in enumerate(reversed(order)):
        placed[now] = min(placed[now], lowest - i * _NAME_PX)
    return placed


def _short(name: str) -> str:
    return name if len(name) <= 20 else name[:19] + "…"
