"""What makes a map readable: the legend, the scale, where in the world it is, names of cities and countries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from geosleuth.agent.printable import printable
from geosleuth.agent.report.map_land import countries_of
from geosleuth.agent.report.map_shapes import LETTER, Drawing, Shape, Words, box, disc, rings_of
from geosleuth.agent.report.map_window import Window

_CITIES = 8  # labelled; more hide the regions
_LEGEND_ROW = 16  # pixels
_INSET = (132, 74)  # pixels of the small map of the world


def add_legend(drawing: Drawing, rows: Sequence[tuple[Shape, str]]) -> None:
    """Say what the shapes mean, in the lower left corner."""
    if not rows:
        return
    wide = 36 + max(len(text) for _, text in rows) * 11 * LETTER
    high = len(rows) * _LEGEND_ROW + 10
    top = drawing.height - high - 8
    _panel(drawing, 8, top, wide, high)
    for i, (mark, text) in enumerate(rows):
        y = top + 8 + i * _LEGEND_ROW
        moved = tuple(ring + np.array([14.0, y]) for ring in mark.rings)
        drawing.shapes.append(Shape(moved, mark.fill, mark.fill_opacity, mark.stroke, mark.line_px, mark.dashes))
        drawing.words.append(Words(38, y + 9, text))


def _panel(drawing: Drawing, x: float, y: float, wide: float, high: float) -> None:
    look: dict[str, Any] = {
        "fill": drawing.palette.paper,
        "fill_opacity": 0.88,
        "stroke": drawing.palette.border,
        "line_px": 0.7,
    }
    drawing.shapes.append(Shape((box(x, y, wide, high),), **look))
    drawing.taken.append((x, y, x + wide, y + high))


def add_scale_bar(drawing: Drawing, window: Window) -> None:
    """A round length of at most 120 pixels; on a map of half the world it would hold on one parallel only."""
    if window.east - window.west > 180.0:
        return
    most = 120.0 / window.px_per_km
    step = 10.0 ** math.floor(math.log10(most))
    km = step * max(factor for factor in (1, 2, 5) if factor * step <= most)
    long, x, y = km * window.px_per_km, drawing.width - 16.0, drawing.height - 14.0
    _panel(drawing, x - 134, y - 22, 142, 30)
    line = np.array([[x - long, y - 4], [x - long, y], [x, y], [x, y - 4]])
    drawing.shapes.append(Shape((line,), stroke=drawing.palette.words, line_px=1.6, open=True))
    drawing.words.append(Words(x, y - 7, f"{km:,g} km", anchor="end"))


def add_inset(drawing: Drawing, window: Window) -> None:
    """A small map of the world with the window's frame: says where the map is; none on maps that show as much."""
    if window.east - window.west > 100.0:
        return
    wide, high = _INSET
    left, top = drawing.width - wide - 8.0, 8.0
    middle = round((window.west + window.east) / 60) * 30.0  # of few kinds, so that they are drawn once
    world = Window(middle - 180.0, -90.0, middle + 180.0, 90.0, wide, high)
    corner = np.array([left, top])
    _panel(drawing, left, top, wide, high)
    for shape in countries_of(world).values():
        rings = tuple(np.clip(ring, 0, (wide, high)) + corner for ring in rings_of(shape))
        drawing.shapes.append(Shape(rings, fill=drawing.palette.border))
    corners = world.pixels(np.array([[window.west, window.north], [window.east, window.south]])) + corner
    (x0, y0), (x1, y1) = corners.tolist()
    x0, y0, x1, y1 = x0 - 2, y0 - 2, x1 + 2, y1 + 2  # a window of 100 km is less than a pixel here
    drawing.shapes.append(Shape((box(x0, y0, x1 - x0, y1 - y0),), stroke=drawing.palette.half, line_px=1.6))


def name_cities(drawing: Drawing, window: Window) -> None:
    """The largest cities, each with its name, that find room."""
    from geosleuth.indexes.gazetteer import load_gazetteer

    gazetteer = load_gazetteer()
    lons = window.west + (gazetteer.lon - window.west) % 360.0
    seen = np.flatnonzero((lons < window.east) & (gazetteer.lat > window.south) & (gazetteer.lat < window.north))
    largest = seen[np.argsort(-gazetteer.population[seen], kind="stable")][: _CITIES * 3]
    named = 0
    for row in largest.tolist():
        place = gazetteer.place(row)
        spot = window.place(place.lon, place.lat)
        if named == _CITIES or spot is None:
            continue
        if drawing.say(Words(spot[0] + 5, spot[1] + 4, printable(place.name), 10)):
            drawing.shapes.append(Shape((disc(*spot, 2),), fill=drawing.palette.words))
            named += 1


def name_countries(drawing: Drawing, land: Mapping[str, Any]) -> None:
    """Names of countries in their largest visible part, the largest first, where they fit."""
    import shapely

    from geosleuth.indexes.countries import country_name

    frame = shapely.box(0, 0, drawing.width, drawing.height)
    parts = []
    for code, shape in land.items():
        seen = shapely.get_parts(shapely.intersection(shapely.make_valid(shape), frame))
        if len(seen):
            part = max(seen, key=lambda one: float(one.area))
            parts.append((float(part.area), code, part))
    for area, code, part in sorted(parts, key=lambda one: (-one[0], one[1])):
        name = country_name(code)
        west, _, east, _ = part.bounds
        if area < 250 or len(name) * 11 * LETTER > (east - west) * 1.2:  # smaller parts would lie under their name
            continue
        for spot in (part.representative_point(), part.centroid):
            if drawing.say(Words(spot.x, spot.y + 4, name.upper(), 10, "middle", bold=True)):
                break
