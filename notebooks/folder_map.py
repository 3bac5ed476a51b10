"""One map of the answers to a folder of photos, drawn from data in the package: no tile server is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from geosleuth.agent.report.map_drawing import LIGHT, Drawing, Shape, Words
from geosleuth.agent.report.map_land import countries_of
from geosleuth.agent.report.map_svg import svg_of
from geosleuth.agent.report.map_window import Window

_MARGIN = 0.25  # of the span of the points, on each side
_LEAST_DEG = 20.0  # of latitude that the map shows


def folder_map(frame: Any, width: int = 860, height: int = 430) -> str:
    """Return SVG with a dot per row of a GeoDataFrame; rows without a point are left out."""
    placed = frame[~frame.geometry.isna()]
    window = _window(placed.geometry.x.to_numpy(), placed.geometry.y.to_numpy(), width, height)
    drawing = Drawing(width, height, LIGHT, f"{len(placed)} of {len(frame)} photos have a place")
    sea = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height], [0.0, 0.0]])
    drawing.shapes.append(Shape((sea,), fill=LIGHT.sea))
    for shape in countries_of(window).values():
        rings = tuple(np.asarray(part.exterior.coords) for part in getattr(shape, "geoms", [shape]))
        drawing.shapes.append(Shape(rings, fill=LIGHT.land, stroke=LIGHT.border, line_px=0.7))
    turn = np.linspace(0, 2 * np.pi, 24)
    for name, point in zip(placed["file"], placed.geometry, strict=True):
        spot = window.place(point.x, point.y)
        if spot is not None:
            dot = np.column_stack([spot[0] + 5 * np.cos(turn), spot[1] + 5 * np.sin(turn)])
            drawing.shapes.append(Shape((dot,), fill=LIGHT.half, stroke=LIGHT.words))
            text = name.rpartition("/")[2]
            if not drawing.say(Words(spot[0] + 8, spot[1] + 4, text)):  # on the other side, where it does not fit
                drawing.say(Words(spot[0] - 8, spot[1] + 4, text, anchor="end"))
    return svg_of(drawing)


def _window(lons: Any, lats: Any, width: int, height: int) -> Window:
    """Hold all points; the map is twice as wide as high, and no smaller than a continent."""
    if not len(lons):
        lons, lats = np.array([-120.0, 160.0]), np.array([-50.0, 70.0])
    high = max((1 + 2 * _MARGIN) * max(np.ptp(lats), np.ptp(lons) * height / width), _LEAST_DEG)
    high = min(high, 180.0)
    lon, lat = (lons.min() + lons.max()) / 2, np.clip((lats.min() + lats.max()) / 2, -90 + high / 2, 90 - high / 2)
    wide = high * width / height
    return Window(lon - wide / 2, lat - high / 2, lon + wide / 2, lat + high / 2, width, height)
