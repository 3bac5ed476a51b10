"""The map of an answer as one SVG image that asks no server for anything."""

from __future__ import annotations

from html import escape

import numpy as np

from geosleuth.agent.localization import Localization
from geosleuth.agent.report.map_drawing import draw_map
from geosleuth.agent.report.map_shapes import Drawing, Shape, Words
from geosleuth.agent.report.map_window import Floats


def map_svg(answer: Localization, *, width: int = 720, height: int = 420, dark: bool = False) -> str:
    """Draw countries, the 50 and 90 % regions, compared references and the point; sizes in pixels.

    The text is one `<svg>` element without script, style sheet or link; it scales with `width="100%"`.
    """
    return svg_of(draw_map(answer, width=width, height=height, dark=dark))


def svg_of(drawing: Drawing, *, words: bool = True) -> str:
    """Write a drawing; without its words where the reader sets them itself (PDF)."""
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    title = escape(drawing.title, quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">'
    parts = [head, f"<title>{title}</title>"] if words else [head]
    parts += [_shape(shape) for shape in drawing.shapes if shape.rings]
    if words:
        parts += [_words(one, drawing) for one in drawing.words]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shape(shape: Shape) -> str:
    path = "".join(_path(ring, shape.open) for ring in shape.rings)
    look = f'fill="{shape.fill or "none"}"'
    if len(shape.rings) > 1:
        look += ' fill-rule="evenodd"'
    if shape.fill and shape.fill_opacity < 1:
        look += f' fill-opacity="{shape.fill_opacity:g}"'
    if shape.stroke:
        look += f' stroke="{shape.stroke}" stroke-width="{shape.line_px:g}"'
    if shape.dashes:
        look += f' stroke-dasharray="{" ".join(f"{dash:g}" for dash in shape.dashes)}"'
    return f'<path d="{path}" {look}/>'


def _path(ring: Floats, is_open: bool) -> str:
    corners = np.round(ring, 1)
    keep = np.append(True, np.any(np.diff(corners, axis=0) != 0, axis=1))
    corners = corners[keep] if is_open else corners[keep][: -1 if keep.sum() > 1 else None]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners.tolist()) + ("" if is_open else "Z")


def _words(words: Words, drawing: Drawing) -> str:
    look = f'font-family="Noto Sans, sans-serif" font-size="{words.size:g}" fill="{drawing.palette.words}"'
    if words.anchor != "start":
        look += f' text-anchor="{words.anchor}"'
    if words.bold:
        look += ' font-weight="bold"'
    halo = f'stroke="{drawing.palette.land}" stroke-width="2.5" stroke-opacity="0.8" paint-order="stroke"'
    return f'<text x="{words.x:.1f}" y="{words.y:.1f}" {look} {halo}>{escape(words.text, quote=False)}</text>'
